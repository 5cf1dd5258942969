// The wire between two loops of one process.
#include "common/bus/local_wire.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "common/wire/bytes.hpp"

namespace covey::bus {
namespace {

struct LocalWireTest : testing::Test {
  static constexpr std::size_t kLimit = 20;
  void listen() {
    wire->to_controller->read([this](std::string_view subject, std::span<const std::byte> data) {
      heard.push_back(std::string(subject) + ":" + std::string(wire::as_text(data)));
    }, [this] { ++drained; });
  }
  bool put(std::string_view subject, std::string_view data) { return wire->to_controller->put(subject, wire::as_bytes(data)); }

  boost::asio::io_context controller, client;
  std::shared_ptr<LocalWire> wire = std::make_shared<LocalWire>(controller, client, kLimit);
  std::vector<std::string> heard;
  int drained = 0;
};

TEST_F(LocalWireTest, LettersArriveInOrderAndAreDrainedOnce) {
  listen();
  EXPECT_TRUE(put("a", "1"));
  EXPECT_TRUE(put("b", ""));
  EXPECT_TRUE(put("a", "2"));
  EXPECT_TRUE(heard.empty());  // the reading loop has not run
  controller.run();
  EXPECT_EQ(heard, (std::vector<std::string>{"a:1", "b:", "a:2"}));
  EXPECT_EQ(drained, 1);
}

TEST_F(LocalWireTest, AReaderThatDoesNotReadCostsItsWriterNoMoreThanTheLimit) {
  listen();
  EXPECT_TRUE(put("to", std::string(8, 'x')));
  EXPECT_TRUE(put("to", std::string(8, 'y')));  // full to the byte
  EXPECT_FALSE(put("t", ""));
  EXPECT_FALSE(put("to", "z"));
  EXPECT_EQ(wire->to_controller->lost(), 2u);
  EXPECT_EQ(wire->to_client->lost(), 0u);
  controller.run();
  EXPECT_EQ(heard.size(), 2u);
  EXPECT_TRUE(put("to", std::string(18, 'z')));  // there is room again
  EXPECT_FALSE(put("t", ""));
}

TEST_F(LocalWireTest, LettersWaitForTheirReaderAndAreNotGivenToOneThatHasStopped) {
  EXPECT_TRUE(put("a", "1"));
  controller.run();
  EXPECT_TRUE(heard.empty());
  listen();
  EXPECT_EQ(heard.size(), 1u);
  EXPECT_TRUE(put("a", "2"));
  wire->to_controller->stop();
  controller.restart();
  controller.run();
  EXPECT_EQ(heard.size(), 1u);
}

TEST_F(LocalWireTest, AClientIsToldThatItsFrameDidNotFit) {
  LocalConnection connection(client, wire);
  EXPECT_EQ(connection.publish("to", wire::as_bytes(std::string(18, 'x')), {}), Errc::ok);
  EXPECT_EQ(connection.publish("to", wire::as_bytes("x"), {}), Errc::backlog);
  connection.close();
  EXPECT_EQ(connection.publish("to", {}, {}), Errc::closed);
}

TEST_F(LocalWireTest, AClientHearsWhatItsSubscriptionsCover) {
  LocalConnection connection(client, wire);
  std::vector<std::string> subjects;
  connection.subscribe("covey.*.inbox", [&](const Message& message) { subjects.emplace_back(message.subject); }, {});
  wire->to_client->put("covey.x.inbox", {});
  wire->to_client->put("covey.x", {});
  client.run();
  EXPECT_EQ(subjects, (std::vector<std::string>{"covey.x.inbox"}));
}

TEST(CoversTest, AStarIsATokenAndAnArrowheadTheRest) {
  EXPECT_TRUE(covers("a.b", "a.b"));
  EXPECT_TRUE(covers("a.*", "a.b"));
  EXPECT_TRUE(covers("a.>", "a.b.c"));
  EXPECT_FALSE(covers("a.*", "a.b.c"));
  EXPECT_FALSE(covers("a.b", "a.bc"));
  EXPECT_FALSE(covers("a.b", "a"));
  EXPECT_FALSE(covers("a", "a.b"));
}

}  // namespace
}  // namespace covey::bus

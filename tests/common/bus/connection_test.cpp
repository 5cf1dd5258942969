#include <algorithm>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <vector>

#include "tests/common/bus/bus_fixture.hpp"

namespace covey::bus {
namespace {

class ConnectionTest : public BusTest {
 protected:
  ConnectionTest() { start_server(); }
};

TEST_F(ConnectionTest, DeliversWhatIsPublished) {
  auto alice = connect(), bob = connect();
  std::vector<std::string> seen;
  bob->subscribe("greet.*", [&](Message& message) {
    seen.push_back(std::string(message.subject) + " " + std::string(message.reply) + " " + text_of(message));
  });
  ASSERT_TRUE(settle(*bob));
  EXPECT_EQ(alice->publish("greet.bob", bytes("hello"), "back"), Errc::ok);
  EXPECT_EQ(alice->publish("greet.all", bytes("")), Errc::ok);
  ASSERT_TRUE(until([&] { return seen.size() == 2; }));
  EXPECT_EQ(seen, (std::vector<std::string>{"greet.bob back hello", "greet.all  "}));
  EXPECT_EQ(alice->state(), State::connected);
  EXPECT_GE(alice->max_payload(), 1024u * 1024u);
  EXPECT_TRUE(alice->server_version().starts_with("2.")) << alice->server_version();
}

TEST_F(ConnectionTest, HearsItselfOnlyWhenAsked) {
  auto quiet_options = options(), echo_options = options();
  echo_options.echo = true;
  auto quiet = connect(quiet_options), echo = connect(echo_options);
  int quietly = 0, echoed = 0;
  quiet->subscribe("quiet", [&](Message&) { ++quietly; });
  echo->subscribe("echo", [&](Message&) { ++echoed; });
  quiet->publish("quiet", bytes("x"));
  echo->publish("echo", bytes("x"));
  ASSERT_TRUE(until([&] { return echoed == 1; }));
  ASSERT_TRUE(settle(*quiet));
  EXPECT_EQ(quietly, 0);
}

TEST_F(ConnectionTest, QueueGroupSharesMessages) {
  auto source = connect(), first = connect(), second = connect();
  int at_first = 0, at_second = 0;
  first->subscribe("work", [&](Message&) { ++at_first; }, "group");
  second->subscribe("work", [&](Message&) { ++at_second; }, "group");
  ASSERT_TRUE(settle(*first));
  ASSERT_TRUE(settle(*second));
  for (int i = 0; i < 1000; ++i) source->publish("work", bytes("x"));
  ASSERT_TRUE(until([&] { return at_first + at_second == 1000; }));
  EXPECT_GT(at_first, 0);
  EXPECT_GT(at_second, 0);
}

TEST_F(ConnectionTest, WhoLeavesAQueueGroupGetsWhatItHadBeenGiven) {
  constexpr int kMessages = 100'000;
  auto source = connect(), first = connect(), second = connect();
  int at_first = 0, at_second = 0, sent = 0, after = 0;
  bool over = false;
  const auto id = first->subscribe("work", [&](Message&) { over ? ++after : ++at_first; }, "group");
  second->subscribe("work", [&](Message&) { ++at_second; }, "group");
  ASSERT_TRUE(settle(*first));
  ASSERT_TRUE(settle(*second));
  const auto send = [&](int up_to) {
    for (; sent < up_to; ++sent) ASSERT_EQ(source->publish("work", bytes("x")), Errc::ok);
  };
  send(kMessages / 2);
  ASSERT_TRUE(until([&] { return at_first > 0; }));
  first->drain(id, [&] { over = true; });
  send(kMessages);
  ASSERT_TRUE(until([&] { return over && at_first + at_second == kMessages; })) << at_first << " + " << at_second;
  EXPECT_EQ(after, 0);
}

TEST_F(ConnectionTest, NobodyToAnswerIsSaid) {
  auto connection = connect();
  bool nobody = false;
  connection->subscribe("inbox",
                        [&](Message& message) { nobody = message.no_responders() && message.subject == "inbox"; });
  connection->publish("nobody.here", bytes("?"), "inbox");
  EXPECT_TRUE(until([&] { return nobody; }));
}

TEST_F(ConnectionTest, RequestsAreAnsweredOneAtATime) {
  auto client = connect(), server_side = connect();
  server_side->subscribe("echo", [&](Message& message) { server_side->publish(message.reply, message.data); });
  ASSERT_TRUE(settle(*server_side));
  int answers = 0;
  client->subscribe("answers", [&](Message& message) {
    EXPECT_EQ(text_of(message), std::to_string(answers));
    if (++answers < 500) client->publish("echo", bytes(std::to_string(answers)), "answers");
  });
  client->publish("echo", bytes("0"), "answers");
  EXPECT_TRUE(until([&] { return answers == 500; }));
}

TEST_F(ConnectionTest, DrainedComesOncePerBatch) {
  auto source = connect(), sink = connect();
  int messages = 0, batches = 0;
  bool since = false;
  sink->subscribe("many", [&](Message&) { ++messages, since = true; });
  ASSERT_TRUE(settle(*sink));
  sink->on_drained([&] {
    EXPECT_TRUE(since);
    since = false;
    ++batches;
  });
  for (int i = 0; i < 10'000; ++i) source->publish("many", bytes("x"));
  ASSERT_TRUE(until([&] { return messages == 10'000; }));
  EXPECT_LT(batches, 5000);
  EXPECT_FALSE(since);
}

TEST_F(ConnectionTest, HundredThousandMessagesAllArriveInOrder) {
  constexpr std::uint32_t kCount = 100'000;
  auto source = connect(), sink = connect();
  std::uint32_t next = 0;
  bool in_order = true;
  sink->subscribe("flood", [&](Message& message) {
    std::uint32_t number = 0;
    if (message.data.size() == 1024) std::memcpy(&number, message.data.data(), sizeof number);
    in_order &= message.data.size() == 1024 && number == next++;
  });
  ASSERT_TRUE(settle(*sink));
  std::vector<std::byte> body(1024);
  std::uint32_t sent = 0;
  ASSERT_TRUE(until(
      [&] {
        while (sent < kCount && source->buffered() < (1u << 20)) {
          std::memcpy(body.data(), &sent, sizeof sent);
          if (source->publish("flood", body) != Errc::ok) break;
          ++sent;
        }
        return next == kCount;
      },
      std::chrono::seconds(90)));
  EXPECT_TRUE(in_order);
  EXPECT_EQ(sink->counters().dropped, 0u);
  EXPECT_EQ(source->counters().reconnects, 0u);
}

TEST_F(ConnectionTest, SharedBytesOutliveTheMessage) {
  auto source = connect(), sink = connect();
  std::vector<wire::Buffer> kept;
  sink->subscribe("keep", [&](Message& message) {
    kept.push_back(message.share());
    kept.push_back(message.share());
    EXPECT_EQ(kept.back().data(), message.data.data());
  });
  ASSERT_TRUE(settle(*sink));
  source->publish("keep", bytes("first"));
  source->publish("keep", bytes("second"));
  ASSERT_TRUE(until([&] { return kept.size() == 4; }));
  sink.reset();
  EXPECT_EQ(kept[1].view(), "first");
  EXPECT_EQ(kept[2].view(), "second");
}

TEST_F(ConnectionTest, UnsubscribedHandlerIsNotCalledAgain) {
  auto source = connect(), sink = connect();
  int calls = 0, others = 0;
  SubscriptionId id{};
  id = sink->subscribe("once", [&](Message&) {
    ++calls;
    sink->unsubscribe(id);
    sink->subscribe("other", [&](Message&) { ++others; });
  });
  ASSERT_TRUE(settle(*sink));
  for (int i = 0; i < 100; ++i) source->publish("once", bytes("x"));
  ASSERT_TRUE(until([&] { return calls == 1; }));
  ASSERT_TRUE(settle(*sink));
  source->publish("once", bytes("x"));
  source->publish("other", bytes("x"));
  ASSERT_TRUE(until([&] { return others == 1; }));
  EXPECT_EQ(calls, 1);
}

TEST_F(ConnectionTest, FlushTellsWhenAllIsWritten) {
  auto source = connect(), sink = connect();
  int arrived = 0;
  sink->subscribe("big", [&](Message&) { ++arrived; });
  ASSERT_TRUE(settle(*sink));
  const std::vector<std::byte> body(1 << 20);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(source->publish("big", body), Errc::ok);
  EXPECT_GT(source->buffered(), std::size_t{1} << 20);
  std::optional<Errc> flushed, again;
  source->flush([&](Errc code) { flushed = code; });
  ASSERT_TRUE(until([&] { return flushed.has_value(); }));
  EXPECT_EQ(*flushed, Errc::ok);
  EXPECT_EQ(source->buffered(), 0u);
  source->flush([&](Errc code) { again = code; });
  EXPECT_TRUE(until([&] { return again == Errc::ok && arrived == 20; }));
}

TEST_F(ConnectionTest, WhatDoesNotFitIsRefusedAtOnce) {
  auto connection = connect();
  const std::vector<std::byte> body(connection->max_payload() + 1);
  EXPECT_EQ(connection->publish("x", body), Errc::too_large);
  EXPECT_EQ(connection->publish("x", std::span(body).first(connection->max_payload())), Errc::ok);
  EXPECT_EQ(connection->publish("", bytes("x")), Errc::invalid);
  EXPECT_EQ(connection->publish("a b", bytes("x")), Errc::invalid);
  EXPECT_EQ(connection->publish("a\r\nPUB b 0", bytes("x")), Errc::invalid);
  EXPECT_EQ(connection->publish("a", bytes("x"), "in box"), Errc::invalid);
  for (const char* subject : {"", ".", "a.", ".a", "a..b", "a b", "a*", ">.a", "a\n"}) {
    EXPECT_THROW(connection->subscribe(subject, [](Message&) {}), std::invalid_argument) << subject;
  }
}

TEST_F(ConnectionTest, BacklogIsBounded) {
  auto connection = connect();
  const std::vector<std::byte> body(1 << 20);
  Errc last = Errc::ok;
  for (std::size_t sent = 0; last == Errc::ok && sent <= kMaxBuffered; sent += body.size()) {
    last = connection->publish("full", body);
  }
  EXPECT_EQ(last, Errc::backlog);
  EXPECT_LE(connection->buffered(), kMaxBuffered);
  ASSERT_TRUE(until([&] { return connection->buffered() == 0; }, std::chrono::seconds(60)));
  EXPECT_EQ(connection->publish("full", body), Errc::ok);
}

TEST_F(ConnectionTest, DestroyedWithWorkPending) {
  auto source = connect();
  for (int round = 0; round < 20; ++round) {
    auto sink = connect();
    int arrived = 0;
    sink->subscribe("pending", [&](Message&) { ++arrived; });
    ASSERT_TRUE(settle(*sink));
    for (int i = 0; i < 200; ++i) source->publish("pending", bytes("x"));
    ASSERT_TRUE(until([&] { return arrived > 0; }));
    sink->publish("nobody", bytes("x"));
    sink->flush([](Errc) {});
    sink.reset();  // messages, a write and reads are pending
    io.restart();
    io.poll();
  }
}

TEST_F(ConnectionTest, FarewellIsWrittenBeforeTheEnd) {
  auto sink = connect();
  int farewells = 0;
  sink->subscribe("farewell", [&](Message&) { ++farewells; });
  ASSERT_TRUE(settle(*sink));
  auto leaving = connect();
  leaving->publish("farewell", bytes("bye"));
  leaving.reset();
  EXPECT_TRUE(until([&] { return farewells == 1; }));
}

TEST_F(ConnectionTest, ClosedIsForGood) {
  auto connection = connect();
  connection->close();
  EXPECT_EQ(connection->state(), State::closed);
  EXPECT_EQ(connection->publish("x", bytes("x")), Errc::closed);
  EXPECT_EQ(connection->buffered(), 0u);
  connection->close();
}

TEST_F(ConnectionTest, LoopOnAnotherThread) {
  auto connection = connect();
  auto other = connect();
  int arrived = 0;
  std::thread loop([&] {
    connection->subscribe("thread", [&](Message&) { ++arrived; });
    EXPECT_TRUE(settle(*connection));
    for (int i = 0; i < 100; ++i) other->publish("thread", bytes("x"));
    EXPECT_TRUE(until([&] { return arrived == 100; }));
    connection.reset();
    other.reset();
  });
  loop.join();
}

}  // namespace
}  // namespace covey::bus

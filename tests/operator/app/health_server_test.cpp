#include "operator/app/health_server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "tests/support/run_until.hpp"

namespace covey::operating {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

class HealthServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(server->listen("127.0.0.1", 0), "");
    server->start();
  }
  std::string ask(const std::string& request) {
    tcp::socket socket(io);
    socket.connect({asio::ip::address_v4::loopback(), server->port()});
    asio::write(socket, asio::buffer(request));
    std::string answer;
    bool done = false;
    asio::async_read(socket, asio::dynamic_buffer(answer), [&](const boost::system::error_code&, std::size_t) { done = true; });
    EXPECT_TRUE(support::run_until(io, [&] { return done; }));
    return answer;
  }
  asio::io_context io{1};
  std::shared_ptr<HealthServer> server = std::make_shared<HealthServer>(
      io.get_executor(), [](std::string_view path) { return path == "/livez" ? HealthPage{200, "ok\n"} : HealthPage{404, "none\n"}; });
};

TEST_F(HealthServerTest, APathIsAnsweredWithoutItsQuery) {
  const auto answer = ask("GET /livez?verbose HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nok\n")) << answer;
  EXPECT_TRUE(ask("GET /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 404 "));
}

TEST_F(HealthServerTest, OthersThanGetAreRefused) {
  EXPECT_TRUE(ask("DELETE /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 405 "));
}

TEST_F(HealthServerTest, AHeaderWithoutEndIsCutOff) {
  EXPECT_EQ(ask("GET /livez HTTP/1.1\r\nX: " + std::string(kMostHeaderBytes + 1, 'a')), "");
}

TEST_F(HealthServerTest, AWrongAddressIsNamed) {
  HealthServer other(io.get_executor(), [](std::string_view) { return HealthPage{}; });
  EXPECT_NE(other.listen("nowhere", 1).find("nowhere"), std::string::npos);
  EXPECT_NE(other.listen("127.0.0.1", server->port()).find("cannot listen"), std::string::npos);
}

}  // namespace
}  // namespace covey::operating

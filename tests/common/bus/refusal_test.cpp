// Servers that are not there or do not want us.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/common/bus/bus_fixture.hpp"

namespace covey::bus {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class RefusalTest : public BusTest {
 protected:
  boost::system::error_code refusal(const ConnectOptions& wanted) {
    auto connection = Connection::connect(io, wanted);
    return connection ? boost::system::error_code() : connection.error();
  }
  // What connecting says to a server that says `line` to whoever comes.
  boost::system::error_code refusal_by(const std::string& line) {
    asio::io_context other;
    tcp::acceptor acceptor(other, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    std::thread speaker([&] {
      tcp::socket socket(other);
      acceptor.accept(socket);
      asio::write(socket, asio::buffer(line));
      char byte = 0;
      boost::system::error_code end;
      socket.read_some(asio::buffer(&byte, 1), end);
    });
    ConnectOptions wanted;
    wanted.url = "nats://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
    wanted.connect_timeout = std::chrono::milliseconds(300);
    const auto error = refusal(wanted);
    speaker.join();
    return error;
  }
};

TEST_F(RefusalTest, NoServerAtAll) {
  ConnectOptions wanted;
  {
    tcp::acceptor free(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    wanted.url = "nats://127.0.0.1:" + std::to_string(free.local_endpoint().port());
  }
  EXPECT_EQ(refusal(wanted), make_error_code(Errc::refused));
  wanted.url = "";
  EXPECT_EQ(refusal(wanted), make_error_code(Errc::invalid));
}

TEST_F(RefusalTest, WhoIsPatientConnectsOnceTheServerComes) {
  start_server();
  auto wanted = options();
  server->kill();
  EXPECT_EQ(refusal(wanted), make_error_code(Errc::refused));
  wanted.patience = std::chrono::seconds(60);
  boost::system::error_code outcome = make_error_code(Errc::failed);
  std::thread patient([&] { outcome = refusal(wanted); });
  server->start();
  patient.join();
  EXPECT_EQ(outcome, boost::system::error_code());
}

TEST_F(RefusalTest, OldStrangeAndSilentServers) {
  EXPECT_EQ(refusal_by("INFO {\"version\":\"2.8.4\"}\r\n"), make_error_code(Errc::server_too_old));
  EXPECT_EQ(refusal_by("SSH-2.0-OpenSSH_9.2\r\n"), make_error_code(Errc::not_nats));
  EXPECT_EQ(refusal_by("INFO {\"version\":\"2.9.1\",\"tls_required\":true}\r\n"), make_error_code(Errc::tls_required));
  EXPECT_EQ(refusal_by(""), make_error_code(Errc::timeout));
}

TEST_F(RefusalTest, WrongPassword) {
  NatsServerOptions server_options;
  server_options.users = {{"alice", "right, {password}", {}, {}}};
  start_server(server_options);
  EXPECT_EQ(refusal(options("alice", "wrong")), make_error_code(Errc::unauthorized));
  EXPECT_EQ(refusal(options()), make_error_code(Errc::unauthorized));
  EXPECT_EQ(refusal(options("alice", "\",\"user\":\"root")), make_error_code(Errc::invalid)) << "nats.c does not quote";
  EXPECT_FALSE(refusal(options("alice", "right, {password}")));
}

TEST_F(RefusalTest, PermissionsHoldAndAreReported) {
  NatsServerOptions server_options;
  server_options.users = {{"sender", "s", {"open.>"}, {"settle.>"}},
                          {"reader", "r", {"settle.>"}, {"open.a", "settle.>"}}};
  start_server(server_options);
  auto sender = connect(options("sender", "s"));
  auto reader = connect(options("reader", "r"));
  std::vector<std::string> complaints;
  const auto note = [&](Errc code, std::string_view text) {
    EXPECT_EQ(code, Errc::not_permitted);
    complaints.emplace_back(text);
  };
  sender->on_error(note);
  reader->on_error(note);
  int open = 0, closed = 0;
  reader->subscribe("open.a", [&](Message&) { ++open; });
  reader->subscribe("closed.a", [&](Message&) { ++closed; });
  ASSERT_TRUE(settle(*reader));
  sender->publish("closed.a", bytes("x"));
  sender->publish("open.a", bytes("x"));
  ASSERT_TRUE(until([&] { return open == 1 && complaints.size() == 2; }));
  EXPECT_EQ(closed, 0);
  for (const auto& complaint : complaints) EXPECT_NE(complaint.find("closed.a"), std::string::npos) << complaint;
}

TEST_F(RefusalTest, PasswordChangedWhileAway) {
  NatsServerOptions server_options;
  server_options.users = {{"alice", "before", {}, {}}};
  start_server(server_options);
  auto connection = connect(options("alice", "before"));
  std::vector<Errc> complaints;
  connection->on_error([&](Errc code, std::string_view) { complaints.push_back(code); });
  server_options.port = server->port();
  server_options.users[0].password = "after";
  server.reset();
  start_server(server_options);
  ASSERT_TRUE(until([&] { return !complaints.empty(); }));
  EXPECT_EQ(complaints, std::vector<Errc>{Errc::unauthorized});
  EXPECT_EQ(connection->state(), State::disconnected);

  server_options.users[0].password = "before";
  server.reset();
  start_server(server_options);
  EXPECT_TRUE(until([&] { return connection->state() == State::connected; }));
}

TEST_F(RefusalTest, ConfigurationIsPrivate) {
  NatsServerOptions server_options;
  server_options.users = {{"alice", "secret", {}, {}}};
  start_server(server_options);
  const auto mode = std::filesystem::status(directory.path() / "nats" / "nats.conf").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(RefusalTest, TwoServersOnAPort) {
  NatsServerOptions server_options;
  server_options.port = start_server().port();
  server_options.folder = directory.path() / "second";
  try {
    NatsServer second(server_options);
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("port " + std::to_string(server_options.port)), std::string::npos);
  }
}

TEST_F(RefusalTest, ARestartWaitsForItsPort) {
  const auto port = start_server().port();
  server->kill();
  tcp::acceptor other(io, {asio::ip::address_v4::loopback(), port});
  std::jthread frees_it([&] {
    const auto taken = [&] {
      std::ifstream log(directory.path() / "nats" / "nats.log");
      return std::string(std::istreambuf_iterator<char>(log), {}).find("address already in use") != std::string::npos;
    };
    while (!taken()) std::this_thread::yield();
    other.close();
  });
  server->start();
  EXPECT_TRUE(server->running());
  EXPECT_EQ(server->port(), port);
}

}  // namespace
}  // namespace covey::bus

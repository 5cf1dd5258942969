// The same Connection under TLS, where nats.c runs on a thread of its own.
#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "common/bus/certificates.hpp"
#include "tests/common/bus/bus_fixture.hpp"
#include "tests/support/sockets.hpp"
#include "tests/support/trickle_proxy.hpp"

namespace covey::bus {
namespace {

class TlsTest : public BusTest {
 protected:
  TlsTest() : certificates(make_certificates(directory.path(), {"localhost"})) {
    NatsServerOptions server_options;
    server_options.tls = NatsServerTls{certificates.server_cert, certificates.server_key, {}};
    start_server(server_options);
  }
  ConnectOptions tls_options() const {
    auto made = options();
    made.url = "tls://localhost:" + std::to_string(server->port());
    made.tls.emplace().ca_file = certificates.authority;
    return made;
  }
  boost::system::error_code refusal(const ConnectOptions& wanted) {
    auto connection = Connection::connect(io, wanted);
    return connection ? boost::system::error_code() : connection.error();
  }
  Certificates certificates;
};

// Notes how long the loop has not turned.
class Ticker {
 public:
  explicit Ticker(boost::asio::io_context& io) : timer_(io) { tick(); }
  std::chrono::steady_clock::duration longest() const { return longest_; }
  int ticks() const { return ticks_; }

 private:
  void tick() {
    const auto begin = std::chrono::steady_clock::now();
    timer_.expires_after(std::chrono::milliseconds(5));
    timer_.async_wait([this, begin](const boost::system::error_code& error) {
      if (error) return;
      ++ticks_;
      longest_ = std::max(longest_, std::chrono::steady_clock::now() - begin);
      tick();
    });
  }
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::duration longest_{};
  int ticks_ = 0;
};

TEST_F(TlsTest, DeliversInOrderAndSharesBytes) {
  auto source = connect(tls_options()), sink = connect(tls_options());
  std::vector<wire::Buffer> kept;
  int drained = 0;
  sink->subscribe("secret.*", [&](Message& message) { kept.push_back(message.share()); });
  sink->on_drained([&] { ++drained; });
  ASSERT_TRUE(settle(*sink));
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(source->publish("secret.a", bytes(std::to_string(i))), Errc::ok);
  std::optional<Errc> flushed;
  source->flush([&](Errc code) { flushed = code; });
  ASSERT_TRUE(until([&] { return kept.size() == 5000 && flushed.has_value(); }));
  EXPECT_EQ(*flushed, Errc::ok);
  for (std::size_t i = 0; i < kept.size(); ++i) ASSERT_EQ(kept[i].view(), std::to_string(i));
  EXPECT_GT(drained, 0);
  EXPECT_TRUE(until([&] { return source->buffered() == 0; }));
}

TEST_F(TlsTest, WhoLeavesAQueueGroupGetsWhatItHadBeenGiven) {
  constexpr int kMessages = 20'000;
  auto source = connect(tls_options()), first = connect(tls_options()), second = connect(tls_options());
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

TEST_F(TlsTest, CertificatesAreChecked) {
  EXPECT_EQ(refusal(options()), make_error_code(Errc::tls_required));
  auto wanted = tls_options();
  wanted.tls->ca_file = certificates.server_key;
  EXPECT_EQ(refusal(wanted), make_error_code(Errc::tls)) << "not a certificate";
  wanted.tls->ca_file = "";
  EXPECT_EQ(refusal(wanted), make_error_code(Errc::tls)) << "the system does not know this authority";
  wanted = tls_options();
  wanted.tls->server_name = "elsewhere.example";
  EXPECT_EQ(refusal(wanted), make_error_code(Errc::tls)) << "another name";
  wanted = tls_options();
  wanted.url = "tls://127.0.0.1:" + std::to_string(server->port());
  EXPECT_EQ(refusal(wanted), make_error_code(Errc::tls)) << "the address is not in the certificate";
  wanted.tls->server_name = "localhost";
  EXPECT_FALSE(refusal(wanted)) << "the name that was asked for is";
  wanted.tls->ca_file = "";
  EXPECT_EQ(refusal(wanted), make_error_code(Errc::tls)) << "but not of any authority";
}

TEST_F(TlsTest, AnAddressInTheCertificateIsAccepted) {
  const auto both = make_certificates(directory.path() / "both", {"localhost", "127.0.0.1"});
  NatsServerOptions server_options;
  server_options.tls = NatsServerTls{both.server_cert, both.server_key, {}};
  start_server(server_options);
  auto wanted = options();
  wanted.tls.emplace().ca_file = both.authority;
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    wanted.url = std::string("tls://") + host + ":" + std::to_string(server->port());
    EXPECT_FALSE(refusal(wanted)) << host;
  }
}

TEST_F(TlsTest, KeysAreClosedToOthers) {
  EXPECT_EQ(std::filesystem::status(certificates.server_key).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(TlsTest, ServerKilledAndRestarted) {
  auto connection = connect(tls_options());
  std::vector<State> states;
  connection->on_state([&](State state) { states.push_back(state); });
  int arrived = 0;
  connection->subscribe("after", [&](Message&) { ++arrived; });
  ASSERT_TRUE(settle(*connection));
  server->kill();
  ASSERT_TRUE(until([&] { return states.size() == 1; }));
  EXPECT_EQ(connection->publish("x", bytes("x")), Errc::disconnected);
  server->start();
  ASSERT_TRUE(until([&] { return states.size() == 2; }));
  EXPECT_EQ(states, (std::vector<State>{State::disconnected, State::connected}));
  auto peer = connect(tls_options());
  ASSERT_TRUE(settle(*connection));
  peer->publish("after", bytes("x"));
  ASSERT_TRUE(until([&] { return arrived == 1; }));
  peer.reset();
  const auto before = support::cpu_time();
  support::run_for(io, std::chrono::seconds(2));
  EXPECT_LT(support::cpu_time() - before, std::chrono::milliseconds(40)) << "2 % of two seconds";
  EXPECT_EQ(support::tcp_sockets_to(server->port()), 1u);
}

TEST_F(TlsTest, TrickledRecordsDoNotHoldTheLoop) {
  support::TrickleProxy proxy(server->port());
  auto wanted = tls_options();
  wanted.url = "tls://localhost:" + std::to_string(proxy.port());
  auto slow = connect(wanted);
  auto source = connect(tls_options());
  int arrived = 0;
  slow->subscribe("slow", [&](Message&) { ++arrived; });
  ASSERT_TRUE(settle(*slow));
  proxy.trickle(std::chrono::milliseconds(1));
  const std::vector<std::byte> body(600);
  source->publish("slow", body);
  Ticker ticker(io);
  while (arrived == 0 && ticker.ticks() < 4000) {
    slow->publish("elsewhere", body);  // the other thread is inside a read: this only queues
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(arrived, 1);
  EXPECT_GT(ticker.ticks(), 40) << "the record took more than 600 ms to come";
  EXPECT_LT(ticker.longest(), std::chrono::milliseconds(150));
}

TEST_F(TlsTest, DestroyedInTheMiddleOfARecord) {
  support::TrickleProxy proxy(server->port());
  auto wanted = tls_options();
  wanted.url = "tls://localhost:" + std::to_string(proxy.port());
  auto slow = connect(wanted);
  auto source = connect(tls_options());
  slow->subscribe("slow", [](Message&) {});
  ASSERT_TRUE(settle(*slow));
  proxy.trickle(std::chrono::seconds(1));
  source->publish("slow", bytes("hardly ever arrives"));
  std::optional<Errc> written;
  source->flush([&](Errc code) { written = code; });
  ASSERT_TRUE(until([&] { return written.has_value(); }));
  support::run_for(io, std::chrono::milliseconds(300));
  const auto begin = std::chrono::steady_clock::now();
  slow.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
}

}  // namespace
}  // namespace covey::bus

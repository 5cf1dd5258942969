// nats-server goes and comes back.
#include <algorithm>
#include <vector>

#include "tests/common/bus/bus_fixture.hpp"
#include "tests/support/sockets.hpp"

namespace covey::bus {
namespace {

class ReconnectTest : public BusTest {
 protected:
  void watch(Connection& connection) {
    connection.on_state([this](State state) { states.push_back(state); });
  }
  std::vector<State> states;
};

TEST_F(ReconnectTest, ServerKilledAndRestarted) {
  start_server();
  auto connection = connect();
  auto peer = connect();
  watch(*connection);
  int arrived = 0;
  connection->subscribe("after", [&](Message&) { ++arrived; });
  ASSERT_TRUE(settle(*connection));
  ASSERT_EQ(support::tcp_sockets_to(server->port()), 2u);

  server->kill();
  ASSERT_TRUE(until([&] { return states.size() == 1 && peer->state() == State::disconnected; }));
  EXPECT_EQ(states.back(), State::disconnected);
  EXPECT_EQ(connection->publish("x", bytes("x")), Errc::disconnected);
  server->start();
  ASSERT_TRUE(until([&] { return states.size() == 2 && peer->state() == State::connected; }));
  EXPECT_EQ(states.back(), State::connected);
  EXPECT_EQ(connection->counters().reconnects, 1u);

  ASSERT_TRUE(settle(*connection));
  EXPECT_EQ(peer->publish("after", bytes("x")), Errc::ok);
  ASSERT_TRUE(until([&] { return arrived == 1; }));

  peer.reset();
  ASSERT_TRUE(until([&] { return support::tcp_sockets_to(server->port()) == 1; }));
  const auto before = support::cpu_time();
  support::run_for(io, std::chrono::seconds(2));
  const auto used = support::cpu_time() - before;
  EXPECT_LT(used, std::chrono::milliseconds(40)) << "2 % of two seconds";
  EXPECT_EQ(support::tcp_sockets_to(server->port()), 1u);
  EXPECT_EQ(states.size(), 2u);
}

TEST_F(ReconnectTest, AgainAndAgainWithTrafficInFlight) {
  start_server();
  auto connection = connect();
  auto peer = connect();
  watch(*connection);
  std::size_t arrived = 0;
  bool whole = true;  // a message that the loss cut in two must not come with other bytes at its end
  const std::vector<std::byte> body(100'000, std::byte{7});
  connection->subscribe("traffic", [&](Message& message) {
    ++arrived;
    whole &= std::equal(message.data.begin(), message.data.end(), body.begin(), body.end());
  });
  for (std::size_t round = 1; round <= 5; ++round) {
    ASSERT_TRUE(settle(*connection));
    const auto before = arrived;
    for (int i = 0; i < 50; ++i) {
      peer->publish("traffic", body);
      connection->publish("elsewhere", body);
    }
    ASSERT_TRUE(until([&] { return arrived > before; }));
    server->kill();
    server->start();
    ASSERT_TRUE(until([&] { return states.size() == 2 * round && peer->state() == State::connected; }));
  }
  EXPECT_TRUE(whole);
  for (std::size_t i = 0; i < states.size(); ++i) {
    EXPECT_EQ(states[i], i % 2 == 0 ? State::disconnected : State::connected);
  }
}

TEST_F(ReconnectTest, ALossEndsADrain) {
  start_server();
  auto connection = connect();
  watch(*connection);
  int over = 0, arrived = 0;
  const auto count = [&](Message&) { ++arrived; };
  const auto end = [&] { ++over; };
  const auto first = connection->subscribe("a", count, "group");
  const auto second = connection->subscribe("a", count, "group");
  ASSERT_TRUE(settle(*connection));
  server->kill();
  connection->drain(first, end);
  ASSERT_TRUE(until([&] { return states.size() == 1 && over == 1; }));
  connection->drain(second, end);
  ASSERT_TRUE(until([&] { return over == 2; }));
  server->start();
  ASSERT_TRUE(until([&] { return states.size() == 2; }));
  auto peer = connect();
  ASSERT_TRUE(settle(*connection));
  peer->publish("a", bytes("x"));
  ASSERT_TRUE(settle(*peer));
  ASSERT_TRUE(settle(*connection));
  EXPECT_EQ(arrived, 0);
}

TEST_F(ReconnectTest, SubscribedWhileDisconnected) {
  start_server();
  auto connection = connect();
  auto peer = connect();
  int old_calls = 0, new_calls = 0;
  const auto old_id = connection->subscribe("old", [&](Message&) { ++old_calls; });
  ASSERT_TRUE(settle(*connection));
  server->kill();
  ASSERT_TRUE(until([&] { return connection->state() == State::disconnected; }));
  connection->unsubscribe(old_id);
  connection->subscribe("new", [&](Message&) { ++new_calls; });
  std::optional<Errc> flushed;
  connection->flush([&](Errc code) { flushed = code; });
  ASSERT_TRUE(until([&] { return flushed == Errc::disconnected; }));
  server->start();
  ASSERT_TRUE(until([&] { return connection->state() == State::connected && peer->state() == State::connected; }));
  ASSERT_TRUE(settle(*connection));
  peer->publish("old", bytes("x"));
  peer->publish("new", bytes("x"));
  ASSERT_TRUE(until([&] { return new_calls == 1; }));
  EXPECT_EQ(old_calls, 0);
}

TEST_F(ReconnectTest, PublishingWhileDisconnectedNeitherBlocksNorKeeps) {
  start_server();
  auto connection = connect();
  server->kill();
  ASSERT_TRUE(until([&] { return connection->state() == State::disconnected; }));
  const std::vector<std::byte> body(1000);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(connection->publish("x", body), Errc::disconnected);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_EQ(connection->buffered(), 0u);
}

TEST_F(ReconnectTest, DestroyedWhileDisconnected) {
  start_server();
  auto connection = connect();
  server->kill();
  ASSERT_TRUE(until([&] { return connection->state() == State::disconnected; }));
  const auto begin = std::chrono::steady_clock::now();
  connection.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  io.restart();
  io.poll();
}

TEST_F(ReconnectTest, DestroyedBeforeTheLoopHeardOfTheLoss) {
  start_server();
  auto connection = connect();
  connection->publish("x", bytes("x"));
  server->kill();
  connection.reset();
  io.restart();
  io.poll();
}

}  // namespace
}  // namespace covey::bus

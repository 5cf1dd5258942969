// Who may speak with the broker, and whom it takes for dead.
#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using std::chrono::seconds;

struct PeersTest : BrokerFixture {};

TEST_F(PeersTest, AnEngineIsNotSilentWhileTheControllerIsDisconnected) {
  auto e = engine(1, 1);
  broker.on_disconnected();
  now += seconds(60);
  broker.on_connected(now);
  pass(seconds(4));
  EXPECT_EQ(broker.live_engines(), 1u);
  pass(seconds(3));
  EXPECT_EQ(broker.live_engines(), 0u);
}

TEST_F(PeersTest, TheWindowIsSharedBetweenClients) {
  auto a = client(2, 77);
  EXPECT_EQ(a.window, Config{}.max_tasks);
  auto b = client(3, 78);
  read(a);
  EXPECT_EQ(b.window, Config{}.max_tasks / 2);
  EXPECT_EQ(a.window, Config{}.max_tasks / 2);
}

TEST_F(PeersTest, AnotherProtocolVersionIsRefusedAndToldWhy) {
  FarEnd e(wire::Role::engine, 1, 1);
  std::vector<std::byte> hello(wire::kHeaderBytes);
  wire::write_header(hello.data(), {wire::FrameKind::hello, 1, e.id, wire::Incarnation::none, 0, 0});
  hello[2] = std::byte{99};
  deliver(e, hello);
  read(e);
  ASSERT_EQ(e.refusals.size(), 1u);
  EXPECT_EQ(e.refusals[0].reason, wire::RefuseReason::other_version);
  EXPECT_EQ(broker.counters().other_version_frames, 1u);
}

TEST_F(PeersTest, FramesOfAnUnknownLinkAreAnsweredWithAnInvitationToGreet) {
  FarEnd e(wire::Role::engine, 1, 1);
  e.link = std::make_unique<wire::Link>(e.id, kSelf, 1);
  e.link->heartbeat([&](wire::ByteSpan frame) { deliver(e, frame); });
  read(e);
  ASSERT_EQ(e.refusals.size(), 1u);
  EXPECT_EQ(e.refusals[0].reason, wire::RefuseReason::unknown_link);
}

// Found by seed 428 of the simulation: frames of the first link would be taken for those of the second.
TEST_F(PeersTest, ALinkThatHasEndedIsNotBegunAgainByALateHello) {
  auto e = engine(1, 4);
  pass(std::chrono::seconds(60));
  EXPECT_EQ(broker.live_engines(), 0u);
  wire::Hello hello;
  hello.role = wire::Role::engine;
  greet(e, hello);
  read(e);
  ASSERT_EQ(e.refusals.size(), 1u);
  EXPECT_EQ(e.refusals[0].reason, wire::RefuseReason::unknown_link);
  EXPECT_EQ(broker.live_engines(), 0u);
  e.link_id = 2;
  greet(e, hello);
  EXPECT_EQ(broker.live_engines(), 1u);
}

TEST_F(PeersTest, ForeignAndMalformedFramesAreCountedAndCostNothingElse) {
  auto e = engine(1, 4);
  auto c = client(2);
  broker.on_frame(wire::Role::client, wire::as_bytes("GET / HTTP/1.1"), now);
  EXPECT_EQ(broker.counters().foreign_frames, 1u);
  c.link->record().u8(255);
  turn(c);
  EXPECT_EQ(broker.counters().malformed_frames, 1u);
  submit(c, {}, 1);
  read(e);
  EXPECT_EQ(e.runs.size(), 1u);
}

TEST_F(PeersTest, AnEngineCannotSpeakAsAClient) {
  auto c = client(2);
  c.link->record();
  wire::encode(c.link->record(), wire::CancelRecord{{wire::SessionId{77}, 1}});
  c.link->flush([&](wire::ByteSpan frame) { broker.on_frame(wire::Role::engine, frame, now); });
  EXPECT_EQ(broker.counters().stale_frames, 1u);
}

}  // namespace
}  // namespace covey::controller

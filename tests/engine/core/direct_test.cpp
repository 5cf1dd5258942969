// The scheme direct, the engine's side: whose frames are accepted, who gets the results, and who is forgotten.
#include "tests/engine/core/engine_fixture.hpp"

namespace covey::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kLink = 900;

struct DirectTest : EngineFixture {
  DirectTest() : client(kClient, kSelf, kLink) { core.on_connected(now); }
  FarLink client;

  void turn_of(FarLink& far) { turn(far, wire::Role::client); }
  std::vector<wire::ResultRecord> results(const FarLink& far) { return far.said.of<wire::ResultRecord>(RecordType::result); }
  // The client is heard from all the while.
  void pass_with(FarLink& far, wire::Duration duration) {
    for (const wire::Time until = now + duration; now < until;) {
      pass(milliseconds(500));
      turn_of(far);
    }
  }
};

TEST_F(DirectTest, AFrameIsAcceptedAndItsResultsFollow) {
  submit_direct(kLink, 3, 11, 2);
  turn_of(client);
  const auto accepted = client.said.of<wire::AcceptedRecord>(RecordType::accepted);
  ASSERT_EQ(accepted.size(), 1u);
  EXPECT_EQ(accepted[0].frame, 3u);
  ASSERT_EQ(orders.size(), 2u);
  EXPECT_FALSE(orders[0].recallable);
  finish(begin());
  finish(begin());
  turn_of(client);
  ASSERT_EQ(results(client).size(), 2u);
  EXPECT_EQ(results(client)[0].sequence, 11u);
  EXPECT_EQ(results(client)[0].engine, kSelf);
  EXPECT_EQ(core.held(), 0u);
}

TEST_F(DirectTest, TasksWithoutAValidSpecificationEndAsBadArguments) {
  submit_direct(kLink, 3, 11, 2, "");
  turn_of(client);
  const auto ended = results(client);
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[1].sequence, 12u);
  EXPECT_EQ(wire::report_status(ended[1].report), TaskStatus::bad_arguments);
  EXPECT_TRUE(orders.empty());
}

TEST_F(DirectTest, TheAcceptanceOfALoneBriefTaskTravelsWithItsResult) {
  sent.clear();
  submit_direct(kLink, 3, 11, 1);
  core.end_turn(now);
  EXPECT_TRUE(sent.empty());
  finish(begin());
  turn_of(client);
  EXPECT_EQ(sent.size(), 1u);
  EXPECT_EQ(client.said.of<wire::AcceptedRecord>(RecordType::accepted).size(), 1u);
  EXPECT_EQ(results(client).size(), 1u);
}

TEST_F(DirectTest, TheAcceptanceOfATaskThatTakesLongerIsSaidBeforeIt) {
  submit_direct(kLink, 3, 11, 1);
  core.end_turn(now);
  pass(milliseconds(1));
  turn_of(client);
  EXPECT_EQ(client.said.of<wire::AcceptedRecord>(RecordType::accepted).size(), 1u);
  EXPECT_TRUE(results(client).empty());
}

TEST_F(DirectTest, TheControllerCannotRecallItAndANewLinkDoesNotAdoptIt) {
  const auto far = welcome();
  submit_direct(kLink, 1, 1, 1);
  say(*far, wire::RecallRecord{5});
  turn(*far);
  EXPECT_TRUE(far->said.of<wire::ReturnedRecord>(RecordType::returned).empty());
  lose();
  EXPECT_TRUE(welcome(kOther)->said.of<wire::AdoptRecord>(RecordType::adopt).empty());
  finish(begin());
  turn_of(client);
  EXPECT_EQ(results(client).size(), 1u);
}

TEST_F(DirectTest, WhatHasNotBegunIsCancelledAtOnceAndWhatRunsByItsExecutor) {
  submit_direct(kLink, 1, 1, 2);
  const auto running = begin();
  for (const std::uint64_t sequence : {1, 2}) say(client, wire::CancelRecord{task(sequence)});
  turn_of(client);
  ASSERT_EQ(results(client).size(), 1u);
  EXPECT_EQ(results(client)[0].sequence, 2u);
  EXPECT_EQ(wire::report_status(results(client)[0].report), TaskStatus::cancelled);
  core.on_finished(running, wire::as_bytes(test::report_of(TaskStatus::cancelled)), {});
  turn_of(client);
  EXPECT_EQ(results(client).size(), 2u);
}

TEST_F(DirectTest, AValueStaysUntilItsClientHasReadIt) {
  submit_direct(kLink, 1, 1, 1);
  const auto value = finish_with_value(begin(), 40'000);
  turn_of(client);
  EXPECT_EQ(core.held_values(), 1u);
  say(client, wire::TakenRecord{1, wire::TakenOutcome::read, value});
  turn_of(client);
  EXPECT_EQ(core.held_values(), 0u);
}

TEST_F(DirectTest, ASilentClientIsForgottenWithItsValues) {
  submit_direct(kLink, 1, 1, 2);
  finish_with_value(begin(), 40'000);
  const auto running = begin();
  pass(seconds(14));
  EXPECT_EQ(core.held_values(), 0u);
  finish_with_value(running, 40'000);  // nobody wants it any more
  EXPECT_EQ(core.held_values(), 0u);
  EXPECT_EQ(core.held(), 0u);
}

TEST_F(DirectTest, AClientThatIsHeardFromIsKept) {
  submit_direct(kLink, 1, 1, 1);
  pass_with(client, seconds(30));
  finish(begin());
  turn_of(client);
  EXPECT_EQ(results(client).size(), 1u);
}

TEST_F(DirectTest, AClientIsNotSilentWhileTheEngineIsDisconnectedOrStopped) {
  submit_direct(kLink, 1, 1, 1);
  turn_of(client);
  core.on_disconnected();
  now += seconds(60);
  core.on_timer(now);
  core.on_connected(now);
  pass_with(client, seconds(2));
  now += seconds(60);  // stopped
  core.on_timer(now);
  turn_of(client);
  finish(begin());
  turn_of(client);
  EXPECT_EQ(results(client).size(), 1u);
}

TEST_F(DirectTest, AClientThatSaysGoodbyeIsForgottenAtOnce) {
  submit_direct(kLink, 1, 1, 1);
  finish_with_value(begin(), 40'000);
  turn_of(client);
  core.on_frame(wire::Role::client, test::message({wire::FrameKind::goodbye, kLink, kClient, kSelf, 0, 0}), now);
  EXPECT_EQ(core.held_values(), 0u);
}

TEST_F(DirectTest, AClientsNextLinkBeginsAnewAndTheOldOneGoesOn) {
  submit_direct(kLink, 1, 1, 1);
  turn_of(client);
  FarLink next(kClient, kSelf, kLink + 1);
  submit_direct(kLink + 1, 2, 2, 1);
  turn_of(next);
  EXPECT_EQ(next.said.of<wire::AcceptedRecord>(RecordType::accepted).size(), 1u);
  finish(begin());
  finish(begin());
  turn_of(next);
  turn_of(client);
  ASSERT_EQ(results(client).size(), 1u);
  EXPECT_EQ(results(client)[0].sequence, 1u);
  ASSERT_EQ(results(next).size(), 1u);
  EXPECT_EQ(results(next)[0].sequence, 2u);
}

TEST_F(DirectTest, AMalformedFrameIsCountedAndWhatCameBeforeItIsRun) {
  submit_direct(kLink, 1, 1, 1);
  core.on_frame(wire::Role::client, test::message({wire::FrameKind::direct, kLink, kClient, wire::Incarnation::none, 2, 0}, wire::as_bytes("garbage")), now);
  EXPECT_EQ(core.malformed_frames(), 1u);
  EXPECT_EQ(orders.size(), 1u);
}

}  // namespace
}  // namespace covey::engine

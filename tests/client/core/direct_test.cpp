// The scheme direct, the client's side: frames that nobody accepts, engines that fall silent, links that are begun anew.
#include "tests/client/core/client_fixture.hpp"

namespace covey::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct DirectTest : ClientFixture {
  DirectTest() { core.on_connected(now); }
  std::uint64_t submit_direct() { return submit(Scheme::direct); }
  std::vector<std::uint64_t> cancelled(const FarLink& far) {
    std::vector<std::uint64_t> sequences;
    for (const auto& record : far.said.of<wire::CancelRecord>(RecordType::cancel)) sequences.push_back(record.task.sequence);
    return sequences;
  }
  void pass_with(FarLink& far, wire::Duration duration) {
    for (const wire::Time until = now + duration; now < until;) {
      pass(milliseconds(500));
      turn(far, wire::Role::engine);
    }
  }
};

TEST_F(DirectTest, TasksOfATurnTravelInOneFrameAndTheirResultsAreGivenOutOnce) {
  submit_direct();
  submit_direct();
  const auto far = engine();
  EXPECT_EQ(last_direct().sequence, 1u);
  accept(*far);
  result(*far, 1);
  result(*far, 1);
  result(*far, 2, TaskStatus::failed);
  turn(*far, wire::Role::engine);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].status, TaskStatus::failed);
  EXPECT_EQ(core.unfinished(), 0u);
}

TEST_F(DirectTest, ManyTasksMakeManyFrames) {
  for (int i = 0; i < 2'000; ++i) submit_direct();
  core.end_turn(now);
  EXPECT_GT(last_direct().sequence, 2u);
}

TEST_F(DirectTest, NothingIsPublishedWhileDisconnected) {
  core.on_disconnected();
  submit_direct();
  core.end_turn(now);
  EXPECT_EQ(last_direct().sequence, 0u);
  core.on_connected(now);
  core.end_turn(now);
  EXPECT_EQ(last_direct().sequence, 1u);
}

TEST_F(DirectTest, TasksThatNobodyAcceptsAreLost) {
  pass(seconds(10));
  submit_direct();
  core.end_turn(now);
  pass(milliseconds(5'000));
  EXPECT_TRUE(results.empty());
  pass(milliseconds(1'000));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status, TaskStatus::engine_lost);
  EXPECT_NE(results[0].error.find("no engine accepted"), std::string::npos);
}

TEST_F(DirectTest, TasksOfAnEngineThatFallsSilentAreLostAndOthersAreNot) {
  submit_direct();
  const auto silent = engine();
  accept(*silent);
  submit_direct();
  const auto lively = engine(kOther);
  accept(*lively);
  pass_with(*lively, seconds(10));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].sequence, 1u);
  EXPECT_EQ(results[0].status, TaskStatus::engine_lost);
  result(*lively, 2);
  turn(*lively, wire::Role::engine);
  EXPECT_EQ(results.size(), 2u);
}

TEST_F(DirectTest, ALateResultOfALostTaskIsNotGivenOut) {
  submit_direct();
  const auto far = engine();
  accept(*far);
  pass(seconds(10));
  result(*far, 1);
  turn(*far, wire::Role::engine);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status, TaskStatus::engine_lost);
}

TEST_F(DirectTest, AnEngineIsNotSilentWhileTheClientIsDisconnectedOrStopped) {
  submit_direct();
  const auto far = engine();
  accept(*far);
  core.on_disconnected();
  now += seconds(60);
  core.on_timer(now);
  core.on_connected(now);
  pass_with(*far, seconds(3));
  now += seconds(60);  // stopped
  core.on_timer(now);
  turn(*far, wire::Role::engine);
  EXPECT_TRUE(results.empty());
  result(*far, 1);
  turn(*far, wire::Role::engine);
  EXPECT_EQ(results.size(), 1u);
}

TEST_F(DirectTest, AfterAReconnectAnotherLinkIsBegunAndTheOldOneGoesOn) {
  submit_direct();
  const auto far = engine();
  accept(*far);
  core.on_disconnected();
  core.on_connected(now);
  submit_direct();
  core.end_turn(now);
  EXPECT_NE(last_direct().link, far->link.id());
  const auto next = engine();  // the same engine, which may have forgotten us
  accept(*next);
  result(*next, 2);
  turn(*next, wire::Role::engine);
  result(*far, 1);
  turn(*far, wire::Role::engine);
  EXPECT_EQ(results.size(), 2u);
}

TEST_F(DirectTest, AnotherLinkIsBegunWhenAnEngineFallsSilent) {
  submit_direct();
  const auto far = engine();
  accept(*far);
  result(*far, 1);
  turn(*far, wire::Role::engine);
  pass(seconds(10));  // it owes nothing, but may have forgotten us
  submit_direct();
  core.end_turn(now);
  EXPECT_NE(last_direct().link, far->link.id());
}

TEST_F(DirectTest, ACancelGoesToTheEngineOnceItHasAccepted) {
  submit_direct();
  submit_direct();
  core.cancel(core.id_of(1));
  const auto far = engine();
  accept(*far);
  turn(*far, wire::Role::engine);
  EXPECT_EQ(cancelled(*far), std::vector<std::uint64_t>{1});
  core.cancel(core.id_of(2));
  turn(*far, wire::Role::engine);
  EXPECT_EQ(cancelled(*far), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(DirectTest, AnAcceptanceOfAnUnknownFrameChangesNothing) {
  submit_direct();
  const auto far = engine();
  say(*far, wire::AcceptedRecord{99});
  turn(*far, wire::Role::engine);
  pass(seconds(10));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status, TaskStatus::engine_lost);
}

TEST_F(DirectTest, AValueIsFetchedFromTheEngineAndItIsTold) {
  const wire::Buffer bytes(std::string(60'000, 'v'));
  submit_direct();
  const auto far = engine();
  accept(*far);
  result(*far, 1, value(4, bytes.size()));
  turn(*far, wire::Role::engine);
  answer_wants(&bytes);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].value, bytes.view());
  turn(*far, wire::Role::engine);
  EXPECT_EQ(far->said.of<wire::TakenRecord>(RecordType::taken).size(), 1u);
}

// Found by seed 801032 of the simulation: on an older link, which one of the two may have forgotten, the word was lost, and the engine
// held the value for as long as the client lived.
TEST_F(DirectTest, AnEngineIsToldOfAReadValueOnTheLinkThatItCameOn) {
  const wire::Buffer bytes(std::string(60'000, 'v'));
  submit_direct();
  const auto old = engine();
  accept(*old);
  core.on_disconnected();
  core.on_connected(now);
  submit_direct();
  const auto present = engine();
  accept(*present);
  result(*present, 2, value(4, bytes.size()));
  turn(*present, wire::Role::engine);
  answer_wants(&bytes);
  ASSERT_EQ(results.size(), 1u);
  turn(*old, wire::Role::engine);
  turn(*present, wire::Role::engine);
  EXPECT_TRUE(old->said.of<wire::TakenRecord>(RecordType::taken).empty());
  EXPECT_EQ(present->said.of<wire::TakenRecord>(RecordType::taken).size(), 1u);
}

TEST_F(DirectTest, AnEngineIsToldThatNobodyWantsTheValueOfALostTask) {
  submit_direct();
  const auto far = engine();
  accept(*far);
  pass(seconds(10));
  ASSERT_EQ(results.size(), 1u);
  submit_direct();  // the link goes on for it
  const auto present = engine();
  accept(*present);
  result(*present, 1, value(4, 60'000));
  turn(*present, wire::Role::engine);
  turn(*present, wire::Role::engine);
  EXPECT_EQ(present->said.of<wire::TakenRecord>(RecordType::taken).size(), 1u);
}

TEST_F(DirectTest, AValueThatIsGoneIsLostForTheSchemeKnowsNoReruns) {
  submit_direct();
  const auto far = engine();
  accept(*far);
  result(*far, 1, value(4, 60'000));
  turn(*far, wire::Role::engine);
  answer_wants(nullptr);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status, TaskStatus::payload_lost);
}

TEST_F(DirectTest, AGoodbyeIsSaidToEveryEngine) {
  submit_direct();
  const auto far = engine();
  accept(*far);
  sent.clear();
  core.say_goodbye();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].subject, subjects.to_engine(kEngine, wire::Role::client));
  EXPECT_EQ(test::frame_of(sent[0].message).header.kind, wire::FrameKind::goodbye);
}

}  // namespace
}  // namespace covey::client

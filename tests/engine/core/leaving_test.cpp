// Draining, resuming, leaving: an engine goes once nobody needs anything of it.
#include "tests/engine/core/engine_fixture.hpp"

namespace covey::engine {
namespace {

using wire::DrainMode;

struct LeavingTest : EngineFixture {
  // What it said of itself, first on its new link and then whenever it was asked or changed.
  std::vector<DrainMode> told(const FarLink& far) {
    std::vector<DrainMode> modes;
    for (const auto& record : far.said.of<wire::DrainRecord>(RecordType::drain)) modes.push_back(record.mode);
    return modes;
  }
};

TEST_F(LeavingTest, DrainingGivesBackWhatHasNotBegunAndWaitsForWhatRuns) {
  const auto far = connect();
  run(*far, 1);
  run(*far, 2);
  turn(*far);
  const auto running = begin();
  core.drain(DrainMode::drain);
  turn(*far);
  EXPECT_EQ(told(*far), (std::vector{DrainMode::resume, DrainMode::drain}));
  EXPECT_EQ(far->said.of<wire::ReturnedRecord>(RecordType::returned).size(), 1u);
  EXPECT_EQ(listens, std::vector{false});
  EXPECT_FALSE(core.drained());
  finish(running);
  EXPECT_FALSE(core.drained());  // the result has not been acknowledged
  turn(*far);
  EXPECT_TRUE(core.drained());
}

TEST_F(LeavingTest, ResumingTakesTasksAgain) {
  const auto far = connect();
  say(*far, wire::DrainRecord{DrainMode::drain});
  turn(*far);
  EXPECT_TRUE(core.draining());
  say(*far, wire::DrainRecord{DrainMode::resume});
  turn(*far);
  turn(*far);
  EXPECT_FALSE(core.draining());
  EXPECT_EQ(told(*far), (std::vector{DrainMode::resume, DrainMode::drain, DrainMode::resume}));
  EXPECT_EQ(far->said.types().back(), RecordType::credit);
  EXPECT_EQ(listens, (std::vector{false, true}));
}

TEST_F(LeavingTest, ThereIsNoWayBackFromLeavingAndWhoeverAsksForItIsToldSo) {
  const auto far = connect();
  say(*far, wire::DrainRecord{DrainMode::leave});
  turn(*far);
  say(*far, wire::DrainRecord{DrainMode::resume});
  turn(*far);
  turn(*far);
  EXPECT_TRUE(core.leaving());
  EXPECT_EQ(told(*far), (std::vector{DrainMode::resume, DrainMode::leave, DrainMode::leave}));
}

TEST_F(LeavingTest, ValuesAreSpilledAndTheEngineGoesOnceTheyAreReleased) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  const auto value = finish_with_value(begin(), 40'000);
  turn(*far);
  core.drain(DrainMode::leave);
  turn(*far);
  const auto spilled = far->said.of<wire::SpillRecord>(RecordType::spill);
  ASSERT_EQ(spilled.size(), 1u);
  EXPECT_EQ(spilled[0].blob, value.blob);
  EXPECT_EQ(spilled[0].size, 40'000u);
  EXPECT_FALSE(core.drained());
  say(*far, wire::ReleaseRecord{value.blob});
  turn(*far);
  EXPECT_TRUE(core.drained());
}

TEST_F(LeavingTest, AValueOfARunThatEndsWhileLeavingIsSpilledAfterItsReport) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  const auto running = begin();
  core.drain(DrainMode::leave);
  turn(*far);
  finish_with_value(running, 40'000);
  turn(*far);
  EXPECT_EQ(far->said.of<wire::SpillRecord>(RecordType::spill).size(), 1u);
  auto types = far->said.types();
  EXPECT_LT(std::find(types.begin(), types.end(), RecordType::finished), std::find(types.begin(), types.end(), RecordType::spill));
}

TEST_F(LeavingTest, AnotherControllerIsAskedToTakeTheValuesOver) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  finish_with_value(begin(), 40'000);
  turn(*far);
  core.drain(DrainMode::leave);
  turn(*far);
  lose();
  EXPECT_EQ(welcome(kOther)->said.types(),
            (std::vector{RecordType::finished, RecordType::adopted_all, RecordType::drain, RecordType::spill}));
}

TEST_F(LeavingTest, WhatTheQueueGroupHadGivenItIsWaitedForAndRun) {
  direct_comes_late = true;
  core.drain(DrainMode::leave);
  EXPECT_FALSE(core.drained());
  submit_direct(900, 1, 1, 1);
  core.on_direct_over();
  EXPECT_FALSE(core.drained());
  finish(begin());
  core.end_turn(now);
  FarLink client(kClient, kSelf, 900);
  turn(client, wire::Role::client);
  EXPECT_TRUE(core.drained());
}

TEST_F(LeavingTest, ResultsOfTheSchemeDirectAreWaitedForToo) {
  const auto far = connect();
  submit_direct(900, 1, 1, 1);
  const auto running = begin();
  core.drain(DrainMode::leave);
  finish(running);
  turn(*far);
  EXPECT_FALSE(core.drained());
  FarLink client(kClient, kSelf, 900);
  turn(client, wire::Role::client);
  EXPECT_TRUE(core.drained());
}

}  // namespace
}  // namespace covey::engine

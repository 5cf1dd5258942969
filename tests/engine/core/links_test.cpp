// What an engine says on a new link: what it still has, and what the old link may not have delivered.
#include "tests/engine/core/engine_fixture.hpp"

namespace covey::engine {
namespace {

struct LinksTest : EngineFixture {};

TEST_F(LinksTest, WhatRunsIsAdoptedAndWhatHasNotBegunIsDropped) {
  const auto far = connect();
  run(*far, 1);
  run(*far, 2);
  turn(*far);
  const auto running = begin();
  lose();
  const auto next = welcome(kOther);
  const auto adopted = next->said.of<wire::AdoptRecord>(RecordType::adopt);
  ASSERT_EQ(adopted.size(), 1u);
  EXPECT_EQ(adopted[0].task, task(1));
  EXPECT_NE(adopted[0].handle & wire::kAdoptedBit, 0u);
  finish(running);
  turn(*next);
  const auto finished = next->said.of<wire::FinishedRecord>(RecordType::finished);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].handle, adopted[0].handle);
  EXPECT_EQ(core.held(), 0u);
}

TEST_F(LinksTest, ResultsThatWereNotAcknowledgedAreReportedByTheirTask) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  finish(begin());  // in an open frame
  lose();
  run(*far, 2);     // nobody listens any more
  const auto next = welcome(kOther);
  const auto finished = next->said.of<wire::FinishedRecord>(RecordType::finished);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].handle, wire::kAdoptedBit);
  EXPECT_EQ(finished[0].task, task(1));
}

TEST_F(LinksTest, ResultsThatWereAcknowledgedAreNotReportedAgain) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  finish(begin());
  turn(*far);
  lose();
  EXPECT_TRUE(welcome(kOther)->said.of<wire::FinishedRecord>(RecordType::finished).empty());
}

TEST_F(LinksTest, WhatEndsWithoutALinkIsReportedOnTheNext) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  const auto running = begin();
  lose();
  finish(running);
  const auto next = welcome(kOther);
  const auto finished = next->said.of<wire::FinishedRecord>(RecordType::finished);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].task, task(1));
  EXPECT_TRUE(next->said.of<wire::AdoptRecord>(RecordType::adopt).empty());
}

TEST_F(LinksTest, AllIsSaidBeforeAdoptedAllAndTheCreditComesAfterIt) {
  const auto far = connect();
  run(*far, 1);
  run(*far, 2);
  turn(*far);
  begin();
  finish(begin());
  lose();
  EXPECT_EQ(welcome(kOther)->said.types(),
            (std::vector{RecordType::adopt, RecordType::finished, RecordType::adopted_all, RecordType::drain, RecordType::credit}));
}

TEST_F(LinksTest, TheSameControllerIsToldTheSameOnANewLink) {
  const auto far = connect();
  run(*far, 1);
  run(*far, 2);
  turn(*far);
  begin();
  finish(begin());
  lose_by_refusal(*far);
  EXPECT_EQ(welcome(kController)->said.types(),
            (std::vector{RecordType::adopt, RecordType::finished, RecordType::adopted_all, RecordType::drain, RecordType::credit}));
}

TEST_F(LinksTest, AnEngineThatDrainsSaysSoInsteadOfGivingCredit) {
  connect();
  core.drain(wire::DrainMode::drain);
  lose();
  EXPECT_EQ(welcome(kOther)->said.types(), (std::vector{RecordType::adopted_all, RecordType::drain}));
}

TEST_F(LinksTest, SpecsOfAnOldLinkMeanNothingOnTheNext) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  lose();
  const auto next = welcome(kOther);
  say(*next, wire::RunRecord{1, handle(2), task(2), {}});
  turn(*next);
  EXPECT_EQ(orders.size(), 1u);
}

}  // namespace
}  // namespace covey::engine

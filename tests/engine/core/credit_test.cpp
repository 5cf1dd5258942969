// How many tasks an engine asks for, and which it gives back.
#include "tests/engine/core/engine_fixture.hpp"

namespace covey::engine {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct CreditTest : EngineFixture {
  std::uint64_t told(const FarLink& far) {
    const auto credits = far.said.of<wire::CreditRecord>(RecordType::credit);
    return credits.empty() ? 0 : credits.back().tasks;
  }
  // The tasks that ran took so long in the mean.
  std::uint64_t told_after(FarLink& far, wire::Duration mean) {
    run(far, ++last);
    turn(far);
    finish(begin(), mean);
    turn(far);
    return told(far);
  }
  std::uint64_t last = 0;
};

TEST_F(CreditTest, ANewLinkIsToldTheFirstCreditOfAllSlots) {
  const auto far = connect();
  EXPECT_EQ(told(*far), 20u);
  EXPECT_EQ(core.credit(), 20u);
}

TEST_F(CreditTest, ShortTasksAreAskedForInNumbersAndLongOnesOneByOne) {
  const auto far = connect();
  EXPECT_EQ(told_after(*far, milliseconds(1)), 2 * (20u + 2u));
  EXPECT_EQ(told_after(*far, milliseconds(500)), 2u);
  EXPECT_EQ(told_after(*far, std::chrono::nanoseconds(100)), 2 * config.max_credit);
}

TEST_F(CreditTest, MemoryIsToldOnceKnownAndWhereItChanges) {
  const auto told = [](const FarLink& far) {
    std::vector<std::uint64_t> bytes;
    for (const auto& record : far.said.of<wire::UsageRecord>(RecordType::usage)) bytes.push_back(record.memory_bytes);
    return bytes;
  };
  const auto far = connect();
  EXPECT_TRUE(told(*far).empty());
  for (const std::uint64_t bytes : {1600u, 1600u, 1700u, 1500u, 1701u, 800u}) {
    core.on_memory(bytes);
    turn(*far);
  }
  EXPECT_EQ(told(*far), (std::vector<std::uint64_t>{1600, 1701, 800}));
}

TEST_F(CreditTest, SmallChangesAreNotTold) {
  const auto far = connect();
  told_after(*far, milliseconds(1));
  const auto before = far->said.of<wire::CreditRecord>(RecordType::credit).size();
  told_after(*far, microseconds(1'100));
  EXPECT_EQ(far->said.of<wire::CreditRecord>(RecordType::credit).size(), before);
}

TEST_F(CreditTest, WhatItCountsAsItsCreditIsWhatItTold) {
  const auto far = connect();
  for (const auto mean : {microseconds(900), microseconds(1'000), microseconds(5'000), microseconds(4'600), microseconds(900'000)}) {
    told_after(*far, mean);
    EXPECT_EQ(core.credit(), told(*far));
  }
}

TEST_F(CreditTest, AnotherLinkIsToldTheCreditAgain) {
  connect();
  lose();
  EXPECT_EQ(told(*welcome(kOther)), 20u);
}

TEST_F(CreditTest, TheShortestTasksAreNotCalledUnknown) {
  const auto far = connect();
  told_after(*far, std::chrono::nanoseconds(10));
  EXPECT_EQ(far->said.of<wire::CreditRecord>(RecordType::credit).back().mean_run_us, 1u);
}

struct FullOfValuesTest : CreditTest {
  FullOfValuesTest() { core.~EngineCore(), new (&core) EngineCore(kSelf, subjects, limited(), *this); }
  static Config limited() {
    Config config = small();
    config.max_value_bytes = 50'000;
    return config;
  }
};

TEST_F(FullOfValuesTest, ValuesThatNobodyReadsStopTheCreditUntilTheyAreReleased) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  const auto value = finish_with_value(begin(), 60'000);
  turn(*far);
  EXPECT_EQ(told(*far), 0u);
  say(*far, wire::ReleaseRecord{value.blob});
  turn(*far);
  EXPECT_EQ(told(*far), 20u);
  EXPECT_EQ(core.held_value_bytes(), 0u);
}

// ---- giving back ----

TEST_F(CreditTest, ARecallTakesTheNewestThatHaveNotBegunAndEndsWithAnAnswer) {
  const auto far = connect();
  for (std::uint64_t i = 1; i <= 4; ++i) run(*far, i);
  turn(*far);
  begin();
  say(*far, wire::RecallRecord{2});
  turn(*far);
  const auto returned = far->said.of<wire::ReturnedRecord>(RecordType::returned);
  ASSERT_EQ(returned.size(), 2u);
  EXPECT_EQ(returned[0].handle, handle(4));
  EXPECT_EQ(returned[1].handle, handle(3));
  EXPECT_EQ(far->said.types().back(), RecordType::recall);
  EXPECT_EQ(core.held(), 2u);
}

TEST_F(CreditTest, ARecallOfMoreThanThereIsReturnsNothingThatRuns) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  const auto running = begin();
  say(*far, wire::RecallRecord{9});
  turn(*far);
  EXPECT_TRUE(far->said.of<wire::ReturnedRecord>(RecordType::returned).empty());
  EXPECT_EQ(far->said.of<wire::RecallRecord>(RecordType::recall).size(), 1u);
  finish(running);
  turn(*far);
  EXPECT_EQ(far->said.of<wire::FinishedRecord>(RecordType::finished).size(), 1u);
}

TEST_F(CreditTest, ATaskIsStoppedByReturningItOrElseByItsExecutor) {
  const auto far = connect();
  run(*far, 1);
  run(*far, 2);
  turn(*far);
  const auto running = begin();
  for (const std::uint64_t sequence : {1, 2}) say(*far, wire::StopRunRecord{handle(sequence)});
  turn(*far);
  const auto returned = far->said.of<wire::ReturnedRecord>(RecordType::returned);
  ASSERT_EQ(returned.size(), 1u);
  EXPECT_EQ(returned[0].handle, handle(2));
  core.on_finished(running, wire::as_bytes(test::report_of(TaskStatus::cancelled)), {});
  turn(*far);
  const auto finished = far->said.of<wire::FinishedRecord>(RecordType::finished);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].handle, handle(1));
  EXPECT_EQ(core.held(), 0u);
}

TEST_F(CreditTest, ATaskThatEndsWhileItIsStartedIsReportedOnce) {
  at_once = true;
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  const auto finished = far->said.of<wire::FinishedRecord>(RecordType::finished);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].handle, handle(1));
  EXPECT_EQ(finished[0].task, task(1));
  EXPECT_EQ(core.held(), 0u);
}

}  // namespace
}  // namespace covey::engine

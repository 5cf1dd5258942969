// Arguments by reference: a run begins when they are here, and ends without beginning when they cannot be had.
#include "tests/engine/core/engine_fixture.hpp"

namespace covey::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ArgsTest : EngineFixture {
  explicit ArgsTest(Config with = small()) : EngineFixture(with), far(connect()) {}
  std::unique_ptr<FarLink> far;
  wire::Buffer bytes{std::string(100'000, 'a')};

  // A task whose arguments the client holds.
  void run_with_args(std::uint64_t sequence) {
    run(*far, sequence, by_reference(blob(bytes.size())));
    turn(*far);
  }
  TaskStatus status_of_the_only_report() {
    turn(*far);
    const auto finished = far->said.of<wire::FinishedRecord>(RecordType::finished);
    EXPECT_EQ(finished.size(), 1u);
    return finished.empty() ? TaskStatus::ok : wire::report_status(finished[0].report);
  }
};

TEST_F(ArgsTest, ARunBeginsOnceItsArgumentsAreHere) {
  run_with_args(1);
  EXPECT_TRUE(orders.empty());
  EXPECT_EQ(answer_wants(&bytes), 1u);
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].args, bytes.view());
  finish(begin());
  EXPECT_EQ(status_of_the_only_report(), TaskStatus::ok);
}

TEST_F(ArgsTest, OthersDoNotWaitForIt) {
  run_with_args(1);
  run(*far, 2);
  turn(*far);
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].task, task(2));
}

TEST_F(ArgsTest, ArgumentsThatAreGoneEndTheRunAsLost) {
  run_with_args(1);
  answer_wants(nullptr);
  EXPECT_EQ(status_of_the_only_report(), TaskStatus::payload_lost);
  EXPECT_TRUE(orders.empty());
  EXPECT_EQ(core.held(), 0u);
}

TEST_F(ArgsTest, AHolderThatDoesNotAnswerEndsTheRunAsUnreachable) {
  run_with_args(1);
  for (int i = 0; i < 20; ++i) {  // the controller lives
    pass(milliseconds(500));
    turn(*far);
  }
  EXPECT_EQ(status_of_the_only_report(), TaskStatus::payload_unreachable);
}

TEST_F(ArgsTest, ACancelledRunIsReturnedAndItsArgumentsAreNotAskedForAgain) {
  run_with_args(1);
  say(*far, wire::StopRunRecord{handle(1)});
  turn(*far);
  EXPECT_EQ(far->said.of<wire::ReturnedRecord>(RecordType::returned).size(), 1u);
  answer_wants(&bytes);
  EXPECT_TRUE(orders.empty());
  pass(seconds(1));
  EXPECT_EQ(answer_wants(&bytes), 0u);
}

TEST_F(ArgsTest, ARunWithoutItsArgumentsIsRecalledBeforeThoseThatOnlyWaitForASlot) {
  run(*far, 1);
  run_with_args(2);
  say(*far, wire::RecallRecord{1});
  turn(*far);
  const auto returned = far->said.of<wire::ReturnedRecord>(RecordType::returned);
  ASSERT_EQ(returned.size(), 1u);
  EXPECT_EQ(returned[0].handle, handle(2));
  answer_wants(&bytes);
  EXPECT_EQ(orders.size(), 1u);
}

TEST_F(ArgsTest, ARunWithoutItsArgumentsIsDroppedWithItsLink) {
  run_with_args(1);
  lose();
  const auto next = welcome(kOther);
  EXPECT_TRUE(next->said.of<wire::AdoptRecord>(RecordType::adopt).empty());
  answer_wants(&bytes);
  EXPECT_TRUE(orders.empty());
  EXPECT_EQ(core.held(), 0u);
}

TEST_F(ArgsTest, ArgumentsOverTheLimitAreNotFetched) {
  run(*far, 1, by_reference(blob(core.max_payload() + 1)));
  EXPECT_EQ(status_of_the_only_report(), TaskStatus::payload_too_large);
  EXPECT_EQ(answer_wants(&bytes), 0u);
}

struct FewArgsTest : ArgsTest {
  FewArgsTest() : ArgsTest([] {
    Config few = small();
    few.max_args_bytes = 250'000;
    return few;
  }()) {}
};

TEST_F(FewArgsTest, NoMoreArgumentsAreFetchedThanTheLimitAllows) {
  for (std::uint64_t i = 1; i <= 4; ++i) run_with_args(i);
  EXPECT_EQ(answer_wants(&bytes), 2u);
  ASSERT_EQ(orders.size(), 2u);
  EXPECT_EQ(answer_wants(&bytes), 0u);
  say(*far, wire::StopRunRecord{handle(3)});
  finish(begin());
  turn(*far);
  EXPECT_EQ(answer_wants(&bytes), 1u);
  ASSERT_EQ(orders.size(), 3u);
  EXPECT_EQ(orders[2].task, task(4));
}

TEST_F(FewArgsTest, ArgumentsLongerThanTheLimitComeAlone) {
  const wire::Buffer longer(std::string(400'000, 'b'));
  run_with_args(1);
  run(*far, 2, by_reference(blob(longer.size())));
  run_with_args(3);
  turn(*far);
  EXPECT_EQ(answer_wants(&bytes), 1u);
  finish(begin());
  core.end_turn(now);
  EXPECT_EQ(answer_wants(&longer), 1u);
  ASSERT_EQ(orders.size(), 2u);
  EXPECT_EQ(orders[1].args, longer.view());
}

TEST_F(ArgsTest, MalformedArgumentsEndTheRun) {
  run(*far, 1, wire::as_bytes("\x7f"));
  EXPECT_EQ(status_of_the_only_report(), TaskStatus::bad_arguments);
}

}  // namespace
}  // namespace covey::engine

// Which task goes to which engine, and when.
#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using std::chrono::seconds;
using wire::TaskStatus;

struct DispatchTest : BrokerFixture {};

TEST_F(DispatchTest, ATaskGoesToAnEngineAndItsResultToItsClient) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  ASSERT_EQ(e.functions, std::vector<std::string>{"echo"});
  finish(e);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].sequence, 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::ok);
  EXPECT_EQ(c.results[0].attempts, 1u);
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
}

TEST_F(DispatchTest, AnEngineIsNeverGivenMoreThanItsCredit) {
  auto e = engine(1, 3);
  auto c = client(2);
  submit(c, {}, 1, 10);
  read(e);
  EXPECT_EQ(e.runs.size(), 3u);
  EXPECT_EQ(broker.ready_tasks(), 7u);
  finish(e);
  EXPECT_EQ(e.runs.size(), 3u);
}

TEST_F(DispatchTest, TasksSpreadEvenlyOverEngines) {
  auto a = engine(1, 100), b = engine(2, 100);
  auto c = client(3);
  submit(c, {}, 1, 10);
  read(a);
  read(b);
  EXPECT_EQ(a.runs.size(), 5u);
  EXPECT_EQ(b.runs.size(), 5u);
}

TEST_F(DispatchTest, HigherPriorityRunsFirst) {
  auto c = client(2);
  wire::TaskSpec low, high;
  low.function = "low";
  high.function = "high";
  high.priority = 5;
  submit(c, low, 1);
  submit(c, high, 2);
  auto e = engine(1, 10);
  read(e);
  EXPECT_EQ(e.functions, (std::vector<std::string>{"high", "low"}));
}

TEST_F(DispatchTest, ATaskRunsOnlyWhereItsLabelsAndTargetsAllow) {
  auto plain = engine(1, 10), gpu = engine(2, 10, 1, {"gpu=a100"});
  auto c = client(3);
  wire::TaskSpec labelled, targeted;
  labelled.labels = {"gpu=a100"};
  targeted.targets = {wire::Incarnation{1}};
  submit(c, labelled, 1, 3);
  submit(c, targeted, 10, 2);
  read(plain);
  read(gpu);
  EXPECT_EQ(gpu.runs.size(), 3u);
  EXPECT_EQ(plain.runs.size(), 2u);
}

TEST_F(DispatchTest, AtMostOnceTasksAreNotPrefetched) {
  auto e = engine(1, 100, 2);
  auto c = client(2);
  wire::TaskSpec once;
  once.max_attempts = 1;
  submit(c, once, 1, 10);
  read(e);
  EXPECT_EQ(e.runs.size(), 2u);
}

TEST_F(DispatchTest, WhenTheQueueRunsDryUnstartedTasksAreRecalledForAnIdleEngine) {
  auto busy = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1, 10);
  read(busy);
  auto idle = engine(3, 10);
  read(busy);
  EXPECT_EQ(busy.recalled, 1u);  // as many as there are idle slots
  wire::encode(busy.link->record(), wire::ReturnedRecord{busy.runs.back().handle});
  wire::encode(busy.link->record(), wire::RecallRecord{0});
  turn(busy);
  read(idle);
  EXPECT_EQ(idle.runs.size(), 1u);
}

TEST_F(DispatchTest, TasksForEnginesThatAreGoneFailInsteadOfWaitingForEver) {
  auto c = client(2);
  auto e = engine(9, 1);
  alive = {&c, &e};
  wire::TaskSpec spec;
  spec.targets = {wire::Incarnation{4711}};
  submit(c, spec, 1);
  pass(seconds(7));
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::unschedulable);
}

// Found by seed 50 of the simulation.
TEST_F(DispatchTest, ATaskThatHasToFollowToAnEngineWithoutItsLabelFails) {
  auto e = engine(9, 1);
  auto c = client(2);
  alive = {&c, &e};
  submit(c, {}, 1);
  read(e);
  finish(e);
  wire::TaskSpec labelled;
  labelled.labels = {"gpu=a100"};
  wire::SubmitExtras extras;
  extras.follow.tasks = {{{wire::SessionId{77}, 1}}};
  submit(c, labelled, 2, 1, extras);
  pass(seconds(7));
  read(c);
  ASSERT_EQ(c.results.size(), 2u);
  EXPECT_EQ(c.results[1].status, TaskStatus::unschedulable);
}

}  // namespace
}  // namespace covey::controller

// How tasks end: retries, timeouts, cancellation, dependencies and idempotency keys.
#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using std::chrono::milliseconds;
using wire::TaskStatus;

struct CompletionTest : BrokerFixture {};

TEST_F(CompletionTest, FailuresAreRetriedAfterADelayThatDoubles) {
  auto e = engine(1, 1);
  auto c = client(2);
  alive = {&e, &c};
  wire::TaskSpec spec;
  spec.retries = 2;
  spec.retry_delay_ms = 100;
  submit(c, spec, 1);
  read(e);
  finish(e, TaskStatus::failed);
  EXPECT_TRUE(e.runs.empty());
  pass(milliseconds(101));
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e, TaskStatus::failed);
  pass(milliseconds(150));
  read(e);
  EXPECT_TRUE(e.runs.empty());
  pass(milliseconds(51));
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e, TaskStatus::failed);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::failed);
  EXPECT_EQ(c.results[0].attempts, 3u);
}

TEST_F(CompletionTest, ATimeoutEndsATaskWhereverItIs) {
  auto e = engine(1, 1);
  auto c = client(2);
  alive = {&e, &c};
  wire::TaskSpec spec;
  spec.timeout_ms = 500;
  submit(c, spec, 1, 2);
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  pass(milliseconds(501));
  read(c);
  read(e);
  ASSERT_EQ(c.results.size(), 2u);
  EXPECT_EQ(c.results[0].status, TaskStatus::timed_out);
  EXPECT_EQ(e.stopped, std::vector<std::uint64_t>{e.runs[0].handle});
  finish(e);  // late: counted, and not delivered
  read(c);
  EXPECT_EQ(c.results.size(), 2u);
  EXPECT_EQ(broker.counters().late_results, 1u);
}

TEST_F(CompletionTest, ARunningTaskCanBeCancelled) {
  auto e = engine(1, 1);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  wire::encode(c.link->record(), wire::CancelRecord{{wire::SessionId{77}, 1}});
  turn(c);
  read(e);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::cancelled);
  EXPECT_EQ(e.stopped.size(), 1u);
}

TEST_F(CompletionTest, ATaskWaitsForItsDependency) {
  auto e = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1);
  submit(c, {}, 2, 1, after(1));
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e);
  ASSERT_EQ(e.runs.size(), 1u);
  EXPECT_EQ(e.runs[0].task.sequence, 2u);
}

TEST_F(CompletionTest, ADependencyThatCanNoLongerBeMetFailsTheTaskAndThoseBehindIt) {
  auto e = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1);
  submit(c, {}, 2, 1, after(1));
  submit(c, {}, 3, 1, after(2));
  submit(c, {}, 4, 1, after(1, false, true));
  read(e);
  finish(e, TaskStatus::failed);
  read(c);
  ASSERT_EQ(c.results.size(), 3u);
  EXPECT_EQ(c.results[1].status, TaskStatus::dependency_failed);
  EXPECT_EQ(c.results[2].status, TaskStatus::dependency_failed);
  ASSERT_EQ(e.runs.size(), 1u);
  EXPECT_EQ(e.runs[0].task.sequence, 4u);
}

TEST_F(CompletionTest, FollowRunsWhereTheDependencyRan) {
  auto a = engine(1, 10), b = engine(2, 10);
  auto c = client(3);
  submit(c, {}, 1);
  read(a);
  read(b);
  FarEnd& where = a.runs.empty() ? b : a;
  FarEnd& other = a.runs.empty() ? a : b;
  wire::SubmitExtras extras;
  extras.follow.tasks = {{{wire::SessionId{77}, 1}}};
  submit(c, {}, 2, 4, extras);
  finish(where);
  read(other);
  EXPECT_EQ(where.runs.size(), 4u);
  EXPECT_TRUE(other.runs.empty());
}

TEST_F(CompletionTest, AnIdempotencyKeyRunsOnceAndAllShareTheOutcome) {
  auto e = engine(1, 10);
  auto c = client(2);
  wire::SubmitExtras extras;
  extras.idempotency_key = "k";
  submit(c, {}, 1, 2, extras);
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e);
  submit(c, {}, 3, 1, extras);
  read(c);
  EXPECT_EQ(c.results.size(), 3u);
  EXPECT_TRUE(e.runs.empty());
}

}  // namespace
}  // namespace covey::controller

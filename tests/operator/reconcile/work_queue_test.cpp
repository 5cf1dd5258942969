#include "operator/reconcile/work_queue.hpp"

#include <gtest/gtest.h>

namespace covey::reconcile {
namespace {

using std::chrono::milliseconds;

class WorkQueueTest : public ::testing::Test {
 protected:
  WorkQueue queue;
  WorkQueue::Now now = WorkQueue::Now(std::chrono::hours(1));
};

TEST_F(WorkQueueTest, AKeyIsQueuedOnce) {
  queue.add("a");
  queue.add("a");
  EXPECT_EQ(queue.pop(now), "a");
  EXPECT_EQ(queue.pop(now), std::nullopt);
}

TEST_F(WorkQueueTest, AChangeDuringWorkRunsTheKeyOnceMoreAndNotTwiceAtATime) {
  queue.add("a");
  queue.pop(now);
  queue.add("a");
  queue.add("a");
  EXPECT_EQ(queue.pop(now), std::nullopt);
  queue.done("a");
  EXPECT_EQ(queue.pop(now), "a");
  queue.done("a");
  EXPECT_EQ(queue.pop(now), std::nullopt);
}

TEST_F(WorkQueueTest, TheEarliestTimeCountsAndAChangeComesFirst) {
  queue.add_at("a", now + milliseconds(100));
  queue.add_at("a", now + milliseconds(50));
  EXPECT_EQ(queue.next_at(), now + milliseconds(50));
  EXPECT_EQ(queue.pop(now + milliseconds(49)), std::nullopt);
  queue.add("a");
  EXPECT_EQ(queue.pop(now), "a");
  queue.done("a");
  EXPECT_EQ(queue.next_at(), std::nullopt);
}

TEST_F(WorkQueueTest, FailuresOfAKeyBackOffUntilItSucceeds) {
  milliseconds expected = WorkQueue::kFirstPause;
  for (int i = 0; i < 25; ++i) {
    queue.failed("a", now);
    EXPECT_EQ(queue.next_at(), now + std::min(expected, WorkQueue::kLongestPause)) << i;
    expected *= 2;
    queue.forget("b");
    now = *queue.next_at();
    EXPECT_EQ(queue.pop(now), "a");
    queue.done("a");
  }
  queue.succeeded("a");
  queue.failed("a", now, milliseconds(30'000));
  EXPECT_EQ(queue.next_at(), now + milliseconds(30'000));
}

TEST_F(WorkQueueTest, APauseHasALimitAndALeast) {
  using std::chrono::seconds;
  for (int i = 0; i < 30; ++i) {
    queue.add("a");
    queue.pop(now);
    queue.failed("a", now, WorkQueue::Time(0), seconds(30));
    queue.done("a");
  }
  EXPECT_EQ(queue.next_at(), now + seconds(30));
  queue.add("a");
  queue.pop(now);
  queue.failed("a", now, seconds(60), seconds(30));
  queue.done("a");
  EXPECT_EQ(queue.next_at(), now + seconds(60)) << "the server asked for it";
}

}  // namespace
}  // namespace covey::reconcile

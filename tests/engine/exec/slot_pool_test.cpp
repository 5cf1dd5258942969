#include "engine/exec/slot_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "engine/exec/arguments.hpp"

namespace covey::engine {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using Handles = std::vector<std::uint64_t>;

// No result is held for a reason of time: only counts wake the loop.
constexpr HoldPolicy kHoldForever{.jobs = std::numeric_limits<unsigned>::max(), .longest = hours(1)};

// Something that threads wait for another thread to bring about.
class Counter {
 public:
  void add(int count = 1) {
    const std::lock_guard lock(mutex_);
    count_ += count;
    changed_.notify_all();
  }
  void wait_for(int least) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= least; });
  }
  void take_one() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ > 0; });
    --count_;
  }
  int value() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

// A pool whose jobs say when they begin, and end when they are let go: a test sees each of its steps.
class SlotPoolTest : public testing::Test {
 protected:
  static FunctionInfo info(std::string name) { return {std::move(name), "", "", {wire::Codec::json}, false}; }
  Job gated(std::uint64_t handle) { return {.handle = handle, .function = &gated_, .args = {}}; }
  Job sleeping(std::uint64_t handle, nanoseconds limit = {}) {
    return {.handle = handle, .function = &sleeping_, .args = {}, .run_limit = limit};
  }
  void push_gated(SlotPool& pool, std::uint64_t first, std::uint64_t last) {
    std::vector<Job> jobs;
    for (auto handle = first; handle <= last; ++handle) jobs.push_back(gated(handle));
    pool.push(jobs);
  }
  std::function<void()> wake() {
    return [this] { woken_.add(); };
  }
  static std::vector<Finished> take(SlotPool& pool) {
    std::vector<Finished> finished;
    pool.take_finished(finished);
    return finished;
  }
  static Handles handles(const std::vector<Finished>& finished) {
    Handles handles;
    for (const auto& one : finished) handles.push_back(one.handle);
    return handles;
  }

  Counter begun_, let_go_, woken_;
  Builtin gated_{info("gated"), [this](CallContext&, const wire::Payload&) {
                   begun_.add();
                   let_go_.take_one();
                   return Outcome{};
                 }};
  Builtin sleeping_{info("sleeping"), [this](CallContext& context, const wire::Payload&) {
                      begun_.add();
                      context.sleep_for(hours(1));
                      return Outcome{};
                    }};
};

TEST_F(SlotPoolTest, ALoneJobWakesTheLoopAtOnce) {
  SlotPool pool(1, wake(), kHoldForever);
  let_go_.add();
  pool.push(gated(7));
  woken_.wait_for(1);
  const auto finished = take(pool);
  ASSERT_EQ(handles(finished), Handles{7});
  EXPECT_EQ(finished[0].outcome.status, wire::TaskStatus::ok);
  EXPECT_GT(finished[0].duration_ns, 0);
  EXPECT_GT(finished[0].started_unix_us, 1'600'000'000'000'000);
  EXPECT_GT(pool.mean_job(), nanoseconds(0));
}

TEST_F(SlotPoolTest, ResultsAreHeldUntilHalfOfTheFillIsDone) {
  SlotPool pool(1, wake(), kHoldForever);
  push_gated(pool, 1, 8);
  let_go_.add(3);
  begun_.wait_for(4);  // the slot decides about waking before it begins the next job
  EXPECT_EQ(woken_.value(), 0);
  EXPECT_TRUE(pool.hold_deadline().has_value());
  let_go_.add(1);
  woken_.wait_for(1);
  EXPECT_EQ(handles(take(pool)), (Handles{1, 2, 3, 4}));
  let_go_.add(4);
}

TEST_F(SlotPoolTest, TheLoopIsWokenOnceUntilItTakes) {
  SlotPool pool(1, wake(), kHoldForever);
  push_gated(pool, 1, 8);
  let_go_.add(6);
  begun_.wait_for(7);
  EXPECT_EQ(woken_.value(), 1);
  EXPECT_FALSE(pool.hold_deadline().has_value());  // it has been told
  EXPECT_EQ(handles(take(pool)), (Handles{1, 2, 3, 4, 5, 6}));
  let_go_.add(1);
  woken_.wait_for(2);
  let_go_.add(1);
}

TEST_F(SlotPoolTest, TheLastJobInTheQueueWakesTheLoop) {
  SlotPool pool(1, wake(), kHoldForever);
  push_gated(pool, 1, 4);
  let_go_.add(1);
  begun_.wait_for(2);
  EXPECT_EQ(pool.recall_newest(2), (Handles{4, 3}));
  let_go_.add(1);
  woken_.wait_for(1);
  EXPECT_EQ(handles(take(pool)), (Handles{1, 2}));
}

TEST_F(SlotPoolTest, NoResultIsHeldBeforeAJobThatIsLikelyToTakeLonger) {
  SlotPool pool(1, wake(), {.jobs = kHoldForever.jobs, .longest = nanoseconds(0)});
  push_gated(pool, 1, 100);
  let_go_.add(1);
  begun_.wait_for(2);
  EXPECT_EQ(woken_.value(), 1);
  pool.recall_newest(100);
  let_go_.add(1);
}

TEST_F(SlotPoolTest, AResultThatHasWaitedLongEnoughWakesTheLoop) {
  SlotPool pool(1, wake(), {.jobs = 0, .longest = hours(1)});
  push_gated(pool, 1, 100);
  let_go_.add(1);
  begun_.wait_for(2);
  EXPECT_EQ(woken_.value(), 1);
  pool.recall_newest(100);
  let_go_.add(1);
}

TEST_F(SlotPoolTest, TheOldestFinishedSetsTheHoldDeadline) {
  SlotPool pool(1, wake(), kHoldForever);
  EXPECT_FALSE(pool.oldest_finished().has_value());
  push_gated(pool, 1, 8);
  let_go_.add(1);
  begun_.wait_for(2);
  const auto oldest = pool.oldest_finished();
  ASSERT_TRUE(oldest.has_value());
  EXPECT_GT(*pool.hold_deadline(), *oldest);
  let_go_.add(1);
  begun_.wait_for(3);
  EXPECT_EQ(pool.oldest_finished(), oldest);
  take(pool);
  EXPECT_FALSE(pool.oldest_finished().has_value());
  EXPECT_FALSE(pool.hold_deadline().has_value());
  let_go_.add(6);
}

TEST_F(SlotPoolTest, SlotsRunSideBySide) {
  std::latch together(4);
  const Builtin meeting(info("meeting"), [&](CallContext&, const wire::Payload&) {
    together.arrive_and_wait();
    return Outcome{};
  });
  SlotPool pool(4, wake(), kHoldForever);
  for (std::uint64_t handle = 1; handle <= 4; ++handle) pool.push({.handle = handle, .function = &meeting, .args = {}});
  together.wait();
}

TEST_F(SlotPoolTest, CountsAndRunningJobsAreShown) {
  SlotPool pool(2, wake(), kHoldForever);
  push_gated(pool, 1, 5);
  begun_.wait_for(2);
  EXPECT_EQ(pool.running(), 2U);
  EXPECT_EQ(pool.queued(), 3U);
  const auto jobs = pool.running_jobs();
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].handle + jobs[1].handle, 3U);
  EXPECT_EQ(jobs[0].function, "gated");
  EXPECT_LE(jobs[0].started, SlotPool::Clock::now());
  EXPECT_FALSE(jobs[0].stopping);
  pool.recall_newest(5);
  let_go_.add(2);
}

TEST_F(SlotPoolTest, OnlyAJobThatHasNotBegunCanBeRecalled) {
  SlotPool pool(1, wake(), kHoldForever);
  push_gated(pool, 1, 4);
  begun_.wait_for(1);
  EXPECT_FALSE(pool.recall(1));
  EXPECT_FALSE(pool.recall(99));
  EXPECT_TRUE(pool.recall(3));
  EXPECT_FALSE(pool.recall(3));
  EXPECT_EQ(pool.recall_newest(10), (Handles{4, 2}));
  EXPECT_EQ(pool.queued(), 0U);
  let_go_.add(1);
  woken_.wait_for(1);
  EXPECT_EQ(handles(take(pool)), Handles{1});
}

TEST_F(SlotPoolTest, CancellingStopsTheJobThatRunsAndNoOther) {
  SlotPool pool(2, wake(), kHoldForever);
  pool.push(sleeping(1));
  pool.push(gated(2));
  begun_.wait_for(2);
  pool.cancel(99);
  pool.cancel(1);
  woken_.wait_for(1);
  const auto finished = take(pool);
  ASSERT_EQ(handles(finished), Handles{1});
  EXPECT_EQ(finished[0].outcome.status, wire::TaskStatus::cancelled);
  EXPECT_EQ(pool.running(), 1U);
  let_go_.add(1);
}

TEST_F(SlotPoolTest, AJobOverItsLimitTimesOut) {
  SlotPool pool(2, wake(), kHoldForever);
  pool.push(sleeping(1, std::chrono::minutes(10)));
  pool.push(sleeping(2, std::chrono::minutes(20)));
  begun_.wait_for(2);
  const auto now = SlotPool::Clock::now();
  const auto first = pool.next_deadline();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(pool.expire(now), first);  // none yet
  const auto second = pool.expire(*first);
  woken_.wait_for(1);
  const auto finished = take(pool);
  ASSERT_EQ(handles(finished), Handles{1});
  EXPECT_EQ(finished[0].outcome.status, wire::TaskStatus::timed_out);
  ASSERT_TRUE(second.has_value());
  EXPECT_GT(*second, now + std::chrono::minutes(19));
  EXPECT_EQ(pool.expire(*second), std::nullopt);
}

TEST_F(SlotPoolTest, AJobWithoutALimitNeverExpires) {
  SlotPool pool(1, wake(), kHoldForever);
  pool.push(sleeping(1));
  begun_.wait_for(1);
  EXPECT_FALSE(pool.next_deadline().has_value());
  EXPECT_EQ(pool.expire(SlotPool::Clock::time_point::max()), std::nullopt);
  EXPECT_FALSE(pool.running_jobs().at(0).stopping);
}

TEST_F(SlotPoolTest, ALimitBeyondTimeIsNone) {
  SlotPool pool(1, wake(), kHoldForever);
  pool.push(sleeping(1, nanoseconds::max()));
  begun_.wait_for(1);
  EXPECT_FALSE(pool.next_deadline().has_value());
}

TEST_F(SlotPoolTest, AJobThatIgnoresItsCancellationIsStuckAfterAGrace) {
  SlotPool pool(1, wake(), kHoldForever);
  pool.push(gated(1));
  begun_.wait_for(1);
  const auto before = SlotPool::Clock::now();
  EXPECT_FALSE(pool.stuck(before + hours(2), hours(1)));  // nobody asked it to stop
  pool.cancel(1);
  EXPECT_TRUE(pool.running_jobs().at(0).stopping);
  EXPECT_FALSE(pool.stuck(before + std::chrono::minutes(59), hours(1)));
  EXPECT_TRUE(pool.stuck(before + hours(2), hours(1)));
  let_go_.add(1);
  woken_.wait_for(1);
  EXPECT_FALSE(pool.stuck(before + hours(2), hours(1)));
}

TEST_F(SlotPoolTest, ClosingDropsWhatIsQueuedAndCancelsWhatRuns) {
  {
    SlotPool pool(1, wake(), kHoldForever);
    pool.push(sleeping(1));
    pool.push(sleeping(2));
    begun_.wait_for(1);
  }
  EXPECT_EQ(begun_.value(), 1);
}

TEST_F(SlotPoolTest, WhatAFunctionThrowsIsItsOutcome) {
  const Builtin throwing(info("throwing"),
                         [](CallContext&, const wire::Payload&) -> Outcome { throw std::runtime_error("oh"); });
  SlotPool pool(1, wake(), kHoldForever);
  pool.push({.handle = 1, .function = &throwing, .args = {}});
  woken_.wait_for(1);
  EXPECT_EQ(take(pool).at(0).outcome.error, "oh");
}

TEST_F(SlotPoolTest, TheQueueHasALimit) {
  SlotPool pool(1, wake(), kHoldForever);
  pool.push(gated(1));
  begun_.wait_for(1);
  std::vector<Job> jobs(SlotPool::kMostQueued, gated(2));
  pool.push(jobs);
  EXPECT_EQ(pool.queued(), SlotPool::kMostQueued);
  EXPECT_THROW(pool.push(gated(3)), std::length_error);
  EXPECT_EQ(pool.recall_newest(SlotPool::kMostQueued).size(), SlotPool::kMostQueued);
  let_go_.add(1);
}

// A pool with one slot, which serves while there is nothing to run.
struct ServingSlotTest : SlotPoolTest {
  SlotPool pool{1, wake(), {}, [this](const std::function<bool()>& over) {
                  serving_.add();
                  while (!over()) std::this_thread::yield();
                  served_.add();
                  return true;
                }};
  Counter serving_, served_;
  void run(Job job) {
    pool.push(std::move(job));
    woken_.take_one();
    take(pool);
  }
};

TEST_F(ServingSlotTest, ASlotServesBetweenBriefJobsUntilTheNextComes) {
  const Builtin quick(info("quick"), [](CallContext&, const wire::Payload&) { return Outcome{}; });
  EXPECT_EQ(serving_.value(), 0) << "a slot that has run nothing yet waits";
  while (serving_.value() == 0) run({.handle = 1, .function = &quick, .args = {}});
  run({.handle = 2, .function = &quick, .args = {}});
  served_.wait_for(1);
}

// As a loop that a slot runs meanwhile gives them out: one push for each. Neither ends before the other has begun.
TEST_F(SlotPoolTest, JobsThatASlotGetsOneByOneWhileItServesRunSideBySide) {
  Counter serving, begun;
  std::atomic<bool> due = false;
  const Builtin quick(info("quick"), [](CallContext&, const wire::Payload&) { return Outcome{}; });
  const Builtin both(info("both"), [&](CallContext&, const wire::Payload&) {
    begun.add();
    begun.wait_for(2);
    return Outcome{};
  });
  SlotPool pool(2, wake(), {}, [&](const std::function<bool()>& over) {
    serving.add();
    while (!over() && !due) std::this_thread::yield();
    if (!due.exchange(false)) return true;
    for (const std::uint64_t handle : {10, 11}) pool.push({.handle = handle, .function = &both, .args = {}});
    return true;
  });
  while (serving.value() == 0) {
    pool.push({.handle = 1, .function = &quick, .args = {}});
    woken_.take_one();
    take(pool);
  }
  due = true;
  begun.wait_for(2);
  SUCCEED();
}

TEST_F(SlotPoolTest, AClosedPoolSaysWhetherAnythingStillRuns) {
  SlotPool pool(2, wake());
  pool.push(sleeping(1));
  EXPECT_TRUE(pool.close(hours(1)));
  std::latch begun(1), over(1);
  const Builtin deaf(info("deaf"), [&](CallContext&, const wire::Payload&) {
    begun.count_down();
    over.wait();
    return Outcome{};
  });
  SlotPool other(1, wake());
  other.push({.handle = 1, .function = &deaf, .args = {}});
  begun.wait();
  EXPECT_FALSE(other.close(nanoseconds(1)));
  over.count_down();
  EXPECT_TRUE(other.close(hours(1)));
}

TEST_F(ServingSlotTest, BetweenLongJobsItWaits) {
  const Builtin slow(info("slow"), [](CallContext& context, const wire::Payload&) {
    context.sleep_for(std::chrono::milliseconds(1));
    return Outcome{};
  });
  for (std::uint64_t handle = 1; handle <= 3; ++handle) run({.handle = handle, .function = &slow, .args = {}});
  EXPECT_EQ(serving_.value(), 0);
}

// For the thread sanitizer: all that a loop does, while slots are busy.
TEST_F(SlotPoolTest, EveryJobEndsOnceWhateverTheLoopDoes) {
  constexpr std::uint64_t kJobs = 2000;
  const Builtin quick(info("quick"), [](CallContext&, const wire::Payload&) { return Outcome{}; });
  SlotPool pool(3, wake());
  std::vector<int> ends(kJobs + 1, 0);
  std::uint64_t ended = 0;
  const auto collect = [&] {
    for (const auto handle : handles(take(pool))) ++ends.at(handle), ++ended;
  };
  for (std::uint64_t handle = 1; handle <= kJobs; ++handle) {
    pool.push({.handle = handle, .function = &quick, .args = {}, .run_limit = hours(1)});
    if (handle % 3 == 0) pool.cancel(handle - 2);
    if (handle % 5 == 0 && pool.recall(handle)) ++ends.at(handle), ++ended;
    if (handle % 64 == 0) collect();
    if (handle % 100 == 0) pool.expire(SlotPool::Clock::now()), static_cast<void>(pool.running_jobs());
  }
  // A wake between the two lines that look makes the wait end at once.
  while (ended < kJobs) {
    const int seen = woken_.value();
    collect();
    if (ended < kJobs) woken_.wait_for(seen + 1);
  }
  for (std::uint64_t handle = 1; handle <= kJobs; ++handle) EXPECT_EQ(ends[handle], 1) << handle;
}

}  // namespace
}  // namespace covey::engine

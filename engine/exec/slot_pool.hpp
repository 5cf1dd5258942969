// The slots of an engine: threads that take jobs from one queue and leave what finished in one list. A slot takes its
// next job itself, without a hop through the loop, and wakes the loop only when that is worth it, so that results which
// finish close together travel together. Knows nothing of tasks, frames or the loop. All members may be called from any
// thread; "the loop" is whoever pushes jobs and takes what finished.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/exec/function.hpp"

namespace covey::engine {

struct Job {
  std::uint64_t handle = 0;            // unique among those that the pool holds
  const Function* function = nullptr;  // outlives the pool
  wire::Payload args;
  std::chrono::nanoseconds run_limit{0};  // 0: none
  bool recallable = true;              // recall_newest() may take it back
  bool chunked = false;                // args are a run of contents
  std::string variable{};              // that the task names
};

struct Finished {
  std::uint64_t handle = 0;
  Outcome outcome;
  std::int64_t started_unix_us = 0;
  std::int64_t duration_ns = 0;
};

struct RunningInfo {
  std::uint64_t handle = 0;
  std::string_view function;  // its name; valid as long as the function
  std::chrono::steady_clock::time_point started;
  bool stopping = false;  // it was cancelled, or is over its limit
};

// How long a finished job may wait for others to travel with, while there is more to start.
struct HoldPolicy {
  unsigned jobs = 4;  // about as long as this many jobs take
  std::chrono::nanoseconds longest =
      std::chrono::milliseconds(2);  // and no longer than this, as looked at when a job ends, nor behind jobs that take longer
};

class SlotPool {
 public:
  using Clock = std::chrono::steady_clock;
  using Serve = std::function<bool(const std::function<bool()>& over)>;
  static constexpr std::size_t kMostQueued = 1'000'000;

  // `wake` is called on a slot's thread, without locks held, when the loop should take_finished(); once until it has
  // done so.
  // `serve` is called on the thread of a slot that has nothing to run, without locks held, while jobs are brief and come one at a
  // time; by one slot at a time. It may do something else until its argument says true, and says whether it did: then jobs need
  // not wake that thread.
  SlotPool(unsigned slots, std::function<void()> wake, HoldPolicy hold = {}, Serve serve = {});
  // Closes it, and waits for as long as that takes: a thread cannot be stopped by force. A process with a stuck() run therefore ends
  // with _exit().
  ~SlotPool();
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  // Drops what is queued, cancels what runs, and waits for that; true: nothing runs any more. Nothing may be pushed afterwards.
  bool close(std::chrono::nanoseconds patience);

  // In order. Throws std::length_error beyond kMostQueued, which an engine's credit keeps far away.
  void push(Job job);
  void push(std::span<Job> jobs);  // moves from them
  // Takes back one that has not begun; false: it runs, has finished, or is unknown.
  bool recall(std::uint64_t handle);
  std::vector<std::uint64_t> recall_newest(std::size_t count);  // of those not begun and recallable, the newest first
  // Tells one that runs to stop; it finishes as `cancelled`. Others are left alone.
  void cancel(std::uint64_t handle);
  // Replaces the contents of `into`, the oldest first.
  void take_finished(std::vector<Finished>& into);

  std::size_t queued() const;
  std::size_t running() const;
  std::vector<RunningInfo> running_jobs() const;
  std::chrono::nanoseconds mean_job() const;  // lately; 0: unknown

  // When the oldest job finished that has not been taken.
  std::optional<Clock::time_point> oldest_finished() const;
  // When the loop should look by itself, because finished jobs are held back while all slots run; nullopt: no need to.
  std::optional<Clock::time_point> hold_deadline() const;

  // Cancels runs over their limit; returns next_deadline().
  std::optional<Clock::time_point> expire(Clock::time_point now);
  std::optional<Clock::time_point> next_deadline() const;
  // True: a run was told to stop at least `grace` ago and still goes on.
  bool stuck(Clock::time_point now, std::chrono::nanoseconds grace) const;

 private:
  // What a slot's thread is doing. Guarded by mutex_, except that a running function uses its context and arguments.
  struct Slot {
    Job job;
    std::optional<CallContext> context;  // engaged: it runs
    Clock::time_point started{};
    std::optional<Clock::time_point> stopped_at;  // told to stop
  };

  void run_slot(Slot& slot);
  bool begin_next(Slot& slot, std::unique_lock<std::mutex>& lock);
  void await_job(std::unique_lock<std::mutex>& lock);
  bool serve_meanwhile(std::unique_lock<std::mutex>& lock);
  bool finish(Slot& slot, Finished&& finished, Clock::time_point ended);
  bool worth_waking(Clock::time_point now) const;
  void refill();
  std::chrono::nanoseconds hold_time() const;
  std::optional<Clock::time_point> earliest_limit() const;

  const std::function<void()> wake_;
  const HoldPolicy hold_;
  const Serve serve_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable work_, closed_;
  std::deque<Job> queue_;
  std::deque<Slot> slots_;  // one per thread; never moves
  std::vector<Finished> finished_;
  Clock::time_point oldest_finished_{};
  std::size_t idle_ = 0;   // slots that wait to be woken
  bool serving_ = false;   // a slot is in serve_
  std::size_t running_ = 0;
  std::size_t fill_ = 0;  // jobs in hand when the loop last gave or took any
  double mean_ns_ = 0;
  bool woken_ = false;  // the loop has been told and has not yet looked
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace covey::engine

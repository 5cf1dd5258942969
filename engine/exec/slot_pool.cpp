#include "engine/exec/slot_pool.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "engine/exec/chunk.hpp"

namespace covey::engine {

namespace {

constexpr double kMeanWeight = 0.2;  // of the latest job in the running mean
constexpr double kBriefNs = 200'000;

std::int64_t unix_us_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

SlotPool::SlotPool(unsigned slots, std::function<void()> wake, HoldPolicy hold, Serve serve)
    : wake_(std::move(wake)), hold_(hold), serve_(std::move(serve)) {
  for (unsigned i = 0; i < slots; ++i) slots_.emplace_back();
  for (auto& slot : slots_) threads_.emplace_back([this, &slot] { run_slot(slot); });
}

SlotPool::~SlotPool() {
  close(std::chrono::nanoseconds::zero());
  for (auto& thread : threads_) thread.join();
}

bool SlotPool::close(std::chrono::nanoseconds patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  queue_.clear();
  for (auto& slot : slots_) {
    if (slot.context) slot.context->cancel(false);
  }
  work_.notify_all();
  return closed_.wait_for(lock, patience, [this] { return running_ == 0; });
}

// ---- the loop's side ----

void SlotPool::push(Job job) { push(std::span(&job, 1)); }

void SlotPool::push(std::span<Job> jobs) {
  std::size_t to_wake = 0;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() + jobs.size() > kMostQueued) throw std::length_error("more jobs than a slot pool may hold");
    const bool server_takes_one = serving_ && queue_.empty() && !jobs.empty();
    for (auto& job : jobs) queue_.push_back(std::move(job));
    refill();
    to_wake = std::min(idle_, jobs.size() - (server_takes_one ? 1 : 0));
  }
  for (; to_wake > 0; --to_wake) work_.notify_one();
}

bool SlotPool::recall(std::uint64_t handle) {
  Job job;  // freed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(queue_.begin(), queue_.end(), [&](const Job& one) { return one.handle == handle; });
  if (found == queue_.end()) return false;
  job = std::move(*found);
  queue_.erase(found);
  refill();
  return true;
}

std::vector<std::uint64_t> SlotPool::recall_newest(std::size_t count) {
  std::vector<std::uint64_t> taken;
  const std::lock_guard lock(mutex_);
  std::deque<Job> staying;
  for (; taken.size() < count && !queue_.empty(); queue_.pop_back()) {
    if (queue_.back().recallable) {
      taken.push_back(queue_.back().handle);
    } else {
      staying.push_front(std::move(queue_.back()));
    }
  }
  std::move(staying.begin(), staying.end(), std::back_inserter(queue_));
  refill();
  return taken;
}

void SlotPool::cancel(std::uint64_t handle) {
  const std::lock_guard lock(mutex_);
  for (auto& slot : slots_) {
    if (!slot.context || slot.job.handle != handle) continue;
    if (!slot.stopped_at) slot.stopped_at = Clock::now();
    slot.context->cancel(false);
  }
}

void SlotPool::take_finished(std::vector<Finished>& into) {
  into.clear();
  const std::lock_guard lock(mutex_);
  into.swap(finished_);
  woken_ = false;
  refill();
}

std::size_t SlotPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::size_t SlotPool::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

std::vector<RunningInfo> SlotPool::running_jobs() const {
  std::vector<RunningInfo> jobs;
  const std::lock_guard lock(mutex_);
  for (const auto& slot : slots_) {
    if (!slot.context) continue;
    jobs.push_back({slot.job.handle, slot.job.function->info().name, slot.started, slot.context->cancelled()});
  }
  return jobs;
}

std::chrono::nanoseconds SlotPool::mean_job() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(mean_ns_));
}

std::optional<SlotPool::Clock::time_point> SlotPool::oldest_finished() const {
  const std::lock_guard lock(mutex_);
  if (finished_.empty()) return std::nullopt;
  return oldest_finished_;
}

std::optional<SlotPool::Clock::time_point> SlotPool::hold_deadline() const {
  const std::lock_guard lock(mutex_);
  if (finished_.empty() || woken_) return std::nullopt;
  return oldest_finished_ + hold_time();
}

std::optional<SlotPool::Clock::time_point> SlotPool::expire(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (auto& slot : slots_) {
    if (!slot.context || slot.stopped_at || !slot.context->deadline() || now < *slot.context->deadline()) continue;
    slot.stopped_at = now;
    slot.context->cancel(true);
  }
  return earliest_limit();
}

std::optional<SlotPool::Clock::time_point> SlotPool::next_deadline() const {
  const std::lock_guard lock(mutex_);
  return earliest_limit();
}

std::optional<SlotPool::Clock::time_point> SlotPool::earliest_limit() const {
  std::optional<Clock::time_point> earliest;
  for (const auto& slot : slots_) {
    if (!slot.context || slot.stopped_at) continue;
    const auto limit = slot.context->deadline();
    if (limit && (!earliest || *limit < *earliest)) earliest = limit;
  }
  return earliest;
}

bool SlotPool::stuck(Clock::time_point now, std::chrono::nanoseconds grace) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.context && slot.stopped_at && now - *slot.stopped_at >= grace;
  });
}

// ---- the slots' side ----

void SlotPool::run_slot(Slot& slot) {
  // The default of 50 µs by which Linux may delay a sleeper is a twentieth of a short task.
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  std::unique_lock lock(mutex_);
  while (begin_next(slot, lock)) {
    lock.unlock();
    Finished finished{.handle = slot.job.handle, .outcome = {}, .started_unix_us = unix_us_now()};
    finished.outcome = (slot.job.chunked ? run_chunk : run_guarded)(*slot.job.function, *slot.context, slot.job.args);
    const auto ended = Clock::now();
    slot.job.args = {};  // freed without the lock
    finished.duration_ns = std::chrono::nanoseconds(ended - slot.started).count();
    lock.lock();
    if (!finish(slot, std::move(finished), ended)) continue;
    lock.unlock();
    wake_();
    lock.lock();
  }
}

// Waits for a job and makes it this slot's; false: the pool is closing.
bool SlotPool::begin_next(Slot& slot, std::unique_lock<std::mutex>& lock) {
  await_job(lock);
  if (stopping_) return false;
  slot.job = std::move(queue_.front());
  queue_.pop_front();
  slot.started = Clock::now();
  slot.stopped_at.reset();
  std::optional<Clock::time_point> deadline;
  if (const auto limit = slot.job.run_limit; limit.count() > 0 && limit < Clock::time_point::max() - slot.started) {
    deadline = slot.started + limit;
  }
  slot.context.emplace(deadline, slot.job.variable);
  ++running_;
  return true;
}

void SlotPool::await_job(std::unique_lock<std::mutex>& lock) {
  const auto over = [this] { return stopping_ || !queue_.empty(); };
  while (!over() && serve_meanwhile(lock)) continue;
  ++idle_;
  work_.wait(lock, over);
  --idle_;
}

// Only where jobs are brief: it takes the loop away from its thread, which has to come back for longer ones.
bool SlotPool::serve_meanwhile(std::unique_lock<std::mutex>& lock) {
  if (!serve_ || serving_ || fill_ > 1 || mean_ns_ == 0 || mean_ns_ > kBriefNs) return false;
  serving_ = true;
  lock.unlock();
  const bool served = serve_([this] {
    const std::lock_guard looked(mutex_);
    return stopping_ || !queue_.empty();
  });
  lock.lock();
  serving_ = false;
  return served;
}

// True: the loop is to be woken now.
bool SlotPool::finish(Slot& slot, Finished&& finished, Clock::time_point ended) {
  slot.context.reset();
  if (--running_ == 0 && stopping_) closed_.notify_all();
  const auto duration = static_cast<double>(finished.duration_ns);
  mean_ns_ += (mean_ns_ == 0 ? 1 : kMeanWeight) * (duration - mean_ns_);
  if (finished_.empty()) oldest_finished_ = ended;
  finished_.push_back(std::move(finished));
  if (woken_ || !worth_waking(ended)) return false;
  woken_ = true;
  return true;
}

bool SlotPool::worth_waking(Clock::time_point now) const {
  if (queue_.empty()) return true;                                         // this slot would be idle
  if (mean_ns_ > static_cast<double>(hold_.longest.count())) return true;  // the next job would hold this result up
  if (finished_.size() * 2 >= fill_) return true;  // time to fetch more, so that the rest lasts until it comes
  return now - oldest_finished_ >= hold_time();
}

void SlotPool::refill() { fill_ = queue_.size() + running_ + finished_.size(); }

std::chrono::nanoseconds SlotPool::hold_time() const {
  return std::min(std::chrono::nanoseconds(static_cast<std::int64_t>(mean_ns_ * hold_.jobs)), hold_.longest);
}

}  // namespace covey::engine

#include "common/bus/shared_loop.hpp"

#include <utility>

namespace covey::bus {

void SharedLoop::run() {
  std::unique_lock lock(mutex_);
  open_ = true;
  while (!finished_) {
    owner_runs_ = true;
    attention_ = false;  // this is it
    lock.unlock();
    io_.run();
    lock.lock();
    owner_runs_ = false;
    if (!claimed_) break;  // nobody displaced us: it is out of work, or finished
    changed_.notify_all();
    await_own_turn(lock);
    if (!finished_) io_.restart();
  }
  open_ = false;
}

void SharedLoop::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  io_.stop();
  changed_.notify_all();
}

void SharedLoop::attend() {
  const std::lock_guard lock(mutex_);
  if (owner_runs_) return;
  attention_ = true;
  if (!claimed_) changed_.notify_all();
}

bool SharedLoop::claim(bool displace) {
  std::unique_lock lock(mutex_);
  if (!open_ || finished_ || claimed_ || (owner_runs_ && !displace)) return false;
  claimed_ = true;
  ++claims_;
  if (owner_runs_) {
    io_.stop();
    changed_.wait(lock, [this] { return !owner_runs_; });
  }
  if (!finished_) io_.restart();
  return true;
}

void SharedLoop::leave() {
  const std::lock_guard lock(mutex_);
  claimed_ = false;
  rest_until_ = Clock::now() + rest_;
  if (attention_ || tell_owner_ || finished_) changed_.notify_all();
}

// The turns of others are short and many as a rule, and they should not have to wake us: we look by ourselves. Behind one
// that takes long we wait to be told.
void SharedLoop::await_own_turn(std::unique_lock<std::mutex>& lock) {
  std::uint64_t seen = 0;
  while (claimed_ || (!attention_ && !finished_ && Clock::now() < rest_until_)) {
    if (!claimed_) {
      changed_.wait_until(lock, rest_until_);
    } else if (std::exchange(seen, claims_) != claims_) {
      changed_.wait_for(lock, rest_);
    } else {
      tell_owner_ = true;
      changed_.wait(lock);
      tell_owner_ = false;
    }
  }
}

}  // namespace covey::bus

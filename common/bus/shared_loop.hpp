// An io_context that one thread owns, and other threads may run in its place: a thread that waits for something on the loop learns
// of it without another one being woken, and what it does in answer leaves without waking one. One thread runs the loop
// at a time, so what lives on the loop needs no locks. Once another thread has left, the owner lets the loop rest for a moment,
// since whoever works on one thing after another is back at once; then it takes over, so that nothing on the loop is ever
// later than that. Knows nothing of tasks. All members may be called from any thread; enter() and run_until() not from the one
// that runs the loop just now.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace covey::bus {

class SharedLoop {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kRest = std::chrono::microseconds(500);

  // Not before the owner has called it does anybody run the loop.
  explicit SharedLoop(boost::asio::io_context& io, std::chrono::nanoseconds rest = kRest) : io_(io), rest_(rest) {}
  SharedLoop(const SharedLoop&) = delete;
  SharedLoop& operator=(const SharedLoop&) = delete;

  // The owner: runs the loop, with rests, until it is out of work or finish() is called. Afterwards nobody runs it.
  void run();
  void finish();

  // While the loop rests: does `action` as if on the loop, and what is ready on it. False: somebody runs it, or nobody may;
  // nothing was done.
  template <class Action>
  bool enter(Action action) {
    const Turn turn(*this, false);
    if (!turn) return false;
    action();
    io_.poll();
    return true;
  }

  // Runs the loop here until done(), the deadline or finish(). False: another thread does that, or nobody may; nothing was done.
  template <class Done>
  bool run_until(Done done, std::optional<Clock::time_point> deadline) {
    const Turn turn(*this, true);
    if (!turn) return false;
    while (!done() && (deadline ? io_.run_one_until(*deadline) : io_.run_one()) > 0) continue;
    return true;
  }

  // Ends a rest: something was posted, or will come that nobody waits for in run_until().
  void attend();

  boost::asio::io_context& io() { return io_; }

 private:
  // Another thread's right to run the loop.
  class Turn {
   public:
    // `displace`: also if the owner runs it.
    Turn(SharedLoop& loop, bool displace) : loop_(loop), held_(loop.claim(displace)) {}
    ~Turn() {
      if (held_) loop_.leave();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const { return held_; }

   private:
    SharedLoop& loop_;
    const bool held_;
  };

  bool claim(bool displace);
  void leave();
  void await_own_turn(std::unique_lock<std::mutex>& lock);

  boost::asio::io_context& io_;
  const std::chrono::nanoseconds rest_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool open_ = false;       // while the owner is in run()
  bool finished_ = false;
  bool owner_runs_ = false;
  bool claimed_ = false;    // another thread runs the loop, or is about to
  bool attention_ = false;  // no rest
  bool tell_owner_ = false; // it waits without a time
  std::uint64_t claims_ = 0;  // so far
  Clock::time_point rest_until_{};
};

}  // namespace covey::bus

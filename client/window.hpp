// How many unfinished tasks a client may have, and who waits for room. Whoever waits is served in order, and before whoever
// comes later. Any thread; callbacks are called without locks held, on the thread that made room.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

namespace covey::client {

class Window {
 public:
  // True: the room is there and taken. False: the window was closed.
  using Granted = std::function<void(bool)>;

  explicit Window(std::uint64_t limit) : limit_(limit) {}

  // Takes room for so many tasks if it is there and nobody waits for it. An empty window has room for any number.
  bool try_acquire(std::size_t tasks);
  // Waits for it; false: the window was closed.
  bool acquire(std::size_t tasks);
  // Calls back once there is room, perhaps before it returns. The number is for forget().
  std::uint64_t acquire_later(std::size_t tasks, Granted granted);
  // Gives up waiting; false: it was called back already, or will be in a moment.
  bool forget(std::uint64_t waiter);
  void release(std::size_t tasks);
  void set_limit(std::uint64_t limit);
  std::uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  std::uint64_t used() const { return used_.load(); }
  // Sends everybody who waits away, and whoever comes later.
  void close();

 private:
  struct Waiter {
    std::uint64_t number;
    std::size_t tasks;
    Granted granted;
  };
  bool take(std::size_t tasks);
  void grant();

  std::atomic<std::uint64_t> limit_;
  std::atomic<std::uint64_t> used_{0};
  std::atomic<std::size_t> waiting_{0};  // the length of queue_
  std::mutex mutex_;                     // guards what follows
  std::list<Waiter> queue_;
  std::uint64_t next_number_ = 1;
  bool closed_ = false;
};

}  // namespace covey::client

// Lets SIGINT and SIGTERM end an experiment on a named cluster in good order: its tasks are cancelled, so that others have the
// engines again at once. Made on the main thread before any other thread is.
#pragma once

#include <signal.h>

#include <atomic>
#include <stop_token>
#include <thread>

namespace covey::cli {

class BenchInterrupt {
 public:
  BenchInterrupt();
  ~BenchInterrupt();
  BenchInterrupt(const BenchInterrupt&) = delete;
  BenchInterrupt& operator=(const BenchInterrupt&) = delete;
  // A signal came, and tasks were cancelled because of it.
  bool happened() const { return happened_.load(); }

 private:
  void watch(const std::stop_token& stop);
  void end_experiment(int signal, const std::stop_token& stop);
  [[noreturn]] void end_at_once(int signal);

  sigset_t signals_{}, before_{};
  std::atomic<bool> happened_{false};
  std::jthread watcher_;
};

}  // namespace covey::cli

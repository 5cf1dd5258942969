// Lets SIGINT and SIGTERM end an experiment on a named cluster in good order: its tasks are cancelled, so that others have the
// engines again at once. Threads that are there before it must either block these signals or handle them by raising a flag for it.
#pragma once

#include <signal.h>

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

namespace covey::cli {

class BenchInterrupt {
 public:
  explicit BenchInterrupt(const volatile std::sig_atomic_t* flag = nullptr);
  ~BenchInterrupt();
  BenchInterrupt(const BenchInterrupt&) = delete;
  BenchInterrupt& operator=(const BenchInterrupt&) = delete;
  // A signal came or the flag was raised, and tasks were cancelled because of it.
  bool happened() const { return happened_.load(); }

 private:
  void watch(const std::stop_token& stop);
  void end_experiment(int signal, const std::stop_token& stop);
  [[noreturn]] void end_at_once(int signal);

  bool is_flagged() const { return flag_ != nullptr && *flag_ != 0; }

  const volatile std::sig_atomic_t* flag_;
  sigset_t signals_{}, before_{};
  std::atomic<bool> happened_{false};
  std::jthread watcher_;
};

}  // namespace covey::cli

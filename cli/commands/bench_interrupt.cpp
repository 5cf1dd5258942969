#include "cli/commands/bench_interrupt.hpp"

#include <unistd.h>

#include <chrono>

#include "bench/experiments.hpp"
#include "cli/local/own_folder.hpp"

namespace covey::cli {

namespace {

constexpr timespec kLook{0, 50'000'000};
// Tasks that do not heed their cancellation, or a controller that does not answer, hold nobody up for longer.
constexpr auto kPatience = std::chrono::seconds(10);

}  // namespace

// Blocked here, the signals are blocked in all threads that follow, and wait for the watcher.
BenchInterrupt::BenchInterrupt(const volatile std::sig_atomic_t* flag) : flag_(flag) {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGINT);
  ::sigaddset(&signals_, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

BenchInterrupt::~BenchInterrupt() {
  watcher_.request_stop();
  watcher_.join();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void BenchInterrupt::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const int signal = ::sigtimedwait(&signals_, nullptr, &kLook);
    if (signal > 0 || is_flagged()) return end_experiment(signal > 0 ? signal : SIGINT, stop);
  }
}

// The experiment may be about to submit more, hence again and again. A second signal does not wait for it.
void BenchInterrupt::end_experiment(int signal, const std::stop_token& stop) {
  happened_.store(true);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!stop.stop_requested()) {
    if (!bench::cancel_tasks() || std::chrono::steady_clock::now() > deadline) end_at_once(signal);
    if (const int second = ::sigtimedwait(&signals_, nullptr, &kLook); second > 0) end_at_once(second);
  }
}

void BenchInterrupt::end_at_once(int signal) {
  ::pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  local::end_with_folders(signal);
  ::_exit(128 + signal);
}

}  // namespace covey::cli

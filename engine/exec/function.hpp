// What an engine can run. A Function turns arguments into an Outcome; a FunctionTable names them. No NATS, no Asio.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/wire/payload.hpp"
#include "common/wire/status.hpp"

namespace covey::engine {

struct FunctionInfo {
  std::string name;
  std::string description;
  std::string arguments;            // for people: "seconds: number"
  std::vector<wire::Codec> codecs;  // of arguments that it takes
  bool inline_safe = false;         // quick and never blocks: may run on the engine's loop
};

struct Outcome {
  wire::TaskStatus status = wire::TaskStatus::ok;
  wire::Payload value{};
  std::string error{};  // empty where ok
  // What the run printed, as raw bytes, where the function captures it. `exec` does; its value holds the same for
  // people.
  std::string stdout_text{};
  std::string stderr_text{};
};

Outcome failure(wire::TaskStatus status, std::string error);

// One run as its function sees it. One thread runs it; cancel() may come from any other while the context lives.
class CallContext {
 public:
  using Clock = std::chrono::steady_clock;

  CallContext() = default;
  // `deadline`: when the run limit passes. Whoever owns the run enforces it; sleep_for() and `exec` also notice by
  // themselves.
  // `variable`: which of the engine's variables the task names; valid while the context lives.
  explicit CallContext(std::optional<Clock::time_point> deadline, std::string_view variable = {})
      : deadline_(deadline), variable_(variable) {}
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  // True: stop soon, for whichever reason. Cheap enough for inner loops.
  bool cancelled() const { return stop_.load(std::memory_order_relaxed) != kRun; }
  // True: the reason is the run limit.
  bool over_limit() const { return stop_.load(std::memory_order_relaxed) == kOverLimit; }
  std::optional<Clock::time_point> deadline() const { return deadline_; }
  std::string_view variable() const { return variable_; }

  // Sleeps as precisely as nanosleep; false: it was cancelled, or its limit passed, before the end.
  bool sleep_for(std::chrono::nanoseconds duration);
  // Stops the run; `over_limit`: because of its run limit. Of several reasons the first counts.
  void cancel(bool over_limit);
  // For functions that wait for something else than sleep_for(): `hook` is called once by cancel(), on the thread that
  // cancels, or at once where that has happened. It must be quick and not call back. Empty: none; after that call
  // returns, the old hook neither runs nor will.
  void on_cancel(std::function<void()> hook);

 private:
  static constexpr std::uint32_t kRun = 0, kCancelled = 1, kOverLimit = 2;

  std::atomic<std::uint32_t> stop_{kRun};  // also the futex that sleep_for() waits on
  std::optional<Clock::time_point> deadline_;
  std::string_view variable_;
  std::mutex mutex_;  // guards hook_
  std::function<void()> hook_;
};

class Function {
 public:
  virtual ~Function() = default;
  virtual const FunctionInfo& info() const = 0;
  // Several threads may run it at once. May throw; what it throws becomes a failure. The bytes of `args` outlive the call
  // only in a share of a Buffer that says that it is owning().
  virtual Outcome run(CallContext& context, const wire::Payload& args) const = 0;
};

// Runs it, and turns codecs that it does not take, exceptions, and cancellation into outcomes. Never throws (but for
// memory). A run that was told to stop is `cancelled` or `timed_out` even where it completed; what it had printed
// stays.
Outcome run_guarded(const Function& function, CallContext& context, const wire::Payload& args);

// Filled at start-up by one thread, and then only read, by any.
class FunctionTable {
 public:
  // Throws std::invalid_argument where the name is taken.
  void add(std::unique_ptr<Function> function);
  const Function* find(std::string_view name) const;  // nullptr: none; else valid while the table lives
  std::vector<std::string> names() const;             // sorted
  std::size_t size() const { return by_name_.size(); }

 private:
  std::map<std::string, std::unique_ptr<Function>, std::less<>> by_name_;
};

}  // namespace covey::engine

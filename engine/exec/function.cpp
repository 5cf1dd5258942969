#include "engine/exec/function.hpp"

#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <utility>

namespace covey::engine {

namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t) &&
              std::atomic<std::uint32_t>::is_always_lock_free);

// Returns when the word is no longer `expected`, when somebody wakes it, at `until`, or for a signal.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, CallContext::Clock::time_point until) {
  const auto ns = std::chrono::nanoseconds(until.time_since_epoch()).count();
  const timespec deadline{static_cast<std::time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  // This one takes an absolute time of CLOCK_MONOTONIC, which is what steady_clock shows.
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
}

void futex_wake(std::atomic<std::uint32_t>& word) { ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX); }

// What a run that was told to stop ended as, whatever it says itself; its own words stay where they say the same.
Outcome stopped(Outcome&& outcome, wire::TaskStatus status, std::string_view error) {
  if (outcome.status != status || outcome.error.empty()) outcome.error = error;
  outcome.status = status;
  return std::move(outcome);
}

Outcome run_caught(const Function& function, CallContext& context, const wire::Payload& args) {
  try {
    return function.run(context, args);
  } catch (const std::exception& error) {
    return failure(wire::TaskStatus::failed, error.what());
  } catch (...) {
    return failure(wire::TaskStatus::failed, "it threw something that is no std::exception");
  }
}

Outcome refuse_codec(const FunctionInfo& info, wire::Codec codec) {
  std::vector<std::string_view> taken;
  for (const auto one : info.codecs) taken.push_back(to_string(one));
  return failure(wire::TaskStatus::bad_arguments, fmt::format("{}: takes arguments as {}, got {}", info.name,
                                                              fmt::join(taken, " or "), to_string(codec)));
}

}  // namespace

Outcome failure(wire::TaskStatus status, std::string error) { return {.status = status, .error = std::move(error)}; }

// A futex, because it costs what nanosleep costs and can be woken.
bool CallContext::sleep_for(std::chrono::nanoseconds duration) {
  const auto now = Clock::now();
  auto until = duration < Clock::time_point::max() - now ? now + duration : Clock::time_point::max();
  const bool limited = deadline_ && *deadline_ < until;
  if (limited) until = *deadline_;
  while (!cancelled()) {
    if (duration.count() > 0) futex_wait(stop_, kRun, until);
    if (Clock::now() < until) continue;
    if (limited) cancel(true);
    break;
  }
  return !cancelled();
}

void CallContext::cancel(bool over_limit) {
  std::uint32_t expected = kRun;
  if (!stop_.compare_exchange_strong(expected, over_limit ? kOverLimit : kCancelled)) return;
  futex_wake(stop_);
  const std::lock_guard lock(mutex_);
  if (const auto hook = std::exchange(hook_, nullptr)) hook();
}

void CallContext::on_cancel(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
  // A cancel() that comes between the two calls the hook itself: it is still waiting for the mutex, and finds none.
  if (hook_ && cancelled()) std::exchange(hook_, nullptr)();
}

Outcome run_guarded(const Function& function, CallContext& context, const wire::Payload& args) {
  const auto& info = function.info();
  if (std::find(info.codecs.begin(), info.codecs.end(), args.codec) == info.codecs.end()) {
    return refuse_codec(info, args.codec);
  }
  Outcome outcome = run_caught(function, context, args);
  if (!context.cancelled()) return outcome;
  if (context.over_limit())
    return stopped(std::move(outcome), wire::TaskStatus::timed_out, "it ran longer than its limit");
  return stopped(std::move(outcome), wire::TaskStatus::cancelled, "cancelled while it ran");
}

void FunctionTable::add(std::unique_ptr<Function> function) {
  const std::string name = function->info().name;
  if (!by_name_.emplace(name, std::move(function)).second) {
    throw std::invalid_argument(fmt::format("there are two functions named '{}'", name));
  }
}

const Function* FunctionTable::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

std::vector<std::string> FunctionTable::names() const {
  std::vector<std::string> names;
  for (const auto& [name, function] : by_name_) names.push_back(name);
  return names;
}

}  // namespace covey::engine

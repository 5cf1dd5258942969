// The future of one task or of a map. Any thread may hold, copy and ask it; the results come from the client's loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/wire/ids.hpp"
#include "common/wire/payload.hpp"
#include "common/wire/status.hpp"

namespace covey::client {

class Session;
struct ResultState;

// What is known of a task besides its value. Times are Unix times in microseconds; those of the run are the engine's clock.
struct Metadata {
  wire::TaskId task;
  wire::TaskStatus status = wire::TaskStatus::ok;
  std::string error;
  std::uint32_t attempts = 0;
  wire::Incarnation engine = wire::Incarnation::none;
  std::int64_t started_unix_us = 0;
  std::uint64_t duration_us = 0;
};

// A task that ended as anything but ok; what() is its error.
class TaskError : public std::runtime_error {
 public:
  TaskError(const Metadata& metadata, std::size_t index);
  const Metadata& metadata() const { return metadata_; }
  std::size_t index() const { return index_; }

 private:
  Metadata metadata_;
  std::size_t index_;
};

class TimeoutError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class AsyncResult {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

  AsyncResult() = default;
  explicit AsyncResult(std::shared_ptr<ResultState> state) : state_(std::move(state)) {}

  std::size_t size() const;      // tasks
  std::size_t progress() const;  // tasks that have ended
  bool ready() const { return progress() == size(); }
  bool successful() const;  // ready, and every task ended as ok

  // Waits; false: the time passed first. Not from the client's own loop.
  bool wait(std::chrono::nanoseconds timeout = kForever) const;
  // Calls back on the client's loop once all tasks have ended, at once if they have.
  void on_ready(std::function<void()> callback) const;

  // The value of task `index`, in the order of submission. Throws TimeoutError, or TaskError where it did not end as ok.
  wire::Payload get(std::chrono::nanoseconds timeout = kForever) const { return get_at(0, timeout); }
  wire::Payload get_at(std::size_t index, std::chrono::nanoseconds timeout = kForever) const;
  Metadata metadata(std::size_t index = 0) const;  // of a task that has ended

  // The index of the next task to have ended, in the order of completion; nullopt once all have been handed out or the
  // time has passed. For one consumer.
  std::optional<std::size_t> next(std::chrono::nanoseconds timeout = kForever) const;

  // Cancels what has not ended.
  void abort() const;

  std::chrono::nanoseconds elapsed() const;      // from the first submission to the last result, or until now
  std::chrono::nanoseconds serial_time() const;  // the sum of what the tasks took on their engines
  double speedup() const;                        // serial_time ÷ elapsed

 private:
  friend class Client;
  std::shared_ptr<ResultState> state_;
};

}  // namespace covey::client

// The future of one task, or of the elements of a map or of a DirectView's call. Any thread may hold, copy and ask it; the
// results come from the client's loop.
#pragma once

#include <boost/asio/async_result.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/completion.hpp"
#include "common/wire/ids.hpp"
#include "common/wire/payload.hpp"
#include "common/wire/status.hpp"

namespace covey::client {

class Session;
struct ResultState;
class Completed;
class CompletedRange;

// What is known of a task besides its value. Times are Unix times in microseconds, 0 where it never ran.
struct Metadata {
  wire::TaskId task;  // elements of one chunk have it in common
  wire::TaskStatus status = wire::TaskStatus::ok;
  std::string error;
  std::uint32_t attempts = 0;
  wire::Incarnation engine = wire::Incarnation::none;
  std::int64_t submitted_unix_us = 0;  // by this client's clock
  std::int64_t started_unix_us = 0;    // of the last run, by the engine's clock
  std::int64_t completed_unix_us = 0;  // likewise
  std::uint64_t duration_us = 0;       // of the last run
  std::string stdout_text, stderr_text;           // of a process: the end of what it printed, up to 16 KiB of each
  bool stdout_cut = false, stderr_cut = false;  // it printed more before that
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

  std::size_t size() const;      // elements: tasks, or what they have in their chunks
  std::size_t progress() const;  // of them, how many have ended
  bool ready() const { return progress() == size(); }
  bool successful() const;  // ready, and every one ended as ok

  // Waits; false: the time passed first. Not from the client's own loop.
  bool wait(std::chrono::nanoseconds timeout = kForever) const;
  // Calls back on the client's loop once all have ended, at once if they have.
  void on_ready(std::function<void()> callback) const;

  // The value of element `index`, in the order of submission. Throws TimeoutError, or TaskError where it did not end as ok.
  wire::Payload get(std::chrono::nanoseconds timeout = kForever) const { return get_at(0, timeout); }
  wire::Payload get_at(std::size_t index, std::chrono::nanoseconds timeout = kForever) const;
  // All values, in the order of submission. Throws for the first that did not end as ok, once all have ended.
  std::vector<wire::Payload> get_all(std::chrono::nanoseconds timeout = kForever) const;
  Metadata metadata(std::size_t index = 0) const;  // of an element that has ended

  // The index of the next element to have ended, in the order of completion; nullopt once all have been handed out or the
  // time has passed. For one consumer.
  std::optional<std::size_t> next(std::chrono::nanoseconds timeout = kForever) const;

  // For range-for, each waiting for the next: as they complete; in the order of submission; or as the map was told to. Throws
  // TimeoutError if the next has not come within `timeout`.
  CompletedRange as_completed(std::chrono::nanoseconds timeout = kForever) const;
  CompletedRange in_order(std::chrono::nanoseconds timeout = kForever) const;
  CompletedRange results(std::chrono::nanoseconds timeout = kForever) const;

  // Completes with void(error_code) once all have ended, or so many of them, on the handler's executor, or on the client's loop
  // if it has none. Cancelling it ends the wait, not the tasks:
  //   co_await result.async_wait(asio::use_awaitable);
  //   co_await (result.async_wait(asio::use_awaitable) || timer.async_wait(asio::use_awaitable));
  template <class Token>
  auto async_wait(Token&& token) const {
    return async_wait_for(size(), std::forward<Token>(token));
  }
  template <class Token>
  auto async_wait_for(std::size_t count, Token&& token) const {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [](auto handler, AsyncResult result, std::size_t wanted) {
          auto completion = make_completion(std::move(handler), result.loop());
          completion->on_cancel([result](Completion& waiting) { result.give_up(waiting); });
          result.wait_later(wanted, std::move(completion));
        },
        token, *this, count);
  }

  // Cancels what has not ended.
  void abort() const;

  std::chrono::nanoseconds elapsed() const;      // from the first submission to the last result, or until now
  std::chrono::nanoseconds serial_time() const;  // the sum of what the tasks took on their engines
  double speedup() const;                        // serial_time ÷ elapsed

 private:
  friend class Client;
  friend class CompletedRange;
  boost::asio::any_io_executor loop() const;
  void wait_later(std::size_t count, std::shared_ptr<Completion> completion) const;
  void give_up(Completion& completion) const;
  bool wait_at(std::size_t index, std::chrono::nanoseconds timeout) const;
  // The index of the element that was the `position`th to end; waits for it.
  std::size_t completed_at(std::size_t position, std::chrono::nanoseconds timeout) const;

  std::shared_ptr<ResultState> state_;
};

// One element that has ended.
class Completed {
 public:
  Completed(const AsyncResult& result, std::size_t index) : result_(&result), index_(index) {}
  std::size_t index() const { return index_; }
  bool ok() const { return metadata().status == wire::TaskStatus::ok; }
  wire::Payload get() const { return result_->get_at(index_); }  // throws TaskError
  Metadata metadata() const { return result_->metadata(index_); }

 private:
  const AsyncResult* result_;
  std::size_t index_;
};

// Goes once through a result, from the beginning, for as many consumers as like; each has a range of its own.
class CompletedRange {
 public:
  class Iterator {
   public:
    using value_type = Completed;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(const CompletedRange& range) : range_(&range) {}
    Completed operator*() const;
    Iterator& operator++() {
      ++position_;
      return *this;
    }
    void operator++(int) { ++position_; }
    bool operator==(std::default_sentinel_t) const { return position_ == range_->result_.size(); }

   private:
    const CompletedRange* range_;
    std::size_t position_ = 0;
  };

  Iterator begin() const { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class AsyncResult;
  CompletedRange(AsyncResult result, bool by_completion, std::chrono::nanoseconds timeout)
      : result_(std::move(result)), by_completion_(by_completion), timeout_(timeout) {}
  AsyncResult result_;
  bool by_completion_;
  std::chrono::nanoseconds timeout_;
};

}  // namespace covey::client

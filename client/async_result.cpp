#include "client/async_result.hpp"

#include <fmt/format.h>

#include "client/session.hpp"
#include "common/wire/records.hpp"

namespace covey::client {

namespace {

Metadata metadata_of(const ResultState& state, const Outcome& outcome) {
  Metadata metadata;
  metadata.task = {state.session->id(), outcome.sequence};
  metadata.attempts = outcome.attempts;
  metadata.engine = outcome.engine;
  if (const auto report = wire::decode_report(outcome.report.span())) {
    metadata.status = report->status;
    metadata.error = report->error;
    metadata.started_unix_us = report->started_unix_us;
    metadata.duration_us = report->duration_us;
  }
  return metadata;
}

// Counts the caller among those who want to be woken.
class Waiter {
 public:
  explicit Waiter(ResultState& state) : state_(state) { state_.waiters.fetch_add(1); }
  ~Waiter() { state_.waiters.fetch_sub(1); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

 private:
  ResultState& state_;
};

template <class Predicate>
bool wait_until(ResultState& state, std::chrono::nanoseconds timeout, Predicate predicate) {
  const Waiter waiter(state);
  std::unique_lock lock(state.session->waiting);
  if (timeout == AsyncResult::kForever) {
    state.session->changed.wait(lock, predicate);
    return true;
  }
  return state.session->changed.wait_for(lock, timeout, predicate);
}

}  // namespace

TaskError::TaskError(const Metadata& metadata, std::size_t index)
    : std::runtime_error(fmt::format("task {} {}: {}", wire::to_string(metadata.task), wire::to_string(metadata.status), metadata.error)),
      metadata_(metadata),
      index_(index) {}

std::size_t AsyncResult::size() const { return state_ ? state_->total : 0; }
std::size_t AsyncResult::progress() const { return state_ ? state_->done.load(std::memory_order_acquire) : 0; }
bool AsyncResult::successful() const { return ready() && (!state_ || state_->failed.load() == 0); }

bool AsyncResult::wait(std::chrono::nanoseconds timeout) const {
  if (ready()) return true;
  return wait_until(*state_, timeout, [this] { return ready(); });
}

void AsyncResult::on_ready(std::function<void()> callback) const {
  if (state_) {
    const std::lock_guard lock(state_->session->waiting);
    state_->waiters.fetch_add(1);  // for good: the loop has to look
    if (!ready()) {
      state_->callbacks.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

wire::Payload AsyncResult::get_at(std::size_t index, std::chrono::nanoseconds timeout) const {
  if (index >= size()) throw std::out_of_range(fmt::format("task {} of {}", index, size()));
  if (!state_->has_outcome(index) && !wait_until(*state_, timeout, [&] { return state_->has_outcome(index); })) {
    throw TimeoutError(fmt::format("no result within {:.3f} s", std::chrono::duration<double>(timeout).count()));
  }
  const Outcome& outcome = state_->outcome(index);
  const auto report = wire::decode_report(outcome.report.span());
  if (!report || report->status != wire::TaskStatus::ok) throw TaskError(metadata_of(*state_, outcome), index);
  if (outcome.value) return *outcome.value;
  const auto content = wire::decode_content(report->content);
  if (!content) throw std::runtime_error("malformed result");
  return {content->codec, wire::Buffer::copy_of(content->bytes)};
}

Metadata AsyncResult::metadata(std::size_t index) const {
  if (index >= size() || !state_->has_outcome(index)) throw std::logic_error("the task has not ended");
  return metadata_of(*state_, state_->outcome(index));
}

std::optional<std::size_t> AsyncResult::next(std::chrono::nanoseconds timeout) const {
  if (size() == 0) return std::nullopt;
  if (!state_->ordered) {
    if (state_->handed_out > 0 || !wait(timeout)) return std::nullopt;
    state_->handed_out = 1;
    return 0;
  }
  const auto some = [this] { return state_->handed_out < state_->order.size(); };
  const Waiter waiter(*state_);
  std::unique_lock lock(state_->session->waiting);
  if (state_->handed_out == state_->total) return std::nullopt;
  if (timeout == kForever) {
    state_->session->changed.wait(lock, some);
  } else if (!state_->session->changed.wait_for(lock, timeout, some)) {
    return std::nullopt;
  }
  return state_->order[state_->handed_out++];
}

void AsyncResult::abort() const {
  if (state_ && !ready()) state_->session->cancel(state_);
}

std::chrono::nanoseconds AsyncResult::elapsed() const {
  if (!state_) return {};
  const auto finished = std::chrono::nanoseconds(state_->finished_ns.load());
  const auto until = finished.count() > 0 ? finished : Clock::now().time_since_epoch();
  return until - state_->submitted.time_since_epoch();
}

std::chrono::nanoseconds AsyncResult::serial_time() const {
  std::chrono::nanoseconds sum{};
  for (std::size_t i = 0; i < size(); ++i) {
    if (state_->has_outcome(i)) sum += std::chrono::microseconds(metadata(i).duration_us);
  }
  return sum;
}

double AsyncResult::speedup() const {
  const auto wall = elapsed().count();
  return wall > 0 ? static_cast<double>(serial_time().count()) / static_cast<double>(wall) : 0;
}

}  // namespace covey::client

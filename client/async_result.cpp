#include "client/async_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/system_executor.hpp>
#include <mutex>
#include <optional>

#include "client/session.hpp"
#include "common/wire/records.hpp"

namespace covey::client {

namespace {

Metadata metadata_of(const ResultState& state, const Outcome& outcome) {
  Metadata metadata;
  metadata.task = {state.session->id(), outcome.sequence};
  metadata.attempts = outcome.attempts;
  metadata.engine = outcome.engine;
  metadata.submitted_unix_us = outcome.submitted_unix_us;
  if (const auto report = wire::decode_report(outcome.report.span())) {
    metadata.status = report->status;
    metadata.error = report->error;
    metadata.started_unix_us = report->started_unix_us;
    metadata.duration_us = report->duration_us;
    if (report->started_unix_us != 0) metadata.completed_unix_us = report->started_unix_us + static_cast<std::int64_t>(report->duration_us);
    metadata.stdout_text = report->output.out;
    metadata.stderr_text = report->output.err;
    metadata.stdout_cut = report->output.out_cut;
    metadata.stderr_cut = report->output.err_cut;
  }
  return metadata;
}

using Lock = std::unique_lock<std::mutex>;
using Deadline = std::optional<std::chrono::steady_clock::time_point>;

Deadline deadline_in(std::chrono::nanoseconds timeout) {
  return timeout == AsyncResult::kForever ? Deadline() : std::chrono::steady_clock::now() + timeout;
}

// Waits under `lock` until `until` elements have ended; false: not in time.
bool wait_for_count(ResultState& state, Lock& lock, std::size_t until, Deadline deadline) {
  ResultState::Need need{until};
  state.needs.push_back(&need);
  state.set_wake_at();
  if (state.done.load() < until) {
    const auto told = [&] { return need.told; };
    deadline ? static_cast<void>(state.session->changed.wait_until(lock, *deadline, told)) : state.session->changed.wait(lock, told);
  }
  if (need.told) return true;
  std::erase(state.needs, &need);
  state.set_wake_at();
  return state.done.load() >= until;
}

// Waits for the elements one after another until they are what is wanted.
template <class Predicate>
bool wait_until(ResultState& state, Lock& lock, Deadline deadline, Predicate predicate) {
  while (true) {
    const std::size_t done = state.done.load();
    if (predicate()) return true;
    if (!wait_for_count(state, lock, done + 1, deadline)) return predicate();
  }
}

[[noreturn]] void throw_timeout(std::chrono::nanoseconds timeout) {
  throw TimeoutError(fmt::format("no result within {:.3f} s", std::chrono::duration<double>(timeout).count()));
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
  const Deadline deadline = deadline_in(timeout);
  state_->session->run_for(*state_, state_->total, deadline);
  if (ready()) return true;
  Lock lock(state_->session->waiting);
  return wait_for_count(*state_, lock, state_->total, deadline);
}

void AsyncResult::on_ready(std::function<void()> callback) const {
  if (state_) {
    state_->session->calls_back();
    const std::lock_guard lock(state_->session->waiting);
    state_->callbacks.push_back(std::move(callback));
    state_->set_wake_at();
    if (!ready()) return;
    callback = std::move(state_->callbacks.back());
    state_->callbacks.pop_back();
    state_->set_wake_at();
  }
  callback();
}

bool AsyncResult::wait_at(std::size_t index, std::chrono::nanoseconds timeout) const {
  if (state_->has_outcome(index)) return true;
  const Deadline deadline = deadline_in(timeout);
  state_->session->run_for(*state_, state_->total, deadline);
  Lock lock(state_->session->waiting);
  return wait_until(*state_, lock, deadline, [&] { return state_->has_outcome(index); });
}

wire::Payload AsyncResult::get_at(std::size_t index, std::chrono::nanoseconds timeout) const {
  if (index >= size()) throw std::out_of_range(fmt::format("task {} of {}", index, size()));
  if (!wait_at(index, timeout)) throw_timeout(timeout);
  const Outcome& outcome = state_->outcome(index);
  const auto report = wire::decode_report(outcome.report.span());
  if (!report || report->status != wire::TaskStatus::ok) throw TaskError(metadata_of(*state_, outcome), index);
  if (outcome.value) return *outcome.value;
  const auto content = wire::decode_content(report->content);
  if (!content) throw std::runtime_error("malformed result");
  return {content->codec, wire::Buffer::copy_of(content->bytes)};
}

std::vector<wire::Payload> AsyncResult::get_all(std::chrono::nanoseconds timeout) const {
  if (!wait(timeout)) throw_timeout(timeout);
  std::vector<wire::Payload> values;
  values.reserve(size());
  for (std::size_t i = 0; i < size(); ++i) values.push_back(get_at(i));
  return values;
}

Metadata AsyncResult::metadata(std::size_t index) const {
  if (index >= size() || !state_->has_outcome(index)) throw std::logic_error("the task has not ended");
  return metadata_of(*state_, state_->outcome(index));
}

std::optional<std::size_t> AsyncResult::next(std::chrono::nanoseconds timeout) const {
  if (size() == 0) return std::nullopt;
  if (!state_->keeps_order) {
    if (state_->handed_out > 0 || !wait(timeout)) return std::nullopt;
    state_->handed_out = 1;
    return 0;
  }
  const auto some = [this] { return state_->handed_out < state_->order.size(); };
  Lock lock(state_->session->waiting);
  if (state_->handed_out == state_->total || !wait_until(*state_, lock, deadline_in(timeout), some)) return std::nullopt;
  return state_->order[state_->handed_out++];
}

// ---- ranges ----

CompletedRange AsyncResult::as_completed(std::chrono::nanoseconds timeout) const { return {*this, true, timeout}; }
CompletedRange AsyncResult::in_order(std::chrono::nanoseconds timeout) const { return {*this, false, timeout}; }
CompletedRange AsyncResult::results(std::chrono::nanoseconds timeout) const { return {*this, state_ && !state_->in_order, timeout}; }

std::size_t AsyncResult::completed_at(std::size_t position, std::chrono::nanoseconds timeout) const {
  if (!state_->keeps_order) return 0;
  Lock lock(state_->session->waiting);
  if (!wait_until(*state_, lock, deadline_in(timeout), [&] { return state_->order.size() > position; })) throw_timeout(timeout);
  return state_->order[position];
}

Completed CompletedRange::Iterator::operator*() const {
  const AsyncResult& result = range_->result_;
  const std::size_t index = range_->by_completion_ ? result.completed_at(position_, range_->timeout_) : position_;
  if (!result.wait_at(index, range_->timeout_)) throw_timeout(range_->timeout_);
  return {result, index};
}

// ---- waiting without blocking ----

boost::asio::any_io_executor AsyncResult::loop() const {
  if (!state_) return boost::asio::system_executor();
  return state_->session->executor();
}

void AsyncResult::wait_later(std::size_t count, std::shared_ptr<Completion> completion) const {
  if (state_) {
    state_->session->calls_back();
    const std::lock_guard lock(state_->session->waiting);
    const std::size_t until = std::min(count, state_->total);
    state_->waits.push_back({until, std::move(completion)});
    state_->set_wake_at();
    if (state_->done.load() < until) return;
    completion = std::move(state_->waits.back().completion);
    state_->waits.pop_back();
    state_->set_wake_at();
  }
  completion->complete({});
}

void AsyncResult::give_up(Completion& completion) const {
  std::shared_ptr<Completion> waiting;
  if (state_) {
    const std::lock_guard lock(state_->session->waiting);
    const auto found = std::find_if(state_->waits.begin(), state_->waits.end(), [&](const auto& wait) { return wait.completion.get() == &completion; });
    if (found == state_->waits.end()) return;  // it has ended, and its handler is on its way
    waiting = std::move(found->completion);
    state_->waits.erase(found);
    state_->set_wake_at();
  }
  completion.complete(boost::asio::error::operation_aborted);
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

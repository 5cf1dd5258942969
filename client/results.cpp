// How results reach the states that AsyncResults share with the loop. See session.hpp.
#include <algorithm>
#include <utility>

#include "client/session.hpp"
#include "common/wire/records.hpp"

namespace covey::client {

namespace {

// Keeps the report, and a value too large for it apart.
void keep(Outcome& outcome, const wire::RunReport& report, std::unique_ptr<const wire::Payload> value) {
  wire::Writer encoded;
  wire::encode_report(encoded, report);
  outcome.report = wire::SmallBytes(encoded.span());
  outcome.value = std::move(value);
}

// The run of reports that a chunk came back as; empty where it has none.
wire::Payload run_of(const ResultView& result) {
  if (!result.value.buffer.empty()) return result.value;
  const auto content = wire::decode_content(result.report.content);
  if (!content || content->bytes.empty()) return {};
  return {content->codec, wire::Buffer(nullptr, content->bytes)};
}

// One element of a chunk. A large value shares the chunk's memory, a small one is copied.
void keep_element(Outcome& outcome, wire::RunReport report, const wire::Buffer& run) {
  std::unique_ptr<const wire::Payload> value;
  const auto content = wire::decode_content(report.content);
  if (content && content->bytes.size() > wire::kInlinePayloadBytes && run.owning()) {
    const auto offset = static_cast<std::size_t>(content->bytes.data() - run.data());
    value = std::make_unique<const wire::Payload>(wire::Payload{content->codec, run.slice(offset, content->bytes.size())});
    report.content = {};
  }
  keep(outcome, report, std::move(value));
}

// For an element of which a chunk says nothing: because it never ran, because its value stays with the controller, or, if it
// says something of others, because it is malformed.
wire::RunReport without_word(wire::RunReport report, bool of_others) {
  if (of_others && report.status == wire::TaskStatus::ok) {
    report.status = wire::TaskStatus::failed;
    report.error = "the engine's answer to a chunk is malformed";
  }
  report.content = {};
  return report;
}

void keep_chunk(ResultState& state, std::size_t first, std::size_t count, const ResultView& result) {
  const wire::Payload run = run_of(result);
  wire::Reader in(run.buffer.span());
  for (std::size_t i = first; i < first + count; ++i) {
    const auto item = wire::next_of_run(in);
    const auto report = item ? wire::decode_report(*item) : std::nullopt;
    if (report) {
      keep_element(state.outcome(i), *report, run.buffer);
    } else {
      keep(state.outcome(i), without_word(result.report, !run.buffer.empty()), nullptr);
    }
  }
}

}  // namespace

void Session::on_result(std::uint64_t cookie, const ResultView& result) {
  auto* segment = reinterpret_cast<Segment*>(cookie);
  const std::shared_ptr<ResultState> state = segment->state;
  const std::size_t first = segment->first_element_of(result.sequence);
  const std::size_t count = segment->elements_of(result.sequence);
  if (segment->chunk == 0) {
    const bool large = !result.value.buffer.empty();
    keep(state->outcome(first), result.report, large ? std::make_unique<const wire::Payload>(result.value) : nullptr);
  } else {
    keep_chunk(*state, first, count, result);
  }
  for (std::size_t i = first; i < first + count; ++i) {
    Outcome& outcome = state->outcome(i);
    outcome.sequence = result.sequence;
    outcome.attempts = result.attempts;
    outcome.engine = result.engine;
    outcome.submitted_unix_us = segment->submitted_unix_us;
    if (wire::report_status(outcome.report.span()) != wire::TaskStatus::ok) state->failed.fetch_add(1, std::memory_order_relaxed);
  }
  if (--segment->left == 0) {
    segment->state = nullptr;
    if (segment != &state->segment) delete segment;
  }
  publish(*state, first, count);
}

// Shows elements to whoever asks, and wakes whoever waits for them.
void Session::publish(ResultState& state, std::size_t first, std::size_t count) {
  const std::size_t done = state.done.load(std::memory_order_relaxed) + count;
  if (done == state.total) state.finished_ns.store(std::chrono::steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  if (state.keeps_order) {
    for (std::size_t i = first; i < first + count; ++i) state.has[i].store(true, std::memory_order_release);
    const std::lock_guard lock(waiting);
    for (std::size_t i = first; i < first + count; ++i) state.order.push_back(static_cast<std::uint32_t>(i));
  }
  state.done.fetch_add(count);
  window_.release(1);
  if (done < state.wake_at.load()) return;
  ResultState::Woken woken;
  {
    const std::lock_guard lock(waiting);
    woken = state.take_woken(done);
    if (woken.threads) changed.notify_all();
  }
  for (const auto& wait : woken.waits) wait.completion->complete({});
  for (const auto& callback : woken.callbacks) callback();
}

}  // namespace covey::client

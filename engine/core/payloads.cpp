// Payloads that travel by reference: arguments that are fetched before a run begins, and values that wait here until they
// have been read. See engine_core.hpp.
#include <algorithm>
#include <utility>

#include "engine/core/engine_core.hpp"

namespace covey::engine {

// ---- arguments ----

void EngineCore::await_args(RunHandle run, const wire::TaskSpec& spec, const wire::ContentView& content, bool recallable) {
  awaiting_.emplace(run, Awaiting{spec, content.codec, *content.reference, recallable});
  to_fetch_.push_back(run);
  fetch_args();
}

void EngineCore::fetch_args() {
  for (; !to_fetch_.empty(); to_fetch_.pop_front()) {
    const RunHandle run = to_fetch_.front();
    const auto next = awaiting_.find(run);
    if (next == awaiting_.end()) continue;
    const wire::BlobReference& blob = next->second.blob;
    if (fetched_bytes_ > 0 && fetched_bytes_ + blob.size > config_.max_args_bytes) return;
    fetched_bytes_ += blob.size;
    fetched_.emplace(run, blob.size);
    fetcher_.fetch(run, blob);
  }
}

void EngineCore::forget_run(std::unordered_map<RunHandle, Run>::iterator run) {
  if (const auto args = fetched_.extract(run->first); !args.empty()) {
    fetched_bytes_ -= args.mapped();
    fetch_args();
  }
  runs_.erase(run);
}

void EngineCore::on_fetched(std::uint64_t run, wire::Buffer payload) {
  const auto waited = awaiting_.extract(run);
  const auto found = runs_.find(run);
  if (waited.empty() || found == runs_.end()) return;
  const Awaiting& order = waited.mapped();
  port_.start({run, found->second.task, &order.spec, {order.codec, std::move(payload)}, true, order.recallable, now_});
}

void EngineCore::on_fetch_failed(std::uint64_t run, wire::FetchError error) {
  if (awaiting_.erase(run) == 0) return;
  if (error == wire::FetchError::gone) {
    end_early(run, wire::TaskStatus::payload_lost, "whoever held the arguments no longer has them");
  } else {
    end_early(run, wire::TaskStatus::payload_unreachable, "whoever holds the arguments does not answer");
  }
}

// Runs that have not begun, the newest first: those without arguments are newer than those that wait for a slot.
std::vector<RunHandle> EngineCore::take_back(std::size_t count) {
  std::vector<RunHandle> taken;
  for (auto at = awaiting_.end(); at != awaiting_.begin() && taken.size() < count;) {
    --at;
    if (!at->second.recallable) continue;
    taken.push_back(at->first);
    fetcher_.forget(at->first);
    at = awaiting_.erase(at);
  }
  for (const RunHandle run : port_.recall(count - taken.size())) taken.push_back(run);
  return taken;
}

bool EngineCore::cancel(RunHandle run) {
  if (awaiting_.erase(run) == 0) return port_.cancel(run);
  fetcher_.forget(run);
  return true;
}

// ---- values ----

wire::BlobReference EngineCore::hold(wire::Buffer value) {
  const std::uint64_t number = next_value_++;
  const std::uint64_t size = value.size();
  value_bytes_ += size;
  values_[number].bytes = std::move(value);
  return {self_, static_cast<std::uint8_t>(wire::Role::engine), number, size};
}

void EngineCore::note_value(const Run& run, wire::ByteSpan report) {
  const auto reference = wire::report_reference(report);
  const auto found = reference ? values_.find(reference->blob) : values_.end();
  if (found == values_.end()) return;
  found->second.task = run.task;
  found->second.report = wire::as_text(report);
  found->second.client = run.client;
}

void EngineCore::drop_value(wire::ByteSpan report) {
  if (const auto reference = wire::report_reference(report)) release(reference->blob);
}

// After its report: the controller takes over only what it knows of.
void EngineCore::spill_value(wire::ByteSpan report) {
  const auto reference = wire::report_reference(report);
  const auto found = reference ? values_.find(reference->blob) : values_.end();
  if (found != values_.end()) spill(found->first, found->second);
}

void EngineCore::release(std::uint64_t number) {
  const auto found = values_.find(number);
  if (found == values_.end()) return;
  value_bytes_ -= found->second.bytes.size();
  values_.erase(found);
}

void EngineCore::release_values_of(const DirectId& client) {
  std::erase_if(values_, [&](const auto& item) {
    if (item.second.client != client) return false;
    value_bytes_ -= item.second.bytes.size();
    return true;
  });
}

void EngineCore::report_values_again(wire::Link& link) {
  for (const auto& [number, value] : values_) {
    if (value.report.empty() || !value.of_controller()) continue;
    wire::encode(link.record(), wire::FinishedRecord{wire::kAdoptedBit, value.task, wire::as_bytes(value.report)});
  }
}

// We leave: the controller takes over what has not been read. Clients of the scheme direct have to read for themselves.
void EngineCore::spill_values() {
  for (const auto& [number, value] : values_) spill(number, value);
}

void EngineCore::spill(std::uint64_t number, const Value& value) {
  wire::Link* link = uplink_.link();
  if (link == nullptr || value.report.empty() || !value.of_controller()) return;
  wire::encode(link->record(), wire::SpillRecord{number, value.bytes.size()});
}

void EngineCore::on_payload_frame(wire::Role sender, const wire::Frame& frame, wire::Time now) {
  const auto content = wire::decode_payload_frame(frame.body);
  if (!content || frame.header.to != self_) {
    ++malformed_frames_;
    return;
  }
  if (content->kind != wire::PayloadFrame::Kind::want) return fetcher_.on_frame(frame, *content, now);
  const auto found = values_.find(content->blob);
  wire::answer_want({self_, wire::Role::engine, &subjects_}, sender, frame, *content,
                    found == values_.end() ? nullptr : &found->second.bytes, port_);
}

}  // namespace covey::engine

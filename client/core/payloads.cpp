// Payloads that travel by reference: arguments that stay here until an engine fetches them, and values of results that are
// fetched before the result is handed out. See client_core.hpp.
#include <algorithm>
#include <utility>

#include "client/core/client_core.hpp"

namespace covey::client {

// A result may come again while its value is on its way: from another holder, or because the first was lost.
void ClientCore::fetch_value(const wire::ResultRecord& record, const wire::RunReport& report, const wire::ContentView& content) {
  ClientTask& task = *tasks_.find(record.sequence);
  if (content.reference->size > max_payload()) {
    ++malformed_frames_;
    return;
  }
  Arriving& arriving = arriving_[record.sequence];
  if (task.arriving && arriving.blob == *content.reference && fetcher_.fetching(record.sequence)) return;
  fetcher_.forget(record.sequence);
  task.arriving = true;
  wire::Writer without_content;
  wire::RunReport rest = report;
  rest.content = {};
  wire::encode_report(without_content, rest);
  arriving = {links_, record.attempts, record.engine, std::string(wire::as_text(without_content.span())), content.codec, *content.reference};
  fetcher_.fetch(record.sequence, *content.reference);
}

std::uint64_t ClientCore::fetch(const wire::BlobReference& blob) {
  fetcher_.fetch(next_fetch_, blob);
  return next_fetch_++;
}

void ClientCore::on_fetched(std::uint64_t sequence, wire::Buffer payload) {
  if (sequence >= kFirstFetch) return port_.on_payload(sequence, std::move(payload));
  ClientTask* task = tasks_.find(sequence);
  const auto found = arriving_.find(sequence);
  if (task == nullptr || found == arriving_.end()) return;
  const Arriving arrived = std::move(found->second);
  say_taken(*task, {sequence, wire::TakenOutcome::read, arrived.blob});
  const auto report = wire::decode_report(wire::as_bytes(arrived.report));
  deliver(*task, {sequence, arrived.attempts, arrived.engine, *report, {arrived.codec, std::move(payload)}});
}

// The controller has the value somewhere else by now, or the task run again. The scheme direct knows no reruns.
void ClientCore::on_fetch_failed(std::uint64_t sequence, wire::FetchError error) {
  if (sequence >= kFirstFetch) return port_.on_payload(sequence, std::nullopt);
  ClientTask* task = tasks_.find(sequence);
  const auto found = arriving_.find(sequence);
  if (task == nullptr || found == arriving_.end()) return;
  const auto outcome = error == wire::FetchError::gone ? wire::TakenOutcome::gone : wire::TakenOutcome::unreachable;
  say_taken(*task, {sequence, outcome, found->second.blob});
  if (task->direct) {
    wire::RunReport report;
    report.status = wire::TaskStatus::payload_lost;
    report.error = "the engine that held the result went away";
    return deliver(*task, {sequence, found->second.attempts, found->second.engine, report, {}});
  }
  // On a new link it was not submitted again, as it had completed; a controller that knows it all the same ignores that.
  const bool another_link = found->second.link != links_;
  arriving_.erase(found);
  task->arriving = false;
  if (another_link && sequence < next_to_send_) again_.push_back(sequence);
}

// An engine holds a direct value for the link that it was reported on. Where one of us forgets that link, the engine lets go of it all the
// same; word of it on any other link could be lost.
void ClientCore::say_taken(const ClientTask& task, const wire::TakenRecord& record) {
  if (!task.direct) return taken_.push_back(record);
  const auto frame = direct_frames_.find(task.direct_frame);
  if (frame == direct_frames_.end()) return;
  const auto engine = direct_engines_.find({record.blob.holder, frame->second.link});
  if (engine != direct_engines_.end()) wire::encode(engine->second->link.record(), record);
}

// What the old link may not have delivered: without it, the controller would hold what we have read.
void ClientCore::say_taken_again(const wire::Link& old) {
  old.for_each_unacknowledged([&](wire::ByteSpan body) {
    wire::Reader in(body);
    while (const auto type = wire::next_record(in)) {
      wire::TakenRecord record;
      if (*type != wire::RecordType::taken) {
        wire::skip_record(in, *type);
        continue;
      }
      wire::decode(in, record);
      taken_.push_back(record);
    }
  });
}

void ClientCore::spill() {
  spilling_ = true;
  wire::Link* link = uplink_.link();
  if (link == nullptr) return;
  for (const auto& [sequence, buffer] : args_) {
    const ClientTask* task = tasks_.find(sequence);
    if (task != nullptr && !task->direct) wire::encode(link->record(), wire::SpillRecord{sequence, buffer.size()});
  }
}

bool ClientCore::spilled() {
  const wire::Link* link = uplink_.link();
  if (link == nullptr || tasks_.size() == 0) return true;
  if (next_to_send_ < next_sequence_ || !again_.empty() || link->held_bytes() > 0) return false;
  return std::none_of(args_.begin(), args_.end(), [&](const auto& item) {
    const ClientTask* task = tasks_.find(item.first);
    return task != nullptr && !task->direct;
  });
}

void ClientCore::on_payload_frame(wire::Role sender, const wire::Frame& frame, wire::Time now) {
  const auto content = wire::decode_payload_frame(frame.body);
  if (!content || frame.header.to != self_) {
    ++malformed_frames_;
    return;
  }
  if (content->kind != wire::PayloadFrame::Kind::want) return fetcher_.on_frame(frame, *content, now);
  const auto found = args_.find(content->blob);
  wire::answer_want({self_, wire::Role::client, &subjects_}, sender, frame, *content,
                    found == args_.end() ? nullptr : &found->second, port_);
}

}  // namespace covey::client

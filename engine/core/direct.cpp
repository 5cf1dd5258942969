// The scheme direct: frames of tasks that a client put into the queue group, and links to such clients. See engine_core.hpp.
#include <algorithm>
#include <utility>

#include "engine/core/engine_core.hpp"

namespace covey::engine {

namespace {
constexpr wire::Duration kSweepPause = std::chrono::milliseconds(500);
// A brief task's result comes within this time, and saves the client one frame of two.
constexpr wire::Duration kAcceptPause = std::chrono::milliseconds(1);
}

EngineCore::DirectClient& EngineCore::direct_client(const wire::Header& header, wire::Time now) {
  auto& client = direct_clients_[{header.from, header.link}];
  if (!client) {
    client = std::make_unique<DirectClient>(DirectClient{wire::Link(self_, header.from, header.link),
                                                         subjects_.to_client(header.from, wire::Role::engine), now});
  }
  client->last_heard = now;
  return *client;
}

// A frame that the queue group gave to us: a session, then specs and submissions. It is ours from now on, and we say so.
void EngineCore::on_direct_frame(const wire::Frame& frame, wire::Time now) {
  DirectClient& client = direct_client(frame.header, now);
  const bool idle = runs_.empty();
  wire::encode(client.link.record(), wire::AcceptedRecord{frame.header.sequence});
  wire::Reader in(frame.body);
  const auto session = static_cast<wire::SessionId>(in.fixed<std::uint64_t>());
  std::unordered_map<std::uint64_t, wire::TaskSpec> specs;
  while (const auto type = wire::next_record(in)) {
    if (*type == wire::RecordType::spec) {
      wire::SpecRecord record;
      wire::decode(in, record);
      if (auto spec = wire::decode_spec(record.spec)) specs.insert_or_assign(record.number, std::move(*spec));
    } else if (*type == wire::RecordType::submit) {
      wire::SubmitRecord record;
      wire::decode(in, record);
      if (!in.ok()) break;
      const Run run{{session, record.sequence}, 0, {frame.header.from, frame.header.link}};
      if (const auto spec = specs.find(record.spec); spec != specs.end()) {
        begin(run, spec->second, record.content, false);
      } else {
        refuse_direct(run);
      }
    } else {
      in.fail();
    }
  }
  if (!in.ok()) ++malformed_frames_;
  if (idle && runs_.size() == 1) client.hold_until = now + kAcceptPause;
}

void EngineCore::refuse_direct(const Run& run) {
  wire::Writer report;
  wire::encode_report(report, {wire::TaskStatus::bad_arguments, "the submission names a specification that was not sent or is not valid", 0, 0, {}});
  say_finished(run, report.span());
}

// Acknowledgements of direct results, cancels, and word of values that were read.
void EngineCore::on_client_frame(const wire::Frame& frame, wire::Time now) {
  const auto found = direct_clients_.find({frame.header.from, frame.header.link});
  if (found == direct_clients_.end() || !found->second->link.matches(frame.header)) return;
  found->second->last_heard = now;
  if (frame.header.kind == wire::FrameKind::goodbye) {
    release_values_of(found->first);
    direct_clients_.erase(found);
    return;
  }
  DirectClient& client = *found->second;
  if (!wire::is_of_link(frame.header.kind) || !client.link.receive(frame, now)) return;
  wire::Reader in(client.link.records());
  while (const auto type = wire::next_record(in)) {
    if (*type == wire::RecordType::cancel) {
      wire::CancelRecord record;
      wire::decode(in, record);
      if (in.ok()) on_direct_cancel(client, record.task);
    } else if (*type == wire::RecordType::taken) {
      wire::TakenRecord record;
      wire::decode(in, record);
      if (in.ok() && record.blob.holder == self_) release(record.blob.blob);
    } else {
      in.fail();
    }
  }
  if (!in.ok()) ++malformed_frames_;
}

void EngineCore::on_direct_cancel(DirectClient& client, const wire::TaskId& task) {
  const auto found = std::find_if(runs_.begin(), runs_.end(), [&](const auto& item) {
    return item.second.controller_handle == 0 && item.second.task == task;
  });
  if (found == runs_.end() || !cancel(found->first)) return;  // it has ended, or will soon
  forget_run(found);
  wire::Writer report;
  wire::encode_report(report, {wire::TaskStatus::cancelled, "cancelled", 0, 0, {}});
  wire::encode(client.link.record(), wire::ResultRecord{task.sequence, 1, self_, report.span()});
  client.hold_until = {};
}

// Tells direct clients that we live, and forgets those that have fallen silent. Silence counts only while we were able to
// hear: connected, and not stopped ourselves.
void EngineCore::sweep_direct(wire::Time now) {
  if (now - next_sweep_ > wire::Uplink::kSilence / 3) connected_since_ = now;
  next_sweep_ = now + kSweepPause;
  const wire::Time heard_since = connected_since_ + wire::Uplink::kReconnectGrace;
  std::vector<DirectId> silent;
  for (auto& [id, client] : direct_clients_) {
    client->link.heartbeat([&, to = client.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
    if (now - std::max(client->last_heard, heard_since) > config_.client_silence) silent.push_back(id);
  }
  for (const auto& id : silent) {
    release_values_of(id);
    direct_clients_.erase(id);
  }
}

}  // namespace covey::engine

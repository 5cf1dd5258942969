// The scheme direct: frames of tasks go to whichever engine NATS's queue group picks; engines accept frames by name and
// return results over links of their own. No scheduler, no reruns: tasks of a lost engine fail. See client_core.hpp.
#include <algorithm>
#include <utility>

#include "client/core/client_core.hpp"

namespace covey::client {

namespace {
// A frame goes to one engine: it is small, and short tasks travel together but long ones alone, so that every engine
// gets several.
constexpr std::size_t kDirectFrameBytes = 4 * 1024;
constexpr std::uint64_t kDirectFrameUs = 500;
constexpr wire::Duration kSweepPause = std::chrono::milliseconds(500);
}  // namespace

void ClientCore::add_direct(std::uint64_t sequence, const ClientTask& task) {
  if (direct_open_.empty()) {
    direct_open_.skip(wire::kHeaderBytes);
    direct_open_.fixed(static_cast<std::uint64_t>(session_));
    direct_specs_.clear();
  }
  if (std::find(direct_specs_.begin(), direct_specs_.end(), task.spec) == direct_specs_.end()) {
    direct_specs_.push_back(task.spec);
    wire::encode(direct_open_, wire::SpecRecord{task.spec, wire::as_bytes(specs_[task.spec].encoded)});
  }
  wire::encode(direct_open_, wire::SubmitRecord{task.spec, sequence, task.content.span(), {}, false});
  direct_open_frame_.sequences.push_back(sequence);
  direct_open_us_ += specs_[task.spec].direct_run_us;
  if (direct_open_.size() >= kDirectFrameBytes || direct_open_us_ >= kDirectFrameUs) seal_direct();
}

void ClientCore::seal_direct() {
  const std::uint64_t number = next_direct_frame_++;
  for (const std::uint64_t sequence : direct_open_frame_.sequences) tasks_.find(sequence)->direct_frame = number;
  direct_open_frame_.left = direct_open_frame_.sequences.size();
  direct_open_frame_.unsent = std::move(direct_open_);
  direct_open_ = wire::Writer();
  direct_open_us_ = 0;
  direct_frames_.emplace(number, std::exchange(direct_open_frame_, {}));
  direct_unsent_.push_back(number);
}

// Nothing is published while disconnected: a queue group keeps nothing for later.
void ClientCore::flush_direct(wire::Time now) {
  if (!connected_) return;
  for (auto& [id, engine] : direct_engines_) {
    engine->link.flush([&, to = engine.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
  }
  if (!direct_open_.empty()) seal_direct();
  for (const std::uint64_t number : std::exchange(direct_unsent_, {})) {
    DirectFrame& frame = direct_frames_.at(number);
    frame.sent = now;
    frame.link = direct_link_;
    wire::write_header(frame.unsent.data(), {wire::FrameKind::direct, direct_link_, self_, wire::Incarnation::none, number, 0});
    port_.send(subjects_.direct(), frame.unsent.span());
    frame.unsent = wire::Writer();
  }
}

bool ClientCore::waits_on_link(std::uint32_t link) const {
  return std::any_of(direct_frames_.begin(), direct_frames_.end(),
                     [&](const auto& item) { return item.second.link == link && item.second.unsent.empty(); });
}

ClientCore::DirectEngine* ClientCore::direct_engine(const wire::Header& header, wire::Time now) {
  if (header.to != self_) return nullptr;
  const DirectId id{header.from, header.link};
  const auto found = direct_engines_.find(id);
  if (found != direct_engines_.end()) return found->second.get();
  if (header.link != direct_link_ && !waits_on_link(header.link)) return nullptr;
  auto engine = std::make_unique<DirectEngine>(DirectEngine{wire::Link(self_, header.from, header.link),
                                                            subjects_.to_engine(header.from, wire::Role::client), now});
  return (direct_engines_[id] = std::move(engine)).get();
}

void ClientCore::on_engine_frame(const wire::Frame& frame, wire::Time now) {
  const wire::Header& header = frame.header;
  DirectEngine* engine = direct_engine(header, now);
  if (engine == nullptr) return;
  engine->last_heard = now;
  if (!wire::is_of_link(header.kind) || !engine->link.receive(frame, now)) return;
  wire::Reader in(engine->link.records());
  while (const auto type = wire::next_record(in)) {
    if (*type == wire::RecordType::accepted) {
      wire::AcceptedRecord record;
      wire::decode(in, record);
      if (in.ok()) on_accepted(record.frame, {header.from, header.link});
    } else if (*type == wire::RecordType::result) {
      wire::ResultRecord record;
      wire::decode(in, record);
      if (in.ok()) on_result(record, &engine->link);
    } else {
      in.fail();
    }
  }
  if (!in.ok()) ++malformed_frames_;
}

void ClientCore::on_accepted(std::uint64_t number, const DirectId& engine) {
  const auto found = direct_frames_.find(number);
  if (found == direct_frames_.end() || found->second.link != engine.second) return;
  found->second.engine = engine.first;
  for (const std::uint64_t sequence : found->second.sequences) {
    ClientTask* task = tasks_.find(sequence);
    if (task != nullptr && task->cancelled) cancel_direct(sequence, *task);
  }
}

// Only the engine that has accepted a task can cancel it; until one has, the wish is kept.
void ClientCore::cancel_direct(std::uint64_t sequence, ClientTask& task) {
  task.cancelled = true;
  const auto frame = direct_frames_.find(task.direct_frame);
  if (frame == direct_frames_.end()) return;
  const auto engine = direct_engines_.find({frame->second.engine, frame->second.link});
  if (engine != direct_engines_.end()) wire::encode(engine->second->link.record(), wire::CancelRecord{id_of(sequence)});
}

void ClientCore::finish_direct(std::uint64_t number) {
  const auto found = direct_frames_.find(number);
  if (found != direct_frames_.end() && --found->second.left == 0) direct_frames_.erase(found);
}

void ClientCore::sweep_direct(wire::Time now) {
  // We may have been stopped ourselves, with the engines' words unread.
  const bool stopped = now - next_sweep_ > wire::Uplink::kSilence / 3;
  if (stopped) connected_since_ = now;
  next_sweep_ = now + kSweepPause;
  const auto heard_since = connected_since_ + wire::Uplink::kReconnectGrace;
  const auto silent = [&](const DirectEngine& engine) { return now - std::max(engine.last_heard, heard_since) > wire::Uplink::kSilence; };
  bool forgotten = stopped && !direct_engines_.empty();
  for (auto& [id, engine] : direct_engines_) {
    engine->link.heartbeat([&, to = engine.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
    forgotten = forgotten || (id.second == direct_link_ && silent(*engine));
  }
  std::vector<std::uint64_t> lost, unaccepted;
  for (auto& [number, frame] : direct_frames_) {
    if (!frame.unsent.empty()) continue;
    if (frame.engine == wire::Incarnation::none) {
      if (now - std::max(frame.sent, heard_since) > kAcceptance) unaccepted.push_back(number);
      continue;
    }
    const auto engine = direct_engines_.find({frame.engine, frame.link});
    if (engine == direct_engines_.end() || silent(*engine->second)) lost.push_back(number);
  }
  if (forgotten) ++direct_link_;
  for (const auto number : unaccepted) fail_direct(number, "no engine accepted it: are engines of this cluster running?");
  for (const auto number : lost) fail_direct(number, "the engine that had accepted it fell silent");
  forget_direct_engines();
}

// Old links end with the last frame that was sent on them. One that goes on is never begun again with other numbers.
void ClientCore::forget_direct_engines() {
  std::erase_if(direct_engines_, [&](const auto& item) { return item.first.second != direct_link_ && !waits_on_link(item.first.second); });
}

void ClientCore::fail_direct(std::uint64_t number, std::string_view why) {
  auto frame = direct_frames_.extract(number);
  if (frame.empty()) return;
  wire::Writer report;
  wire::encode_report(report, {wire::TaskStatus::engine_lost, why, 0, 0, {}});
  for (const std::uint64_t sequence : frame.mapped().sequences) {
    if (tasks_.find(sequence) == nullptr) continue;
    on_result({sequence, 1, frame.mapped().engine, report.span()});
  }
}

}  // namespace covey::client

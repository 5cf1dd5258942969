#include "engine/core/engine_core.hpp"

#include <algorithm>
#include <utility>

namespace covey::engine {

namespace {

wire::Hello hello_of(const Config& config) {
  wire::Hello hello;
  hello.role = wire::Role::engine;
  hello.name = config.name;
  hello.slots = config.slots;
  hello.labels = config.labels;
  hello.functions = config.functions;
  return hello;
}

constexpr wire::Duration kSweepPause = std::chrono::milliseconds(500);

}  // namespace

EngineCore::EngineCore(wire::Incarnation self, const wire::Subjects& subjects, Config config, Port& port)
    : self_(self),
      subjects_(subjects),
      config_(std::move(config)),
      port_(port),
      uplink_(self, subjects_, hello_of(config_), port) {}

// ---- connection and link ----

void EngineCore::on_connected(wire::Time now) {
  uplink_.on_connected(now);
  next_sweep_ = now + kSweepPause;
  for (auto& [id, client] : direct_clients_) client->link.rewind();
}

void EngineCore::on_frame(wire::Role sender, wire::ByteSpan message, wire::Time now) {
  wire::Frame frame;
  if (wire::read_frame(message, frame) != wire::FrameError::none) {
    ++malformed_frames_;
    return;
  }
  if (sender == wire::Role::controller) return on_controller_event(uplink_.on_frame(frame, now));
  if (sender != wire::Role::client) return;
  frame.header.kind == wire::FrameKind::direct ? on_direct_frame(frame, now) : on_client_frame(frame, now);
}

void EngineCore::on_controller_event(wire::Uplink::Event event) {
  switch (event) {
    case wire::Uplink::Event::linked: return on_linked();
    case wire::Uplink::Event::lost: return on_lost();
    case wire::Uplink::Event::records: {
      wire::Reader in(uplink_.link()->records());
      on_records(in);
      if (!in.ok()) ++malformed_frames_;
      return;
    }
    case wire::Uplink::Event::refused: port_.log("the controller refuses this engine: " + uplink_.refusal()); return;
    case wire::Uplink::Event::nothing: return;
  }
}

// What has not begun is dropped: the controller, old or new, gives it to somebody. What runs is reported on the next link.
void EngineCore::on_lost() {
  for (const RunHandle run : port_.recall(SIZE_MAX)) {
    const auto found = runs_.find(run);
    if (found == runs_.end()) continue;
    run_by_controller_handle_.erase(found->second.controller_handle);
    runs_.erase(found);
  }
}

void EngineCore::on_linked() {
  on_lost();  // frames of the old link may have been read since
  specs_.clear();
  run_by_controller_handle_.clear();
  wire::Link& link = *uplink_.link();
  for (auto& [run, held] : runs_) {
    if (held.controller_handle == 0) continue;
    held.controller_handle = wire::kAdoptedBit | run;
    run_by_controller_handle_[held.controller_handle] = run;
    wire::encode(link.record(), wire::AdoptRecord{held.task, held.controller_handle});
  }
  // Results that the old link may not have delivered: only their tasks' ids mean anything now.
  if (const auto old = uplink_.take_old_link()) {
    old->for_each_unacknowledged([&](wire::ByteSpan body) {
      wire::Reader in(body);
      while (const auto type = wire::next_record(in)) {
        if (*type == wire::RecordType::finished) {
          wire::FinishedRecord record;
          wire::decode(in, record);
          wire::encode(link.record(), wire::FinishedRecord{wire::kAdoptedBit, record.task, record.report});
        } else if (*type == wire::RecordType::credit) {
          wire::CreditRecord record;
          wire::decode(in, record);
        } else if (*type == wire::RecordType::returned) {
          wire::ReturnedRecord record;
          wire::decode(in, record);
        } else if (*type == wire::RecordType::recall) {
          wire::RecallRecord record;
          wire::decode(in, record);
        } else if (*type == wire::RecordType::drain) {
          wire::DrainRecord record;
          wire::decode(in, record);
        } else if (*type == wire::RecordType::adopt) {
          wire::AdoptRecord record;
          wire::decode(in, record);
        }
      }
    });
  }
  for (const auto& result : std::exchange(unreported_, {})) {
    wire::encode(link.record(), wire::FinishedRecord{wire::kAdoptedBit, result.task, wire::as_bytes(result.report)});
  }
  wire::encode_adopted_all(link.record());
  credit_ = 0;
  if (draining()) {
    wire::encode(link.record(), wire::DrainRecord{mode_});
  } else {
    report_credit(mean_run_);
  }
}

// ---- tasks from the controller ----

void EngineCore::on_records(wire::Reader& in) {
  while (const auto type = wire::next_record(in)) {
    switch (*type) {
      case wire::RecordType::run: {
        wire::RunRecord record;
        wire::decode(in, record);
        if (in.ok()) on_run(record);
        break;
      }
      case wire::RecordType::spec: {
        wire::SpecRecord record;
        wire::decode(in, record);
        auto spec = wire::decode_spec(record.spec);
        if (!spec) return in.fail();
        specs_.insert_or_assign(record.number, std::move(*spec));
        break;
      }
      case wire::RecordType::recall: {
        wire::RecallRecord record;
        wire::decode(in, record);
        if (in.ok()) on_recall(record.count);
        break;
      }
      case wire::RecordType::stop_run: {
        wire::StopRunRecord record;
        wire::decode(in, record);
        if (in.ok()) on_stop_run(record.handle);
        break;
      }
      case wire::RecordType::drain: {
        wire::DrainRecord record;
        wire::decode(in, record);
        if (in.ok()) drain(record.mode);
        break;
      }
      default: return in.fail();
    }
  }
}

void EngineCore::on_run(const wire::RunRecord& record) {
  const auto spec = specs_.find(record.spec);
  if (spec == specs_.end()) return;
  starting_ = next_run_++;
  starting_run_ = Run{record.task, record.handle, wire::Incarnation::none};
  starting_done_ = false;
  port_.start({starting_, record.task, &spec->second, record.content, true});
  if (!starting_done_) {
    runs_.emplace(starting_, starting_run_);
    run_by_controller_handle_.emplace(record.handle, starting_);
  }
  starting_ = 0;
}

void EngineCore::give_back(RunHandle run) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  const std::uint64_t handle = found->second.controller_handle;
  run_by_controller_handle_.erase(handle);
  runs_.erase(found);
  if (wire::Link* link = uplink_.link()) wire::encode(link->record(), wire::ReturnedRecord{handle});
}

void EngineCore::on_recall(std::uint64_t count) {
  for (const RunHandle run : port_.recall(count)) give_back(run);
  wire::encode(uplink_.link()->record(), wire::RecallRecord{0});
}

void EngineCore::on_stop_run(std::uint64_t handle) {
  const auto found = run_by_controller_handle_.find(handle);
  if (found == run_by_controller_handle_.end()) return;
  if (port_.cancel(found->second)) give_back(found->second);
}

// ---- results ----

void EngineCore::on_finished(RunHandle run, wire::ByteSpan report, wire::Duration mean_run) {
  mean_run_ = mean_run;
  ++completed_;
  Run finished;
  if (run == starting_) {
    finished = starting_run_;
    starting_done_ = true;
  } else {
    const auto found = runs_.find(run);
    if (found == runs_.end()) return;
    finished = found->second;
    runs_.erase(found);
    if (finished.controller_handle != 0) run_by_controller_handle_.erase(finished.controller_handle);
  }
  if (finished.controller_handle == 0) {
    const auto client = direct_clients_.find(finished.client);
    if (client == direct_clients_.end()) return;
    wire::encode(client->second->link.record(), wire::ResultRecord{finished.task.sequence, 1, self_, report});
    return;
  }
  if (wire::Link* link = uplink_.link()) {
    wire::encode(link->record(), wire::FinishedRecord{finished.controller_handle, finished.task, report});
  } else {
    unreported_.push_back({finished.task, std::string(wire::as_text(report))});
  }
}

// As many tasks as last while results travel back and new tasks travel here.
std::uint64_t EngineCore::wanted_credit(wire::Duration mean_run) const {
  if (mean_run <= wire::Duration::zero()) return config_.first_credit * config_.slots;
  if (mean_run >= config_.long_task) return config_.slots;
  const auto covering = static_cast<std::uint64_t>(config_.cover / mean_run);
  return std::min(covering + 2, config_.max_credit) * config_.slots;
}

// Small changes are not worth a record.
void EngineCore::report_credit(wire::Duration mean_run) {
  const std::uint64_t wanted = wanted_credit(mean_run);
  const std::uint64_t slack = credit_ / 4;
  if (credit_ != 0 && wanted <= credit_ + slack && wanted + slack >= credit_) return;
  credit_ = wanted;
  // Zero would say that nothing is known: the shortest tasks take a microsecond.
  const auto mean_us = mean_run.count() == 0 ? 0 : std::max<std::int64_t>(1, mean_run.count() / 1000);
  wire::encode(uplink_.link()->record(), wire::CreditRecord{wanted, static_cast<std::uint64_t>(mean_us)});
}

void EngineCore::end_turn(wire::Time) {
  if (uplink_.link() != nullptr && !draining()) report_credit(mean_run_);
  uplink_.flush();
  for (auto& [id, client] : direct_clients_) {
    client->link.flush([&, to = client.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
  }
}

// ---- leaving ----

void EngineCore::drain(wire::DrainMode mode) {
  if (leaving() || mode == mode_) return;
  if (draining() != (mode != wire::DrainMode::resume)) port_.listen_direct(mode == wire::DrainMode::resume);
  mode_ = mode;
  if (wire::Link* link = uplink_.link()) wire::encode(link->record(), wire::DrainRecord{mode_});
  credit_ = 0;  // to be told again
  if (!draining()) return;
  for (const RunHandle run : port_.recall(SIZE_MAX)) give_back(run);
}

bool EngineCore::drained() const {
  return draining() && runs_.empty() && unreported_.empty() && (uplink_.link() == nullptr || uplink_.link()->held_bytes() == 0);
}

// ---- time ----

void EngineCore::on_timer(wire::Time now) {
  if (uplink_.on_timer(now) == wire::Uplink::Event::lost) on_lost();
  for (auto& [id, client] : direct_clients_) {
    client->link.flush_control(now, [&, to = client.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
  }
  if (now < next_sweep_) return;
  next_sweep_ = now + kSweepPause;
  for (auto& [id, client] : direct_clients_) {
    client->link.heartbeat([&, to = client.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
  }
  std::erase_if(direct_clients_, [&](const auto& item) { return now - item.second->last_heard > config_.client_silence; });
}

wire::Time EngineCore::next_deadline() const {
  wire::Time deadline = uplink_.next_deadline();
  if (!direct_clients_.empty()) deadline = std::min(deadline, next_sweep_);
  for (const auto& [id, client] : direct_clients_) deadline = std::min(deadline, client->link.control_deadline());
  return deadline;
}

// ---- scheme direct ----

EngineCore::DirectClient& EngineCore::direct_client(const wire::Header& header, wire::Time now) {
  auto& client = direct_clients_[header.from];
  if (!client || client->link.id() != header.link) {
    client = std::make_unique<DirectClient>(DirectClient{wire::Link(self_, header.from, header.link),
                                                         subjects_.to_client(header.from, wire::Role::engine), now});
  }
  client->last_heard = now;
  return *client;
}

// A frame that the queue group gave to us: a session, then specs and submissions. It is ours from now on, and we say so.
void EngineCore::on_direct_frame(const wire::Frame& frame, wire::Time now) {
  DirectClient& client = direct_client(frame.header, now);
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
      const auto spec = specs.find(record.spec);
      if (!in.ok() || spec == specs.end()) break;
      starting_ = next_run_++;
      starting_run_ = Run{{session, record.sequence}, 0, frame.header.from};
      starting_done_ = false;
      port_.start({starting_, starting_run_.task, &spec->second, record.content, false});
      if (!starting_done_) runs_.emplace(starting_, starting_run_);
      starting_ = 0;
    } else {
      in.fail();
    }
  }
  if (!in.ok()) ++malformed_frames_;
}

// Acknowledgements of direct results, and cancels.
void EngineCore::on_client_frame(const wire::Frame& frame, wire::Time now) {
  const auto found = direct_clients_.find(frame.header.from);
  if (found == direct_clients_.end() || !found->second->link.matches(frame.header)) return;
  found->second->last_heard = now;
  if (frame.header.kind == wire::FrameKind::goodbye) {
    direct_clients_.erase(found);
    return;
  }
  DirectClient& client = *found->second;
  if (!wire::is_of_link(frame.header.kind) || !client.link.receive(frame, now)) return;
  wire::Reader in(client.link.records());
  while (const auto type = wire::next_record(in)) {
    wire::CancelRecord record;
    if (*type != wire::RecordType::cancel) {
      in.fail();
      break;
    }
    wire::decode(in, record);
    if (in.ok()) on_direct_cancel(client, record.task);
  }
  if (!in.ok()) ++malformed_frames_;
}

void EngineCore::on_direct_cancel(DirectClient& client, const wire::TaskId& task) {
  const auto found = std::find_if(runs_.begin(), runs_.end(), [&](const auto& item) {
    return item.second.controller_handle == 0 && item.second.task == task;
  });
  if (found == runs_.end() || !port_.cancel(found->first)) return;  // it has ended, or will soon
  runs_.erase(found);
  wire::Writer report;
  wire::encode_report(report, {wire::TaskStatus::cancelled, "cancelled", 0, 0, {}});
  wire::encode(client.link.record(), wire::ResultRecord{task.sequence, 1, self_, report.span()});
}

}  // namespace covey::engine

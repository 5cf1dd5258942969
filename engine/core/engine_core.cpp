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

}  // namespace

EngineCore::EngineCore(wire::Incarnation self, const wire::Subjects& subjects, Config config, Port& port)
    : self_(self),
      subjects_(subjects),
      config_(std::move(config)),
      port_(port),
      uplink_(self, subjects_, hello_of(config_), port),
      fetcher_({self, wire::Role::engine, &subjects_}, port, *this) {}

// ---- connection and link ----

void EngineCore::on_connected(wire::Time now) {
  connected_ = true;
  connected_since_ = now;
  uplink_.on_connected(now);
  next_sweep_ = now;
  fetcher_.on_connected(now);
  for (auto& [id, client] : direct_clients_) client->link.rewind();
}

void EngineCore::on_disconnected() {
  connected_ = false;
  uplink_.on_disconnected();
  fetcher_.on_disconnected();
}

void EngineCore::on_frame(wire::Role sender, wire::ByteSpan message, wire::Time now) {
  now_ = now;
  wire::Frame frame;
  if (wire::read_frame(message, frame) != wire::FrameError::none) {
    ++malformed_frames_;
    return;
  }
  if (frame.header.kind == wire::FrameKind::payload) return on_payload_frame(sender, frame, now);
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
  for (const RunHandle run : take_back(SIZE_MAX)) {
    const auto found = runs_.find(run);
    if (found == runs_.end()) continue;
    run_by_controller_handle_.erase(found->second.controller_handle);
    forget_run(found);
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
  report_again(link);
  wire::encode_adopted_all(link.record());
  credit_told_ = false;
  memory_told_ = 0;
  wire::encode(link.record(), wire::DrainRecord{mode_});
  if (!draining()) report_credit(mean_run_);
  if (leaving()) spill_values();
}

// Results that the old link may not have delivered: only their tasks' ids mean anything now. Values that are held are all
// reported, for the controller may be another one, or have released them on the old link.
void EngineCore::report_again(wire::Link& link) {
  const auto again = [&](const wire::TaskId& task, wire::ByteSpan report) {
    if (wire::report_has_reference(report)) return;
    wire::encode(link.record(), wire::FinishedRecord{wire::kAdoptedBit, task, report});
  };
  if (const auto old = uplink_.take_old_link()) {
    old->for_each_unacknowledged([&](wire::ByteSpan body) {
      wire::Reader in(body);
      while (const auto type = wire::next_record(in)) {
        wire::FinishedRecord record;
        if (*type != wire::RecordType::finished) {
          wire::skip_record(in, *type);
          continue;
        }
        wire::decode(in, record);
        again(record.task, record.report);
      }
    });
  }
  for (const auto& result : std::exchange(unreported_, {})) again(result.task, wire::as_bytes(result.report));
  report_values_again(link);
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
      case wire::RecordType::release: {
        wire::ReleaseRecord record;
        wire::decode(in, record);
        if (in.ok()) release(record.blob);
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
  if (spec != specs_.end()) begin(Run{record.task, record.handle, {}}, spec->second, record.content, true);
}

void EngineCore::begin(const Run& run, const wire::TaskSpec& spec, wire::ByteSpan content, bool recallable) {
  starting_ = next_run_++;
  starting_run_ = run;
  starting_done_ = false;
  const auto args = wire::decode_content(content);
  if (!args) {
    end_early(starting_, wire::TaskStatus::bad_arguments, "malformed arguments");
  } else if (args->reference && args->reference->size > max_payload()) {
    end_early(starting_, wire::TaskStatus::payload_too_large,
              "arguments of " + std::to_string(args->reference->size) + " bytes; the limit is " + std::to_string(max_payload()));
  } else if (args->reference) {
    await_args(starting_, spec, *args, recallable);
  } else {
    port_.start({starting_, run.task, &spec, {args->codec, wire::Buffer(nullptr, args->bytes)}, false, recallable, now_});
  }
  if (!starting_done_) {
    runs_.emplace(starting_, run);
    if (run.controller_handle != 0) run_by_controller_handle_.emplace(run.controller_handle, starting_);
  }
  starting_ = 0;
}

// A run ends before it has begun.
void EngineCore::end_early(RunHandle run, wire::TaskStatus status, std::string_view error) {
  wire::Writer report;
  wire::encode_report(report, {status, error, 0, 0, {}});
  on_finished(run, report.span(), mean_run_);
}

void EngineCore::give_back(RunHandle run) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  const std::uint64_t handle = found->second.controller_handle;
  run_by_controller_handle_.erase(handle);
  forget_run(found);
  if (wire::Link* link = uplink_.link()) wire::encode(link->record(), wire::ReturnedRecord{handle});
}

void EngineCore::on_recall(std::uint64_t count) {
  for (const RunHandle run : take_back(count)) give_back(run);
  wire::encode(uplink_.link()->record(), wire::RecallRecord{0});
}

void EngineCore::on_stop_run(std::uint64_t handle) {
  const auto found = run_by_controller_handle_.find(handle);
  if (found == run_by_controller_handle_.end()) return;
  if (cancel(found->second)) give_back(found->second);
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
    if (found == runs_.end()) return drop_value(report);
    finished = found->second;
    forget_run(found);
    if (finished.controller_handle != 0) run_by_controller_handle_.erase(finished.controller_handle);
  }
  if (wire::report_has_reference(report)) note_value(finished, report);
  say_finished(finished, report);
  if (leaving() && wire::report_has_reference(report)) spill_value(report);
}

void EngineCore::say_finished(const Run& finished, wire::ByteSpan report) {
  if (finished.controller_handle == 0) {
    const auto client = direct_clients_.find(finished.client);
    if (client == direct_clients_.end()) return drop_value(report);
    wire::encode(client->second->link.record(), wire::ResultRecord{finished.task.sequence, 1, self_, report});
    client->second->hold_until = {};
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
  if (value_bytes_ > config_.max_value_bytes) return 0;
  if (mean_run <= wire::Duration::zero()) return config_.first_credit * config_.slots;
  if (mean_run >= config_.long_task) return config_.slots;
  const auto covering = static_cast<std::uint64_t>(config_.cover / mean_run);
  return std::min(covering + 2, config_.max_credit) * config_.slots;
}

// Small changes are not worth a record.
void EngineCore::report_credit(wire::Duration mean_run) {
  const std::uint64_t wanted = wanted_credit(mean_run);
  const std::uint64_t slack = credit_ / 4;
  if (credit_told_ && wanted <= credit_ + slack && wanted + slack >= credit_) return;
  credit_ = wanted;
  credit_told_ = true;
  // Zero would say that nothing is known: the shortest tasks take a microsecond.
  const auto mean_us = mean_run.count() == 0 ? 0 : std::max<std::int64_t>(1, mean_run.count() / 1000);
  wire::encode(uplink_.link()->record(), wire::CreditRecord{wanted, static_cast<std::uint64_t>(mean_us)});
}

void EngineCore::report_memory() {
  const std::uint64_t change = memory_ > memory_told_ ? memory_ - memory_told_ : memory_told_ - memory_;
  if (change <= memory_told_ / 16) return;
  memory_told_ = memory_;
  wire::encode(uplink_.link()->record(), wire::UsageRecord{memory_});
}

void EngineCore::end_turn(wire::Time now) {
  fetcher_.flush(now);
  if (uplink_.link() != nullptr && !draining()) report_credit(mean_run_);
  if (uplink_.link() != nullptr) report_memory();
  uplink_.flush();
  for (auto& [id, client] : direct_clients_) {
    if (now < client->hold_until) continue;
    client->hold_until = {};
    client->link.flush([&, to = client.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
  }
}

// ---- leaving ----

void EngineCore::drain(wire::DrainMode mode) {
  const bool changes = !leaving() && mode != mode_;
  if (changes) {
    if (draining() != (mode != wire::DrainMode::resume)) listen_direct(mode == wire::DrainMode::resume);
    mode_ = mode;
    credit_told_ = false;
  }
  // Whoever asked has to know how it is, also where that is another way.
  if (wire::Link* link = uplink_.link()) wire::encode(link->record(), wire::DrainRecord{mode_});
  if (!changes || !draining()) return;
  for (const RunHandle run : take_back(SIZE_MAX)) give_back(run);
  if (leaving()) spill_values();
}

void EngineCore::listen_direct(bool on) {
  if (!on) ++direct_ends_awaited_;
  port_.listen_direct(on);
}

bool EngineCore::drained() const {
  const auto acknowledged = [](const auto& item) { return item.second->link.held_bytes() == 0; };
  return draining() && direct_ends_awaited_ == 0 && runs_.empty() && values_.empty() && unreported_.empty() &&
         (uplink_.link() == nullptr || uplink_.link()->held_bytes() == 0) &&
         std::all_of(direct_clients_.begin(), direct_clients_.end(), acknowledged);
}

// ---- time ----

void EngineCore::on_timer(wire::Time now) {
  if (uplink_.on_timer(now) == wire::Uplink::Event::lost) on_lost();
  fetcher_.on_timer(now);
  for (auto& [id, client] : direct_clients_) {
    client->link.flush_control(now, [&, to = client.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
  }
  if (connected_ && now >= next_sweep_) sweep_direct(now);
}

wire::Time EngineCore::next_deadline() const {
  wire::Time deadline = std::min(uplink_.next_deadline(), fetcher_.next_deadline());
  if (connected_ && !direct_clients_.empty()) deadline = std::min(deadline, next_sweep_);
  for (const auto& [id, client] : direct_clients_) {
    deadline = std::min(deadline, client->link.control_deadline());
    if (client->hold_until != wire::Time{}) deadline = std::min(deadline, client->hold_until);
  }
  return deadline;
}

}  // namespace covey::engine

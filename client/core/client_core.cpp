// The scheme controller; direct.cpp has the other. See client_core.hpp.
#include "client/core/client_core.hpp"

#include <algorithm>
#include <utility>

namespace covey::client {

namespace {

wire::Hello hello_of(wire::SessionId session, std::string name) {
  wire::Hello hello;
  hello.role = wire::Role::client;
  hello.session = session;
  hello.name = std::move(name);
  return hello;
}

constexpr std::size_t kPumpSlice = 256;  // submissions between looks at the link's room

}  // namespace

ClientCore::ClientCore(wire::Incarnation self, wire::SessionId session, const wire::Subjects& subjects, std::string name,
                       Port& port)
    : self_(self),
      session_(session),
      subjects_(subjects),
      port_(port),
      uplink_(self, subjects_, hello_of(session, std::move(name)), port),
      fetcher_({self, wire::Role::client, &subjects_}, port, *this),
      direct_link_(static_cast<std::uint32_t>(self) | 1) {}

// ---- connection ----

void ClientCore::on_connected(wire::Time now) {
  connected_ = true;
  connected_since_ = now;
  next_sweep_ = now;
  uplink_.on_connected(now);
  fetcher_.on_connected(now);
  for (auto& [id, engine] : direct_engines_) engine->link.rewind();
  if (!direct_engines_.empty()) ++direct_link_;
}

void ClientCore::on_disconnected() {
  connected_ = false;
  uplink_.on_disconnected();
  fetcher_.on_disconnected();
}

void ClientCore::on_frame(wire::Role sender, wire::ByteSpan message, wire::Time now) {
  wire::Frame frame;
  if (wire::read_frame(message, frame) != wire::FrameError::none) {
    ++malformed_frames_;
    return;
  }
  if (frame.header.kind == wire::FrameKind::payload) return on_payload_frame(sender, frame, now);
  if (sender == wire::Role::engine) return on_engine_frame(frame, now);
  if (sender != wire::Role::controller) return;
  switch (uplink_.on_frame(frame, now)) {
    case wire::Uplink::Event::linked: return on_linked();
    case wire::Uplink::Event::records: {
      wire::Reader in(uplink_.link()->records());
      on_controller_records(in);
      if (!in.ok()) ++malformed_frames_;
      return;
    }
    default: return;
  }
}

// Everything without a result is said again: the controller may be another one, or have lost sight of us.
void ClientCore::on_linked() {
  if (const auto old = uplink_.take_old_link()) say_taken_again(*old);
  window_ = uplink_.terms().window;
  port_.on_window(window_);
  ++links_;
  next_to_send_ = 1;
  again_.clear();
  for (const auto& [number, json] : requests_) {
    wire::encode_request(uplink_.link()->record(), wire::RecordType::request, {number, json});
  }
  if (spilling_) spill();
}

void ClientCore::on_controller_records(wire::Reader& in) {
  while (const auto type = wire::next_record(in)) {
    switch (*type) {
      case wire::RecordType::result: {
        wire::ResultRecord record;
        wire::decode(in, record);
        if (in.ok()) on_result(record);
        break;
      }
      case wire::RecordType::window: {
        wire::WindowRecord record;
        wire::decode(in, record);
        if (!in.ok()) break;
        window_ = record.tasks;
        port_.on_window(window_);
        break;
      }
      case wire::RecordType::release: {  // the controller has taken it over
        wire::ReleaseRecord record;
        wire::decode(in, record);
        if (in.ok()) args_.erase(record.blob);
        break;
      }
      case wire::RecordType::response: {
        wire::RequestRecord record;
        wire::decode(in, record);
        if (in.ok() && requests_.erase(record.number) > 0) port_.on_response(record.number, record.json);
        break;
      }
      default: return in.fail();
    }
  }
}

void ClientCore::on_result(const wire::ResultRecord& record, wire::Link* direct) {
  ClientTask* task = tasks_.find(record.sequence);
  if (task == nullptr) {
    ++duplicates_;
    if (const auto blob = wire::report_reference(record.report)) {
      const wire::TakenRecord unwanted{record.sequence, wire::TakenOutcome::read, *blob};
      direct != nullptr ? wire::encode(direct->record(), unwanted) : taken_.push_back(unwanted);
    }
    return;
  }
  const auto report = wire::decode_report(record.report);
  if (!report) {
    ++malformed_frames_;
    return;
  }
  const auto content = wire::decode_content(report->content);
  if (content && content->reference) return fetch_value(record, *report, *content);
  if (task->arriving) fetcher_.forget(record.sequence);
  deliver(*task, {record.sequence, record.attempts, record.engine, *report, {}});
}

// The task ends. What its arguments held is free again.
void ClientCore::deliver(ClientTask& task, const ResultView& result) {
  const std::uint64_t cookie = task.cookie;
  const std::uint64_t direct_frame = task.direct_frame;
  if (task.direct) {
    std::uint64_t& lately = specs_[task.spec].direct_run_us;
    lately = (7 * lately + std::min<std::uint64_t>(result.report.duration_us, 1'000'000)) / 8;
  }
  if (task.has_extras) extras_.erase(result.sequence);
  if (task.arriving) arriving_.erase(result.sequence);
  if (!args_.empty()) args_.erase(result.sequence);
  outcomes_.set(result.sequence, result.report.status == wire::TaskStatus::ok);
  unuse_spec(task.spec);
  tasks_.erase(result.sequence);
  if (direct_frame != 0) finish_direct(direct_frame);
  port_.on_result(cookie, result);
}

// ---- submitting ----

std::uint32_t ClientCore::add_spec(const wire::TaskSpec& spec) {
  wire::Writer out;
  wire::encode_spec(out, spec);
  return add_spec(std::string(wire::as_text(out.span())));
}

std::uint32_t ClientCore::add_spec(std::string encoded) {
  if (const auto found = spec_by_bytes_.find(encoded); found != spec_by_bytes_.end()) {
    Spec& spec = specs_[found->second];
    if (spec.uses++ == 0) idle_specs_.erase(spec.idle);
    return found->second;
  }
  const std::uint32_t number = place_for_spec();
  spec_by_bytes_.emplace(encoded, number);
  specs_[number] = Spec{.encoded = std::move(encoded), .uses = 1};
  return number;
}

// A number may come to mean something else on the same link: a link keeps the order of definitions and submissions.
std::uint32_t ClientCore::place_for_spec() {
  if (idle_specs_.size() < kMostIdleSpecs) {
    specs_.emplace_back();
    return static_cast<std::uint32_t>(specs_.size() - 1);
  }
  const std::uint32_t number = idle_specs_.front();
  idle_specs_.pop_front();
  spec_by_bytes_.erase(specs_[number].encoded);
  std::erase(direct_specs_, number);
  return number;
}

void ClientCore::unuse_spec(std::uint32_t number) {
  Spec& spec = specs_[number];
  if (--spec.uses == 0) spec.idle = idle_specs_.insert(idle_specs_.end(), number);
}

void ClientCore::replace_spec(std::uint32_t number, const wire::TaskSpec& spec) {
  wire::Writer out;
  wire::encode_spec(out, spec);
  spec_by_bytes_.erase(specs_[number].encoded);
  specs_[number].encoded = wire::as_text(out.span());
  specs_[number].defined_on = 0;
  spec_by_bytes_[specs_[number].encoded] = number;
}

std::uint64_t ClientCore::submit(const Submission& submission) {
  const std::uint64_t sequence = next_sequence_++;
  ClientTask& task = tasks_.insert(sequence);
  if (submission.large != nullptr) {
    wire::Writer content;
    const std::uint64_t size = submission.large->buffer.size();
    wire::encode_content(content, submission.large->codec,
                         {self_, static_cast<std::uint8_t>(wire::Role::client), sequence, size});
    task.content = wire::SmallBytes(content.span());
    args_.emplace(sequence, submission.large->buffer);
  } else {
    task.content = wire::SmallBytes(submission.content);
  }
  task.spec = submission.spec;
  ++specs_[task.spec].uses;
  task.cookie = submission.cookie;
  task.direct = submission.scheme == Scheme::direct;
  if (!submission.extras.empty()) {
    task.has_extras = true;
    extras_.emplace(sequence, wire::as_text(submission.extras));
  }
  if (task.direct) add_direct(sequence, task);
  return sequence;
}

// Moves submissions into the link as long as it has room; the rest waits for acknowledgements.
void ClientCore::pump() {
  wire::Link* link = uplink_.link();
  while (link != nullptr && next_to_send_ < next_sequence_ && link->has_room()) {
    for (std::size_t i = 0; i < kPumpSlice && next_to_send_ < next_sequence_; ++i, ++next_to_send_) {
      ClientTask* task = tasks_.find(next_to_send_);
      if (task != nullptr && !task->direct && !task->arriving) encode_submit(*link, next_to_send_, *task);
    }
  }
  // In this order: a controller that has forgotten the task gets it before it hears that the value was lost.
  for (; link != nullptr && !again_.empty(); again_.pop_front()) {
    if (ClientTask* task = tasks_.find(again_.front())) encode_submit(*link, again_.front(), *task);
  }
  for (; link != nullptr && !taken_.empty(); taken_.pop_front()) wire::encode(link->record(), taken_.front());
  while (link != nullptr && !cancels_.empty() && next_to_send_ == next_sequence_) {
    wire::encode(link->record(), wire::CancelRecord{cancels_.front()});
    cancels_.pop_front();
  }
}

void ClientCore::encode_submit(wire::Link& link, std::uint64_t sequence, ClientTask& task) {
  Spec& spec = specs_[task.spec];
  if (spec.defined_on != links_) {
    spec.defined_on = static_cast<std::uint32_t>(links_);
    wire::encode(link.record(), wire::SpecRecord{task.spec, wire::as_bytes(spec.encoded)});
  }
  wire::SubmitRecord record{task.spec, sequence, task.content.span(), {}, sequence <= highest_sent_};
  wire::Writer extras;
  if (task.has_extras) {
    resolve_known(extras, wire::as_bytes(extras_.at(sequence)));
    record.extras = extras.span();
  }
  wire::encode(link.record(), record);
  highest_sent_ = std::max(highest_sent_, sequence);
}

// Tells the controller how dependencies ended that it may no longer remember, or never knew.
void ClientCore::resolve_known(wire::Writer& out, wire::ByteSpan encoded) {
  auto extras = *wire::decode_extras(encoded);
  for (auto* set : {&extras.after, &extras.follow}) {
    for (auto& dependency : set->tasks) {
      if (dependency.task.session != session_) continue;
      dependency.known = static_cast<wire::Dependency::Known>(outcomes_.get(dependency.task.sequence));
    }
  }
  wire::encode_extras(out, extras);
}

void ClientCore::cancel(const wire::TaskId& id) {
  ClientTask* task = id.session == session_ ? tasks_.find(id.sequence) : nullptr;
  if (task != nullptr && task->direct) return cancel_direct(id.sequence, *task);
  cancels_.push_back(id);
}

std::uint64_t ClientCore::request(std::string_view json) {
  const std::uint64_t number = next_request_++;
  requests_.emplace(number, json);
  if (wire::Link* link = uplink_.link()) {
    wire::encode_request(link->record(), wire::RecordType::request, {number, json});
  }
  return number;
}

void ClientCore::end_turn(wire::Time now) {
  fetcher_.flush(now);
  pump();
  uplink_.flush();
  flush_direct(now);
}

void ClientCore::say_goodbye() {
  pump();
  uplink_.say_goodbye();
  for (auto& [id, engine] : direct_engines_) {
    std::byte frame[wire::kHeaderBytes];
    wire::write_header(frame, {wire::FrameKind::goodbye, id.second, self_, id.first, 0, 0});
    port_.send(engine->subject, frame);
  }
}

// ---- time ----

void ClientCore::on_timer(wire::Time now) {
  uplink_.on_timer(now);
  fetcher_.on_timer(now);
  for (auto& [id, engine] : direct_engines_) {
    engine->link.flush_control(now, [&, to = engine.get()](wire::ByteSpan frame) { port_.send(to->subject, frame); });
  }
  if (connected_ && now >= next_sweep_) sweep_direct(now);
}

wire::Time ClientCore::next_deadline() const {
  wire::Time deadline = std::min(uplink_.next_deadline(), fetcher_.next_deadline());
  if (connected_ && (!direct_engines_.empty() || !direct_frames_.empty())) deadline = std::min(deadline, next_sweep_);
  for (const auto& [id, engine] : direct_engines_) deadline = std::min(deadline, engine->link.control_deadline());
  return deadline;
}

}  // namespace covey::client

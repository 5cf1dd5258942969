// Clients: what they submit, cancel and take; and what waits for them while they are away. See broker.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/core/broker.hpp"

namespace covey::controller {

namespace {
constexpr std::uint64_t kSmallestWindow = 1024;
constexpr std::size_t kLongestAnswer = wire::Link::kMaxRecordBytes - 64;
}

void Broker::on_client_hello(const wire::Hello& hello, const wire::Header& header, wire::Time now) {
  auto [known, fresh] = session_by_id_.try_emplace(hello.session, kNone);
  if (fresh) {
    const auto free = std::find(sessions_.begin(), sessions_.end(), nullptr);
    known->second = static_cast<SessionIndex>(free - sessions_.begin());
    if (free == sessions_.end()) sessions_.emplace_back();
    sessions_[known->second] = std::make_unique<Session>();
    sessions_[known->second]->id = hello.session;
  }
  Session& session = *sessions_[known->second];
  if (session.peer) unlink(session, now);  // a new link replaces the old one
  session.name = hello.name;
  session.peer = make_peer(wire::Role::client, known->second, header, now);
  session.catching_up = session.tasks.size() > 0 || !session.unsent.empty();
  grant_windows();
  welcome(*session.peer, session.window);
  pump_results(session);
}

// The session stays as long as it has tasks or results.
void Broker::client_left(Session& session, wire::Time now) {
  const SessionIndex index = session.peer->index;
  unlink(session, now);
  drop_session_if_empty(index);
}

void Broker::unlink(Session& session, wire::Time now) {
  const auto peer = std::exchange(session.peer, nullptr);
  // What was sent and not acknowledged goes back into the store: frames are its only copy.
  peer->link.for_each_unacknowledged([&](wire::ByteSpan body) {
    wire::Reader in(body);
    while (const auto type = wire::next_record(in)) {
      if (*type != wire::RecordType::result) {
        wire::skip_record(in, *type);
        continue;
      }
      wire::ResultRecord result;
      wire::decode(in, result);
      store(session.unsent, {result.sequence, result.attempts, result.engine, std::string(wire::as_text(result.report)), now});
    }
  });
  for (const auto& [number, spec] : session.specs) specs_.release(spec);
  session.specs.clear();
  session.catching_up = false;
  session.answered.clear();
  session.gone_since = now;
  end_link(*peer, now);
  hold_to_result_limit();
}

void Broker::drop_session_if_empty(SessionIndex index) {
  const auto& session = sessions_[index];
  if (session->peer || session->tasks.size() > 0 || !session->unsent.empty() || !session->kept.empty()) return;
  for (const auto& [sequence, blob] : session->spilled) {
    users_.erase(blob);
    release(blob);
  }
  session_by_id_.erase(session->id);
  sessions_[index].reset();
}

void Broker::on_client_records(Session& session, wire::Reader& in, wire::Time now) {
  while (const auto type = wire::next_record(in)) {
    switch (*type) {
      case wire::RecordType::submit: {
        wire::SubmitRecord record;
        wire::decode(in, record);
        if (in.ok()) on_submit(session, record, now);
        break;
      }
      case wire::RecordType::spec: {
        wire::SpecRecord record;
        wire::decode(in, record);
        if (in.ok()) on_spec(session, record);
        break;
      }
      case wire::RecordType::cancel: {
        wire::CancelRecord record;
        wire::decode(in, record);
        if (in.ok()) on_cancel(record.task, now);
        break;
      }
      case wire::RecordType::taken: {
        wire::TakenRecord record;
        wire::decode(in, record);
        if (in.ok()) on_taken(session, record, now);
        break;
      }
      case wire::RecordType::spill: {
        wire::SpillRecord record;
        wire::decode(in, record);
        if (in.ok()) on_spill(*session.peer, record);
        break;
      }
      case wire::RecordType::request: {
        wire::RequestRecord record;
        wire::decode(in, record);
        if (!in.ok()) break;
        auto answer = ask(record.json, now);
        if (answer.size() > kLongestAnswer) answer = R"({"error":"the answer is too long to be sent"})";
        if (!session.peer) return;
        wire::encode_request(session.peer->link.record(), wire::RecordType::response, {record.number, answer});
        touch(*session.peer);
        break;
      }
      default: in.fail();
    }
  }
}

void Broker::on_spec(Session& session, const wire::SpecRecord& record) {
  if (record.spec.size() > wire::Link::kMaxPartBytes) return;  // its tasks will be refused by number
  const auto index = specs_.acquire(record.spec);
  if (!index) return;  // likewise
  const auto [known, fresh] = session.specs.try_emplace(record.number, *index);
  if (!fresh) specs_.release(std::exchange(known->second, *index));
}

// A client that has lost sight of us sends again whatever it has no result for; the result may be on its way there.
bool Broker::known_already(Session& session, std::uint64_t sequence) {
  if (session.answered.erase(sequence) > 0) return true;
  if (session.unsent.find(sequence) != nullptr) return true;
  if (const auto* kept = session.kept.find(sequence)) {
    say_kept(session, *kept);
    return true;
  }
  return session.tasks.find(sequence) != kNone;
}

void Broker::on_submit(Session& session, const wire::SubmitRecord& record, wire::Time now) {
  if (record.resubmitted && known_already(session, record.sequence)) return;
  if (!record.resubmitted && session.tasks.find(record.sequence) != kNone) return;
  if (!record.resubmitted && session.catching_up) {  // what is new comes after all that is not
    session.catching_up = false;
    session.answered.clear();
  }
  ++counters_.submitted;
  session.highest_sequence = std::max(session.highest_sequence, record.sequence);
  const TaskIndex index = tasks_.create();
  Task& task = tasks_[index];
  task.sequence = record.sequence;
  task.session = session.peer->index;
  task.submitted = now;
  task.content = wire::SmallBytes(record.content);
  session.tasks.insert(record.sequence, index);
  const auto spec = session.specs.find(record.spec);
  if (spec == session.specs.end()) {
    return fail(index, wire::TaskStatus::bad_arguments, "the submission names a specification that was not sent or is not valid", now);
  }
  task.spec = spec->second;
  specs_.use(task.spec);
  if (tasks_.size() > config_.max_tasks * 2) {
    return fail(index, wire::TaskStatus::queue_full, "the queue is at its limit, and the client went beyond its window", now);
  }
  const auto content = wire::decode_content(record.content);
  if (!content) return fail(index, wire::TaskStatus::bad_arguments, "malformed arguments", now);
  if (record.content.size() > wire::Link::kMaxPartBytes) {
    return fail(index, wire::TaskStatus::payload_too_large,
                fmt::format("{} bytes of arguments that do not travel by reference", record.content.size()), now);
  }
  if (content->reference && content->reference->size > config_.max_payload_bytes) {
    return fail(index, wire::TaskStatus::payload_too_large,
                fmt::format("arguments of {} bytes; the limit is {}", content->reference->size, config_.max_payload_bytes), now);
  }
  if (const auto moved = session.spilled.extract(record.sequence); !moved.empty()) set_args(index, moved.mapped());
  const wire::TaskSpec& common = specs_[task.spec];
  if (common.timeout_ms > 0) set_timer(now + std::chrono::milliseconds(common.timeout_ms), index);
  if (!orphans_.empty() && claim_orphan(index, now)) return;
  if (!record.extras.empty()) {
    auto extras = wire::decode_extras(record.extras);
    if (!extras) return fail(index, wire::TaskStatus::bad_arguments, "malformed dependencies", now);
    task.has_side = true;
    SideTask& side = side_[index];
    side.after = DependencyProgress(extras->after);
    side.follow = DependencyProgress(extras->follow);
    side.extras = std::move(*extras);
  }
  // At most once: it may have started under an earlier controller, or ended so long ago that its result has expired. An engine
  // has to say so, or nobody knows.
  if (record.resubmitted && common.max_attempts == 1) {
    task.has_side = true;
    side_[index].outcome_pending = true;
    return set_timer(now + config_.adoption_grace, index);
  }
  admit(index, now);
}

// An engine has, or had, this task from an earlier controller.
bool Broker::claim_orphan(TaskIndex index, wire::Time now) {
  const auto found = orphans_.find(id_of(index));
  if (found == orphans_.end()) return false;
  const Orphan orphan = std::move(found->second);
  orphan_bytes_ -= orphan.report.size();
  orphans_.erase(found);
  if (!orphan.report.empty()) {
    ++counters_.late_results_used;
    complete(index, wire::as_bytes(orphan.report), orphan.engine, now);
    return true;
  }
  Engine* engine = find_engine(orphan.engine);
  if (engine == nullptr) return false;
  Task& task = tasks_[index];
  task.state = TaskState::assigned;
  task.engine = engine->peer->index;
  engine->assigned.push_front(tasks_, index);  // it runs already
  return true;
}

void Broker::on_cancel(const wire::TaskId& id, wire::Time now) {
  const TaskIndex index = find_task(id);
  if (index != kNone && tasks_[index].state != TaskState::held) {
    fail(index, wire::TaskStatus::cancelled, "cancelled", now);
  }
}

// ---- results on their way out ----

void Broker::deliver(Session& session, bool detached, ResultStore::Result&& result) {
  const bool direct = !detached && session.peer && session.unsent.empty() && session.peer->link.has_room();
  if (direct) {
    return send_result(session, result.record());
  }
  if (detached) say_kept(session, result);
  store(detached ? session.kept : session.unsent, std::move(result));
  hold_to_result_limit();
}

void Broker::send_result(Session& session, const wire::ResultRecord& record) {
  wire::encode(session.peer->link.record(), record);
  if (session.catching_up) session.answered.insert(record.sequence);
  touch(*session.peer);
}

// A detached task's client is told that it ended, and how; the value waits until somebody asks for it.
void Broker::say_kept(Session& session, const ResultStore::Result& result) {
  if (!session.peer) return;
  auto report = wire::decode_report(wire::as_bytes(result.report)).value_or(wire::RunReport{wire::TaskStatus::result_expired, {}, 0, 0, {}});
  report.content = {};
  scratch_.clear();
  wire::encode_report(scratch_, report);
  wire::encode(session.peer->link.record(), wire::ResultRecord{result.sequence, result.attempts, result.engine, scratch_.span()});
  touch(*session.peer);
}

// The later of two results of a task, as of a value that has moved, replaces the earlier.
void Broker::store(ResultStore& in, ResultStore::Result&& result) {
  result_bytes_ -= in.bytes();
  in.push(std::move(result));
  result_bytes_ += in.bytes();
}

void Broker::pump_results(Session& session) {
  if (!session.peer) return;
  while (!session.unsent.empty() && session.peer->link.has_room()) {
    const auto& result = session.unsent.front();
    if (result.report.empty()) {
      scratch_.clear();
      wire::encode_report(scratch_, {wire::TaskStatus::result_expired, "its result was evicted before it could be sent", 0, 0, {}});
      auto record = result.record();
      record.report = scratch_.span();
      send_result(session, record);
    } else {
      send_result(session, result.record());
    }
    const bool expired = result.report.empty();
    const TaskIndex held = session.tasks.find(result.sequence);
    result_bytes_ -= result.bytes();
    session.unsent.pop_front();
    if (expired && held != kNone && tasks_[held].state == TaskState::held) forget(held);
  }
}

// Over the limit, the oldest results go first, those of the fullest store before others.
void Broker::hold_to_result_limit() {
  while (result_bytes_ > config_.max_result_bytes) {
    ResultStore* fullest = nullptr;
    for (const auto& session : sessions_) {
      if (!session) continue;
      for (ResultStore* store : {&session->unsent, &session->kept}) {
        if (fullest == nullptr || store->bytes() > fullest->bytes()) fullest = store;
      }
    }
    const std::size_t freed = fullest == nullptr ? 0 : fullest->evict_oldest();
    if (freed == 0) return;  // only the numbers of evicted results are left
    result_bytes_ -= freed;
    ++counters_.results_evicted;
  }
}

void Broker::expire_results(wire::Time now) {
  for (SessionIndex index = 0; index < sessions_.size(); ++index) {
    if (!sessions_[index]) continue;
    Session& session = *sessions_[index];
    for (ResultStore* store : {&session.unsent, &session.kept}) {
      if (store == &session.unsent && session.peer) continue;
      while (!store->empty() && now - store->front().since > config_.result_ttl) {
        const TaskIndex held = session.tasks.find(store->front().sequence);
        result_bytes_ -= store->front().bytes();
        store->pop_front();
        if (held != kNone && tasks_[held].state == TaskState::held) destroy(held);
      }
    }
    if (!session.peer && now - session.gone_since > config_.result_ttl) forget_held_results(session);
    drop_session_if_empty(index);
  }
}

// Clients share the queue's limit equally; what they already have beyond a smaller share runs off.
void Broker::grant_windows() {
  std::uint64_t present = 0;
  for (const auto& session : sessions_) present += session && session->peer && session->id != local_session_ ? 1 : 0;
  const std::uint64_t share = std::max(kSmallestWindow, config_.max_tasks / std::max<std::uint64_t>(present, 1));
  for (const auto& session : sessions_) {
    if (!session || !session->peer || session->window == share) continue;
    session->window = share;
    wire::encode(session->peer->link.record(), wire::WindowRecord{share});
    touch(*session->peer);
  }
}

}  // namespace covey::controller

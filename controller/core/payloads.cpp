// Payloads too large for records: who uses which, when their holders may let go of them, and the spill store, which takes
// them over from holders that leave. Their bytes pass through here only then. See broker.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "controller/core/broker.hpp"

namespace covey::controller {

namespace {
constexpr wire::Duration kArgsPause = std::chrono::seconds(1);  // before arguments are asked for again
}

void Broker::on_payload_frame(wire::Role sender, const wire::Frame& frame, wire::Time now) {
  const auto content = wire::decode_payload_frame(frame.body);
  if (!content || frame.header.to != self_) {
    ++counters_.malformed_frames;
    return;
  }
  if (content->kind != wire::PayloadFrame::Kind::want) return fetcher_.on_frame(frame, *content, now);
  const auto found = spilled_.find(content->blob);
  wire::answer_want({self_, wire::Role::controller, &subjects_}, sender, frame, *content,
                    found == spilled_.end() ? nullptr : &found->second, port_);
}

// ---- who uses what ----

void Broker::add_user(const wire::BlobReference& blob, TaskIndex user) { users_[blob].push_back(user); }

void Broker::remove_user(const wire::BlobReference& blob, TaskIndex user) {
  const auto found = users_.find(blob);
  if (found == users_.end()) return;
  std::erase(found->second, user);
  if (!found->second.empty()) return;
  users_.erase(found);
  release(blob);
}

// Nobody needs it any more.
void Broker::release(const wire::BlobReference& blob) {
  if (blob.holder == self_) {
    const auto found = spilled_.find(blob.blob);
    if (found == spilled_.end()) return;
    spilled_bytes_ -= found->second.size();
    spilled_.erase(found);
    return;
  }
  const auto peer = peers_.find(blob.holder);
  if (peer == peers_.end()) return;
  wire::encode(peer->second->link.record(), wire::ReleaseRecord{blob.blob});
  touch(*peer->second);
}

// A report is dropped: so is the value that it names, unless another report of it is in use.
void Broker::release_unused(wire::ByteSpan report) {
  const auto blob = wire::report_reference(report);
  if (blob && !users_.contains(*blob)) release(*blob);
}

void Broker::hold(TaskIndex index, const wire::BlobReference& blob, HeldResult&& result) {
  tasks_[index].state = TaskState::held;
  add_user(blob, index);
  held_.insert_or_assign(index, std::move(result));
}

// The task goes, or runs again: it lets go of its value, and of arguments in the spill store.
void Broker::drop_payloads(TaskIndex index) {
  const auto args = wire::decode_content(tasks_[index].content.span());
  if (args && args->reference && args->reference->holder == self_) remove_user(*args->reference, index);
  if (const auto held = held_.extract(index); !held.empty()) remove_user(held.mapped().blob, index);
}

// Those that had been sent to a client that is away. What waits to be sent has a time of its own.
void Broker::forget_held_results(Session& session) {
  std::vector<TaskIndex> held;
  session.tasks.for_each([&](TaskIndex index) {
    const std::uint64_t sequence = tasks_[index].sequence;
    const bool waits = session.unsent.find(sequence) != nullptr || session.kept.find(sequence) != nullptr;
    if (tasks_[index].state == TaskState::held && !waits) held.push_back(index);
  });
  for (const TaskIndex index : held) destroy(index);
}

// ---- values ----

// The client has read a value, or could not.
void Broker::on_taken(Session& session, const wire::TakenRecord& record, wire::Time now) {
  const TaskIndex index = session.tasks.find(record.sequence);
  const auto held = index == kNone ? held_.end() : held_.find(index);
  if (record.outcome == wire::TakenOutcome::read) {
    if (!users_.contains(record.blob)) release(record.blob);
    if (held != held_.end()) forget(index);
    return;
  }
  if (held == held_.end() || held->second.blob != record.blob) return;  // it has been sent another by now
  const bool holder_lives = record.blob.holder == self_ || find_engine(record.blob.holder) != nullptr;
  if (record.outcome == wire::TakenOutcome::gone || !holder_lives) return rerun_for_lost_value(index, now);
  const HeldResult& result = held->second;
  deliver(session, false, {record.sequence, result.attempts, result.engine, result.report, now});
}

// An engine is gone, with its values: those that nobody is reading are made again at once.
void Broker::rerun_for_values_of(wire::Incarnation engine, wire::Time now) {
  std::vector<TaskIndex> lost;
  for (auto at = users_.lower_bound({engine, 0, 0, 0}); at != users_.end() && at->first.holder == engine; ++at) {
    lost.insert(lost.end(), at->second.begin(), at->second.end());
  }
  for (const TaskIndex index : lost) {
    Session& session = session_of(tasks_[index]);
    for (ResultStore* store : {&session.kept, &session.unsent}) {
      const auto* stored = store->find(tasks_[index].sequence);
      if (stored == nullptr) continue;
      result_bytes_ -= stored->bytes();
      store->erase(tasks_[index].sequence);
      rerun_for_lost_value(index, now);
      break;
    }
  }
}

void Broker::rerun_for_lost_value(TaskIndex index, wire::Time now) {
  const auto held = held_.extract(index);
  remove_user(held.mapped().blob, index);
  Task& task = tasks_[index];
  task.state = TaskState::waiting;
  ++task.attempts;
  if (task.attempts >= specs_[task.spec].max_attempts) {
    return fail(index, wire::TaskStatus::payload_lost, "the engine that held the result went away", now);
  }
  ++counters_.requeued;
  make_ready(index, true);
}

// Values that wait for clients which are away, or for somebody to ask for them, make room for others: the oldest first, a quarter
// of what the engine holds at a time.
void Broker::relieve_full_engines() {
  for (const auto& engine : engines_) {
    if (!engine || !engine->full) continue;
    std::uint64_t held = 0;
    std::vector<TaskIndex> waiting;
    for (auto at = users_.lower_bound({engine->id, 0, 0, 0}); at != users_.end() && at->first.holder == engine->id; ++at) {
      held += at->first.size;
      std::copy_if(at->second.begin(), at->second.end(), std::back_inserter(waiting), [&](TaskIndex index) {
        const Session& session = session_of(tasks_[index]);
        return !session.peer || session.kept.find(tasks_[index].sequence) != nullptr;
      });
    }
    std::uint64_t freed = 0;
    std::size_t given_up = 0;
    for (; given_up < waiting.size() && 4 * freed < held; ++given_up) {
      freed += held_.at(waiting[given_up]).blob.size;
      give_up_value(waiting[given_up]);
    }
    if (given_up > 0) port_.log(fmt::format("engine {} is full of values: gave up {} that wait for clients", to_string(engine->id), given_up));
  }
}

// Whoever asks for it will be told that it has expired.
void Broker::give_up_value(TaskIndex index) {
  Session& session = session_of(tasks_[index]);
  for (ResultStore* store : {&session.kept, &session.unsent}) {
    if (store->find(tasks_[index].sequence) == nullptr) continue;
    result_bytes_ -= store->evict(tasks_[index].sequence);
    ++counters_.results_evicted;
  }
  destroy(index);
}

// ---- arguments ----

// An engine could not get the task's arguments. True: it is worth another try, and the task waits for it.
bool Broker::wait_for_args(TaskIndex index, wire::TaskStatus status, wire::Time now) {
  if (status != wire::TaskStatus::payload_lost && status != wire::TaskStatus::payload_unreachable) return false;
  Task& task = tasks_[index];
  const auto args = wire::decode_content(task.content.span());
  if (!args || !args->reference) return false;
  if (args->reference->holder == self_) {  // they have been taken over since the engine was told where they are
    if (task.attempts + 1u >= specs_[task.spec].max_attempts) return false;
    ++task.attempts;
    make_ready(index, true);
    return true;
  }
  const Session& session = session_of(task);
  const bool may_come_back = session.peer != nullptr || now - session.gone_since < config_.payload_grace;
  if (status != wire::TaskStatus::payload_unreachable || !may_come_back) return false;
  task.state = TaskState::delayed;
  set_timer(now + kArgsPause, index);
  return true;
}

void Broker::set_args(TaskIndex index, const wire::BlobReference& blob) {
  Task& task = tasks_[index];
  const auto args = wire::decode_content(task.content.span());
  wire::Writer content;
  wire::encode_content(content, args ? args->codec : wire::Codec::bytes, blob);
  task.content = wire::SmallBytes(content.span());
  add_user(blob, index);
}

// ---- the spill store ----

// A client that has not heard so on an older link asks again.
bool Broker::has_taken_over_args(const Session& session, std::uint64_t sequence) {
  const TaskIndex index = session.tasks.find(sequence);
  if (index == kNone) return session.spilled.contains(sequence);
  const auto args = wire::decode_content(tasks_[index].content.span());
  return args && args->reference && args->reference->holder == self_;
}

void Broker::on_spill(const Peer& peer, const wire::SpillRecord& record) {
  const wire::BlobReference source{peer.link.peer(), static_cast<std::uint8_t>(peer.role), record.blob, record.size};
  const bool needless = peer.role == wire::Role::engine ? !users_.contains(source) : has_taken_over_args(*sessions_[peer.index], record.blob);
  if (record.size == 0 || needless) return release(source);
  const bool begun = std::any_of(spilling_.begin(), spilling_.end(), [&](const auto& item) { return item.second.source == source; });
  if (begun) return;
  const std::uint64_t used = spilled_bytes_ + spilling_bytes_;
  if (used > config_.max_spill_bytes || record.size > config_.max_spill_bytes - used) {
    port_.log(fmt::format("cannot take over {} bytes of {}: the spill store has {} of {} bytes", record.size,
                          to_string(source.holder), spilled_bytes_ + spilling_bytes_, config_.max_spill_bytes));
    return;
  }
  spilling_bytes_ += record.size;
  const std::uint64_t cookie = next_spilling_++;
  spilling_.emplace(cookie, Spilling{peer.role, source});
  fetcher_.fetch(cookie, source);
}

void Broker::on_fetched(std::uint64_t cookie, wire::Buffer payload) {
  const auto taken = spilling_.extract(cookie);
  if (taken.empty()) return;
  const auto [role, source] = taken.mapped();
  spilling_bytes_ -= source.size;
  const wire::BlobReference copy{self_, static_cast<std::uint8_t>(wire::Role::controller), next_spilled_++, source.size};
  spilled_bytes_ += source.size;
  spilled_.emplace(copy.blob, std::move(payload));
  if (role == wire::Role::client) {
    take_over_args(source, copy);
  } else if (auto users = users_.extract(source); !users.empty()) {
    for (const TaskIndex index : users.mapped()) take_over_value(index, copy);
  }
  if (!users_.contains(copy)) release(copy);
  release(source);
}

void Broker::on_fetch_failed(std::uint64_t cookie, wire::FetchError) {
  const auto taken = spilling_.extract(cookie);
  if (!taken.empty()) spilling_bytes_ -= taken.mapped().source.size;
}

// A client numbers its arguments like the tasks they belong to.
void Broker::take_over_args(const wire::BlobReference& source, const wire::BlobReference& copy) {
  const auto peer = peers_.find(source.holder);
  if (peer == peers_.end()) return;
  Session& session = *sessions_[peer->second->index];
  const TaskIndex index = session.tasks.find(source.blob);
  if (index == kNone) {
    if (source.blob > session.highest_sequence) {
      users_[copy];  // its task is still on its way here
      session.spilled[source.blob] = copy;
    }
  } else if (tasks_[index].state != TaskState::held) {
    set_args(index, copy);
  }
}

// The client may be reading from the old holder: it is told of the new one.
void Broker::take_over_value(TaskIndex index, const wire::BlobReference& copy) {
  HeldResult& held = held_.at(index);
  held.blob = copy;
  add_user(copy, index);
  auto report = *wire::decode_report(wire::as_bytes(held.report));
  wire::Writer content, encoded;
  wire::encode_content(content, wire::decode_content(report.content)->codec, copy);
  report.content = content.span();
  wire::encode_report(encoded, report);
  held.report = std::string(wire::as_text(encoded.span()));
  Task& task = tasks_[index];
  Session& session = session_of(task);
  for (ResultStore* results : {&session.kept, &session.unsent}) {
    const auto* stored = results->find(task.sequence);
    if (stored == nullptr) continue;
    ResultStore::Result moved = *stored;
    moved.report = held.report;
    return store(*results, std::move(moved));
  }
  if (!session.peer) return;
  wire::encode(session.peer->link.record(), wire::ResultRecord{task.sequence, held.attempts, held.engine, wire::as_bytes(held.report)});
  touch(*session.peer);
}

}  // namespace covey::controller

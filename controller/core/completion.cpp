// How tasks end, and what follows from it: retries, dependents, twins, results. See broker.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/core/broker.hpp"

namespace covey::controller {

void Broker::complete(TaskIndex index, wire::ByteSpan report, wire::Incarnation engine, wire::Time now) {
  Task& task = tasks_[index];
  if (task.state == TaskState::ready) take_from_queue(index);
  if (task.state == TaskState::assigned) detach_from_engine(index, true);  // it ended elsewhere, or with its twin
  task.state = TaskState::waiting;
  const auto status = wire::report_status(report);
  if (status == wire::TaskStatus::failed && task.spec != kNone && retry(index, now)) return;
  if (wait_for_args(index, status, now)) return;
  if (status == wire::TaskStatus::payload_unreachable) {
    return fail(index, wire::TaskStatus::payload_lost, "the client that held the arguments went away", now);
  }

  ++(status == wire::TaskStatus::ok ? counters_.completed : counters_.failed);
  const wire::TaskId id = id_of(index);
  const auto attempts = static_cast<std::uint32_t>(task.attempts + task.retries + (engine == wire::Incarnation::none ? 0 : 1));
  note_completed({id, engine, task.submitted, now, attempts, status, 0, {}}, task.spec);
  Session& session = session_of(task);
  const bool detached = task.spec != kNone && specs_[task.spec].detached;
  if (task.has_side && !side_[index].extras.idempotency_key.empty() && !side_[index].awaits_twin) {
    if (auto* entry = idempotency_.find(side_[index].extras.idempotency_key); entry != nullptr && entry->first == id) {
      entry->done = true;
      entry->report = wire::as_text(report);
      entry->attempts = attempts;
      entry->engine = engine;
      for (const Handle twin : std::exchange(entry->twins, {})) {
        const TaskIndex other = tasks_.find(twin);
        // One that is held has ended already, with the result of a run under an earlier controller.
        if (other != kNone && tasks_[other].state != TaskState::held) complete(other, report, engine, now);
      }
    }
  }
  if (!detached && session.peer && session.unsent.empty() && session.peer->link.has_room()) {
    send_result(session, {id.sequence, attempts, engine, report});
  } else {
    deliver(session, detached, {id.sequence, attempts, engine, std::string(wire::as_text(report)), now});
  }
  if (const auto blob = wire::report_reference(report)) {
    hold(index, *blob, {*blob, std::string(wire::as_text(report)), attempts, engine});
  } else {
    forget(index);
  }
  settle_dependents(id, status == wire::TaskStatus::ok, engine, now);
}

void Broker::note_completed(History::Entry entry, SpecIndex spec) {
  latency_.add(entry.completed - entry.submitted);
  if (spec != kNone) {
    entry.function = specs_.entry(spec).function;
    entry.label = specs_[spec].label;
    if (entry.function >= functions_.size()) functions_.resize(entry.function + 1);
    ++(entry.status == wire::TaskStatus::ok ? functions_[entry.function].ok : functions_[entry.function].failed);
  }
  history_.push(entry);
}

// A task ends without an engine's word.
void Broker::fail(TaskIndex index, wire::TaskStatus status, std::string_view error, wire::Time now) {
  wire::Writer report;
  wire::encode_report(report, {status, error, 0, 0, {}});
  complete(index, report.span(), wire::Incarnation::none, now);
}

bool Broker::retry(TaskIndex index, wire::Time now) {
  Task& task = tasks_[index];
  const wire::TaskSpec& spec = specs_[task.spec];
  if (task.retries >= spec.retries) return false;
  const auto doublings = std::min<unsigned>(task.retries, 16);
  ++task.retries;
  ++counters_.requeued;
  if (spec.retry_delay_ms == 0) {
    make_ready(index);
  } else {
    task.state = TaskState::delayed;
    set_timer(now + std::chrono::milliseconds(std::min<std::uint64_t>(spec.retry_delay_ms << doublings, 3'600'000)), index);
  }
  return true;
}

// The record goes; nothing may name it any more.
void Broker::forget(TaskIndex index) {
  Task& task = tasks_[index];
  const SessionIndex session = task.session;
  destroy(index);
  if (!sessions_[session]->peer) drop_session_if_empty(session);
}

// forget(), but for the session, which may be left with nothing.
void Broker::destroy(TaskIndex index) {
  Task& task = tasks_[index];
  drop_payloads(index);
  sessions_[task.session]->tasks.erase(task.sequence);
  if (task.has_side) side_.erase(index);
  if (task.spec != kNone) specs_.release(task.spec);
  tasks_.destroy(index);
}

// ---- timers ----

void Broker::set_timer(wire::Time at, TaskIndex index) { timers_.push({at, tasks_.handle(index)}); }

// A timer says only when to look: what is due follows from the task's state.
void Broker::on_task_timer(TaskIndex index, wire::Time now) {
  Task& task = tasks_[index];
  if (task.state == TaskState::held) return;
  const wire::TaskSpec& spec = specs_[task.spec];
  if (spec.timeout_ms > 0 && now >= task.submitted + std::chrono::milliseconds(spec.timeout_ms)) {
    return fail(index, wire::TaskStatus::timed_out,
                fmt::format("not completed within {} ms of its submission", spec.timeout_ms), now);
  }
  if (task.state == TaskState::delayed) return make_ready(index);
  if (task.has_side && side_[index].outcome_pending && task.state == TaskState::waiting) {
    fail(index, wire::TaskStatus::outcome_unknown,
         "it may run at most once, may have started under an earlier controller, and no engine reported it", now);
  }
}

// ---- dependencies and twins ----

// Decides what a waiting task does next: wait, become ready, or fail because its dependencies cannot be met.
void Broker::admit(TaskIndex index, wire::Time now) {
  if (!tasks_[index].has_side) return make_ready(index);
  SideTask& side = side_[index];
  if (!side.extras.idempotency_key.empty()) {
    const wire::TaskId id = id_of(index);
    if (auto* entry = idempotency_.find(side.extras.idempotency_key); entry != nullptr && entry->first != id) {
      if (entry->done) {
        const std::string report = entry->report;
        side.awaits_twin = true;
        return complete(index, wire::as_bytes(report), entry->engine, now);
      }
      side.awaits_twin = true;
      entry->twins.push_back(tasks_.handle(index));
      return;
    }
    idempotency_.add(side.extras.idempotency_key, id, now, config_.max_idempotency_keys);
  }
  using Known = wire::Dependency::Known;
  const auto register_set = [&](const wire::DependencySet& set, DependencyProgress& progress, bool follow) {
    for (const auto& dependency : set.tasks) {
      const TaskIndex other = find_task(dependency.task);
      if (other != kNone && tasks_[other].state != TaskState::held && other != index) {
        dependents_[dependency.task].push_back(tasks_.handle(index));
        continue;
      }
      const auto* past = history_.find(dependency.task);
      const bool success = past != nullptr ? past->status == wire::TaskStatus::ok : dependency.known == Known::succeeded;
      if (follow && past != nullptr) side.follow_engine = past->engine;
      progress.on_ended(success);
    }
  };
  register_set(side.extras.after, side.after, false);
  register_set(side.extras.follow, side.follow, true);
  using Verdict = DependencyProgress::Verdict;
  const auto after = side.after.verdict(), follow = side.follow.verdict();
  if (after == Verdict::impossible || follow == Verdict::impossible) {
    return fail(index, wire::TaskStatus::dependency_failed, "its dependencies can no longer be met", now);
  }
  if (after == Verdict::met && follow == Verdict::met) make_ready(index);
}

void Broker::settle_dependents(const wire::TaskId& id, bool success, wire::Incarnation engine, wire::Time now) {
  if (dependents_.empty()) return;
  const auto found = dependents_.find(id);
  if (found == dependents_.end()) return;
  auto waiting = std::move(found->second);
  dependents_.erase(found);
  std::sort(waiting.begin(), waiting.end());
  waiting.erase(std::unique(waiting.begin(), waiting.end()), waiting.end());
  for (const Handle handle : waiting) {
    const TaskIndex index = tasks_.find(handle);
    if (index == kNone || tasks_[index].state != TaskState::waiting) continue;
    SideTask& side = side_[index];
    const auto times = [&](const wire::DependencySet& set) {
      return std::count_if(set.tasks.begin(), set.tasks.end(), [&](const auto& dependency) { return dependency.task == id; });
    };
    for (auto left = times(side.extras.after); left > 0; --left) side.after.on_ended(success);
    for (auto left = times(side.extras.follow); left > 0; --left) {
      side.follow.on_ended(success);
      side.follow_engine = engine;
    }
    using Verdict = DependencyProgress::Verdict;
    const auto after = side.after.verdict(), follow = side.follow.verdict();
    if (after == Verdict::impossible || follow == Verdict::impossible) {
      fail(index, wire::TaskStatus::dependency_failed,
           fmt::format("its dependency {} {}", to_string(id), success ? "succeeded" : "failed"), now);
    } else if (after == Verdict::met && follow == Verdict::met) {
      make_ready(index);
    }
  }
}

}  // namespace covey::controller

// Engines: how they come, what they send, and what becomes of their tasks when they go. See broker.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/core/broker.hpp"

namespace covey::controller {

void Broker::on_engine_hello(const wire::Hello& hello, const wire::Header& header, wire::Time now) {
  Engine* engine = find_engine(header.from);
  if (engine == nullptr) {
    const auto free = std::find(engines_.begin(), engines_.end(), nullptr);
    const auto index = static_cast<EngineIndex>(free - engines_.begin());
    if (free == engines_.end()) engines_.emplace_back();
    engines_[index] = std::make_unique<Engine>();
    engine = engines_[index].get();
    engine->id = header.from;
    engine->peer = make_peer(wire::Role::engine, index, header, now);
    engine->joined = engine->last_busy = now;
    engine_events_.push({EngineEvent::Kind::joined, engine->id, hello.name, hello.slots});
    ++live_engines_;
  } else {
    // It lost sight of us. It has dropped what it had not started, and will say what it still has.
    const EngineIndex index = engine->peer->index;
    end_link(*engine->peer, now);
    engine->peer = make_peer(wire::Role::engine, index, header, now);
  }
  engine->hello = hello;
  engine->adopting = true;
  engine->recalling = false;
  engine->load = 0;
  engine->credit = 0;
  engine->full = false;
  engine->alone = kNone;
  engine->ghosts.clear();
  engine->adopted.clear();
  engine->known_specs.clear();
  welcome(*engine->peer, 0);
  if (engine->asked) wire::encode(engine->peer->link.record(), wire::DrainRecord{*engine->asked});  // the old link may have lost it
}

// How it is with the engine. What it was asked may be on its way there; but who leaves does not come back.
void Broker::on_drain(Engine& engine, wire::DrainMode mode) {
  if (mode == wire::DrainMode::leave || mode == engine.asked) engine.asked.reset();
  engine.draining = engine.asked.value_or(mode) != wire::DrainMode::resume;
}

void Broker::on_engine_records(Engine& engine, wire::Reader& in, wire::Time now) {
  while (const auto type = wire::next_record(in)) {
    switch (*type) {
      case wire::RecordType::finished: {
        wire::FinishedRecord record;
        wire::decode(in, record);
        if (in.ok()) on_finished(engine, record, now);
        break;
      }
      case wire::RecordType::credit: {
        wire::CreditRecord record;
        wire::decode(in, record);
        engine.credit = record.tasks;
        engine.full = record.tasks == 0;
        engine.mean_run_us = record.mean_run_us;
        break;
      }
      case wire::RecordType::usage: {
        wire::UsageRecord record;
        wire::decode(in, record);
        engine.memory_bytes = record.memory_bytes;
        break;
      }
      case wire::RecordType::returned: {
        wire::ReturnedRecord record;
        wire::decode(in, record);
        if (in.ok()) on_returned(engine, record.handle);
        break;
      }
      case wire::RecordType::recall: {  // the answer to a recall ends with it
        wire::RecallRecord record;
        wire::decode(in, record);
        engine.recalling = false;
        break;
      }
      case wire::RecordType::drain: {
        wire::DrainRecord record;
        wire::decode(in, record);
        if (in.ok()) on_drain(engine, record.mode);
        break;
      }
      case wire::RecordType::spill: {
        wire::SpillRecord record;
        wire::decode(in, record);
        if (in.ok()) on_spill(*engine.peer, record);
        break;
      }
      case wire::RecordType::adopt: {
        wire::AdoptRecord record;
        wire::decode(in, record);
        if (in.ok()) on_adopt(engine, record, now);
        break;
      }
      case wire::RecordType::adopted_all: on_adopted_all(engine, now); break;
      default: in.fail();
    }
  }
}

void Broker::on_finished(Engine& engine, const wire::FinishedRecord& record, wire::Time now) {
  if ((record.handle & wire::kAdoptedBit) != 0) return on_adopted_finished(engine, record, now);
  const TaskIndex index = tasks_.find(record.handle);
  const bool mine = index != kNone && tasks_[index].state == TaskState::assigned && tasks_[index].engine == engine.peer->index;
  if (!mine) {
    release_unused(record.report);
    if (engine.ghosts.erase(record.handle) > 0) {
      --engine.load;
      ++counters_.late_results;
    }
    return;
  }
  --engine.load;
  ++engine.completed;
  engine.assigned.remove(tasks_, index);
  tasks_[index].state = TaskState::waiting;
  if (engine.alone == index) engine.alone = kNone;
  complete(index, record.report, engine.id, now);
}

// A task of an older link: the attempt may have been given up, and the task may have ended or run elsewhere since.
void Broker::on_adopted_finished(Engine& engine, const wire::FinishedRecord& record, wire::Time now) {
  const wire::TaskId id = record.task;
  if (engine.adopted.erase(record.handle) > 0) --engine.load;
  ++engine.completed;
  const TaskIndex index = find_task(id);
  if (index == kNone) {
    return keep_orphan_result(engine, record, now);
  }
  if (wire::report_status(record.report) == wire::TaskStatus::cancelled) return on_adopted_stopped(engine, index, now);
  Task& task = tasks_[index];
  if (task.state == TaskState::held) {
    ++counters_.late_results;
    return release_unused(record.report);
  }
  if (task.state == TaskState::assigned && task.engine == engine.peer->index) {
    engine.assigned.remove(tasks_, index);
    if (engine.alone == index) engine.alone = kNone;
    task.state = TaskState::waiting;
  } else {
    ++counters_.late_results;
    ++counters_.late_results_used;
  }
  complete(index, record.report, engine.id, now);
}

// An earlier controller had it stopped, because the task had ended. It has not for this one, whose client never heard so.
void Broker::on_adopted_stopped(Engine& engine, TaskIndex index, wire::Time now) {
  ++counters_.late_results;
  Task& task = tasks_[index];
  if (task.state != TaskState::assigned || task.engine != engine.peer->index) return;
  engine.assigned.remove(tasks_, index);
  if (engine.alone == index) engine.alone = kNone;
  task.state = TaskState::waiting;
  if (specs_[task.spec].max_attempts == 1) {
    return fail(index, wire::TaskStatus::outcome_unknown, "it may run at most once, and an earlier controller stopped it on its engine", now);
  }
  ++counters_.requeued;
  make_ready(index, true);
}

// Its client may submit the task again, if it is one of an earlier controller; a client that has the result will not.
void Broker::keep_orphan_result(Engine& engine, const wire::FinishedRecord& record, wire::Time now) {
  ++counters_.late_results;
  const bool stopped = wire::report_status(record.report) == wire::TaskStatus::cancelled;
  const bool hopeless = stopped || (find_session(record.task.session) != nullptr && now - started_ > config_.adoption_grace);
  const auto value = wire::report_reference(record.report);
  if (const auto known = orphans_.find(record.task); known != orphans_.end()) {
    const std::string earlier = std::move(known->second.report);
    orphan_bytes_ -= earlier.size();
    orphans_.erase(known);
    if (wire::report_reference(wire::as_bytes(earlier)) != value) release_unused(wire::as_bytes(earlier));
  }
  if (hopeless || orphan_bytes_ + record.report.size() > config_.max_result_bytes) return release_unused(record.report);
  orphan_bytes_ += record.report.size();
  orphans_[record.task] = Orphan{engine.id, record.handle, std::string(wire::as_text(record.report)), now};
}

void Broker::on_returned(Engine& engine, Handle handle) {
  const TaskIndex index = tasks_.find(handle);
  const bool mine = index != kNone && tasks_[index].state == TaskState::assigned && tasks_[index].engine == engine.peer->index;
  if (!mine) {
    if (engine.ghosts.erase(handle) > 0) --engine.load;
    return;
  }
  --engine.load;
  engine.assigned.remove(tasks_, index);
  if (engine.alone == index) engine.alone = kNone;
  ++counters_.requeued;
  make_ready(index, true);
}

// What is adopted runs already, so it goes before all that was assigned since: the oldest tasks are those that a dying engine
// can have been running.
void Broker::on_adopt(Engine& engine, const wire::AdoptRecord& record, wire::Time now) {
  if (!engine.adopted.emplace(record.handle, record.task).second) return;  // said twice
  ++engine.load;
  const TaskIndex index = find_task(record.task);
  if (index == kNone) {
    Orphan& orphan = orphans_[record.task];
    if (orphan.report.empty()) orphan = Orphan{engine.id, record.handle, {}, now};  // else another engine has finished it
    return;
  }
  Task& task = tasks_[index];
  if (task.state == TaskState::held) return;
  if (task.state == TaskState::assigned) {
    if (task.engine == engine.peer->index) {
      engine.assigned.remove(tasks_, index);
      engine.assigned.push_front(tasks_, index);
    }
    return;
  }
  if (task.state == TaskState::ready) take_from_queue(index);
  if (task.has_side) side_[index].outcome_pending = false;
  task.state = TaskState::assigned;
  task.engine = engine.peer->index;
  engine.assigned.push_front(tasks_, index);
}

void Broker::on_adopted_all(Engine& engine, wire::Time) {
  std::unordered_set<wire::TaskId> kept;
  for (const auto& [handle, id] : engine.adopted) kept.insert(id);
  std::vector<TaskIndex> dropped;
  for (TaskIndex i = engine.assigned.front(); i != kNone; i = tasks_[i].next) {
    if (!kept.contains(id_of(i))) dropped.push_back(i);
  }
  for (auto i = dropped.rbegin(); i != dropped.rend(); ++i) {
    engine.assigned.remove(tasks_, *i);
    ++counters_.requeued;
    make_ready(*i, true);
  }
  engine.adopting = false;
}

// ---- loss ----

void Broker::engine_lost(EngineIndex index, bool in_good_order, wire::Time now, std::string_view why) {
  const auto engine = std::move(engines_[index]);  // nobody finds it any more
  --live_engines_;
  if (reserved_ == index) reserved_ = kNone;
  end_link(*engine->peer, now);
  engine_events_.push({in_good_order ? EngineEvent::Kind::left : EngineEvent::Kind::lost, engine->id, engine->hello.name, engine->hello.slots});
  if (!in_good_order) {
    ++counters_.engines_lost;
    port_.log(fmt::format("engine {} ({}) is lost with {} tasks{}{}", to_string(engine->id), engine->hello.name,
                          engine->assigned.size(), why.empty() ? "" : ": ", why));
    note_setbacks(*engine, now, why);
  }
  std::erase_if(orphans_, [&](const auto& item) { return item.second.engine == engine->id && item.second.report.empty(); });
  give_up_assigned(*engine, in_good_order, now);
  rerun_for_values_of(engine->id, now);
}

void Broker::note_setbacks(const Engine& engine, wire::Time now, std::string_view why) {
  std::uint32_t running = 0;
  for (TaskIndex i = engine.assigned.front(); i != kNone && running < engine.hello.slots; i = tasks_[i].next, ++running) {
    setbacks_.push({id_of(i), engine.id, engine.hello.name, now});
  }
  setbacks_.explain(engine.id, why);
}

// Only its oldest `slots` tasks can have been running: these are suspects. The others go back where they came from.
void Broker::give_up_assigned(Engine& engine, bool in_good_order, wire::Time now) {
  std::vector<TaskIndex> order;
  for (TaskIndex i = engine.assigned.front(); i != kNone; i = tasks_[i].next) order.push_back(i);
  for (std::size_t i = order.size(); i-- > 0;) {
    engine.assigned.remove(tasks_, order[i]);
    tasks_[order[i]].engine = kNone;
    if (i < engine.hello.slots) {
      rerun_or_fail(engine, order[i], in_good_order, now);
    } else {
      ++counters_.requeued;
      make_ready(order[i], true);
    }
  }
}

void Broker::rerun_or_fail(Engine& engine, TaskIndex index, bool in_good_order, wire::Time now) {
  Task& task = tasks_[index];
  const std::string_view why = setbacks_.why(engine.id);
  ++task.attempts;
  if (task.attempts >= specs_[task.spec].max_attempts) {
    task.state = TaskState::waiting;
    return fail(index, wire::TaskStatus::engine_died,
                fmt::format("{} engine{} died while running it, the last was {} ({}){}{}", task.attempts, task.attempts == 1 ? "" : "s",
                            to_string(engine.id), engine.hello.name, why.empty() ? "" : ": ", why),
                now);
  }
  task.suspect = !in_good_order;
  ++counters_.requeued;
  make_ready(index, true);
}

// Engines that are here and that the tasks name may lack their labels. Labels alone may come with the next engine.
bool Broker::can_ever_run(const Demand& demand) {
  const auto can = [&](wire::Incarnation id) {
    const Engine* engine = find_engine(id);
    return engine != nullptr && may_take(*engine, demand);
  };
  if (demand.follow != wire::Incarnation::none) return can(demand.follow);
  if (demand.constraint == kNone) return true;
  const auto& targets = specs_[demand.constraint].targets;
  return targets.empty() || std::any_of(targets.begin(), targets.end(), can);
}

// Tasks that name engines of which none is left would wait for ever.
void Broker::fail_unschedulable(wire::Time now) {
  std::vector<Handle> hopeless;
  ready_.for_each_lane([&](const ReadyQueue::Lane& lane) {
    for (TaskIndex i = can_ever_run(lane.demand) ? kNone : lane.tasks->front(); i != kNone; i = tasks_[i].next) hopeless.push_back(tasks_.handle(i));
    return true;
  });
  for (const Handle handle : hopeless) {
    if (const TaskIndex index = tasks_.find(handle); index != kNone) {
      fail(index, wire::TaskStatus::unschedulable, "none of the engines that it may run on is here any more", now);
    }
  }
}

}  // namespace covey::controller

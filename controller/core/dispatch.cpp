// Which task goes to which engine, and when. See broker.hpp.
#include <algorithm>
#include <cassert>

#include "controller/core/broker.hpp"

namespace covey::controller {

namespace {
constexpr std::uint64_t kMostPerChoice = 1024;      // tasks that one choice of an engine may cover: about a frame
constexpr std::uint64_t kRecallWorthUs = 1'000;     // unstarted work below this is not worth a recall's round trip
constexpr std::size_t kNeighboursAlike = 8;
constexpr std::uint64_t kBriefWorkUs = 500;         // about what it takes to wake another engine on a busy machine
}  // namespace

// ---- the ready queue ----

Demand Broker::demand_of(TaskIndex index) const {
  const Task& task = tasks_[index];
  const wire::TaskSpec& spec = specs_[task.spec];
  Demand demand;
  if (!spec.targets.empty() || !spec.labels.empty()) demand.constraint = task.spec;
  demand.no_prefetch = spec.max_attempts == 1;
  demand.in_company = !task.suspect;
  if (task.has_side) demand.follow = side_.at(index).follow_engine;
  return demand;
}

void Broker::make_ready(TaskIndex index, bool front) {
  Task& task = tasks_[index];
  task.state = TaskState::ready;
  task.engine = kNone;
  const auto priority = specs_[task.spec].priority;
  if (front) {
    ready_.push_front(tasks_, index, priority, demand_of(index));
  } else {
    ready_.push_back(tasks_, index, priority, demand_of(index));
  }
}

void Broker::take_from_queue(TaskIndex index) {
  ready_.remove(tasks_, index, specs_[tasks_[index].spec].priority, demand_of(index));
}

// The task ends by other means; its engine does not know yet, and the load stays until it says so.
void Broker::detach_from_engine(TaskIndex index, bool stop) {
  Task& task = tasks_[index];
  Engine& engine = *engines_[task.engine];
  engine.assigned.remove(tasks_, index);
  if (engine.alone == index) engine.alone = kNone;
  Handle handle = tasks_.handle(index);
  const auto adopted = std::find_if(engine.adopted.begin(), engine.adopted.end(),
                                    [id = id_of(index)](const auto& item) { return item.second == id; });
  if (adopted != engine.adopted.end()) {
    handle = adopted->first;
  } else if (!engine.adopting) {
    engine.ghosts.insert(handle);
  }
  if (!stop) return;
  wire::encode(engine.peer->link.record(), wire::StopRunRecord{handle});
  touch(*engine.peer);
}

// ---- choosing ----

std::uint64_t Broker::room(const Engine& engine, const Demand& demand) const {
  if (engine.draining || engine.adopting || engine.alone != kNone || !engine.peer->link.has_room()) return 0;
  if (!demand.in_company) return engine.load == 0 && engine.credit > 0 ? 1 : 0;
  if (engine.peer->index == reserved_) return 0;
  const std::uint64_t limit =
      demand.no_prefetch ? std::min<std::uint64_t>(engine.credit, engine.hello.slots) : engine.credit;
  const std::uint64_t room = limit > engine.load ? limit - engine.load : 0;
  return engine.supplied() && room < engine.credit / 4 ? 0 : room;
}

bool Broker::may_take(const Engine& engine, const Demand& demand) const {
  if (demand.follow != wire::Incarnation::none && demand.follow != engine.id) return false;
  if (demand.constraint == kNone) return true;
  const wire::TaskSpec& spec = specs_[demand.constraint];
  const auto& targets = spec.targets;
  if (!targets.empty() && std::find(targets.begin(), targets.end(), engine.id) == targets.end()) return false;
  return std::all_of(spec.labels.begin(), spec.labels.end(), [&](const std::string& label) {
    return std::find(engine.hello.labels.begin(), engine.hello.labels.end(), label) != engine.hello.labels.end();
  });
}

namespace {

// Compares tasks per slot without dividing.
bool less_loaded(const Engine& a, const Engine& b) { return a.load * b.hello.slots < b.load * a.hello.slots; }

}  // namespace

// The engine that the policy prefers among those with room; null where there is none.
Engine* Broker::choose(const Demand& demand, std::size_t& eligible) {
  eligible = 0;
  Engine* best = nullptr;
  std::vector<Engine*> all;
  const bool random = config_.policy != Policy::leastload && config_.policy != Policy::lru;
  const std::size_t count = engines_.size();
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t at = next_engine_ + i;
    if (at >= count) at -= count;
    Engine* engine = engines_[at].get();
    if (engine == nullptr || room(*engine, demand) == 0 || !may_take(*engine, demand)) continue;
    ++eligible;
    if (random) {
      all.push_back(engine);
    } else if (best == nullptr || (config_.policy == Policy::lru ? engine->last_assigned < best->last_assigned
                                                                 : less_loaded(*engine, *best))) {
      best = engine;
    }
  }
  if (random && !all.empty()) {
    const auto pick = [&] { return all[random_() % all.size()]; };
    const auto pick_weighted = [&] {
      double total = 0;
      for (const Engine* engine : all) total += 1.0 / (1.0 + static_cast<double>(engine->load));
      double at = total * static_cast<double>(random_() >> 11) * 0x1.0p-53;
      for (Engine* engine : all) {
        at -= 1.0 / (1.0 + static_cast<double>(engine->load));
        if (at <= 0) return engine;
      }
      return all.back();
    };
    if (config_.policy == Policy::plainrandom) return pick();
    Engine* a = config_.policy == Policy::weighted ? pick_weighted() : pick();
    Engine* b = config_.policy == Policy::weighted ? pick_weighted() : pick();
    return less_loaded(*b, *a) ? b : a;
  }
  if (best != nullptr) next_engine_ = (best->peer->index + 1) % count;
  return best;
}

// ---- handing out ----

// On a busy cluster no engine would ever be empty by itself: one is given nothing more until it is.
void Broker::reserve(const Demand& demand) {
  if (reserved_ != kNone && engines_[reserved_] && !engines_[reserved_]->draining) return;
  reserved_ = kNone;
  for (const auto& engine : engines_) {
    if (!engine || engine->draining || engine->adopting || engine->alone != kNone || !may_take(*engine, demand)) continue;
    if (reserved_ == kNone || less_loaded(*engine, *engines_[reserved_])) reserved_ = engine->peer->index;
  }
}

void Broker::dispatch(wire::Time now) {
  if (ready_.empty() || live_engines_ == 0) return recall_for_idle();
  std::size_t lanes = 0;
  if (reserved_ != kNone && !ready_.has_suspects()) reserved_ = kNone;
  ready_.for_each_lane([&](const ReadyQueue::Lane& lane) {
    dispatch_lane(lane, now);
    return ++lanes < 4096;
  });
  if (ready_.empty()) recall_for_idle();
}

void Broker::dispatch_lane(const ReadyQueue::Lane& lane, wire::Time) {
  while (!lane.tasks->empty()) {
    std::size_t eligible = 0;
    Engine* engine = choose(lane.demand, eligible);
    if (engine == nullptr) return lane.demand.in_company ? void() : reserve(lane.demand);
    // With a deep queue one choice covers a frame's worth of tasks, with a shallow one a single task; and of tasks so
    // short that the engine is through with them sooner than another would have been woken, as many as that.
    const std::uint64_t brief = engine->mean_run_us == 0 ? 1 : kBriefWorkUs / engine->mean_run_us;
    const std::uint64_t share = std::max(brief, lane.tasks->size() / (eligible * kNeighboursAlike));
    const std::uint64_t space = room(*engine, lane.demand);
    const std::uint64_t quota_of_share = std::clamp<std::uint64_t>(share, 1, kMostPerChoice);
    std::uint64_t quota = engine->supplied() ? space : std::min(quota_of_share, space);
    while (quota-- > 0 && !lane.tasks->empty()) {
      const TaskIndex index = ready_.take(tasks_, *lane.tasks);
      assign(*engine, index);
      if (lane.demand.in_company) continue;
      engine->alone = index;
      reserved_ = kNone;
    }
  }
}

// It came back to an engine that has been running it since before its last link, while it was thought to be elsewhere.
bool Broker::runs_already(const Engine& engine, TaskIndex index) const {
  return std::any_of(engine.adopted.begin(), engine.adopted.end(), [&](const auto& item) { return item.second == id_of(index); });
}

// An earlier run of it is being stopped on the engine that is to have it again: the two need handles of their own. Of those who keep
// the old one only a time limit still matters to a task that was ready.
void Broker::rename(TaskIndex index) {
  tasks_.rename(index);
  const auto& spec = specs_[tasks_[index].spec];
  if (spec.timeout_ms > 0) set_timer(tasks_[index].submitted + std::chrono::milliseconds(spec.timeout_ms), index);
}

void Broker::assign(Engine& engine, TaskIndex index) {
  assert(engine.load < engine.credit);
  Task& task = tasks_[index];
  task.state = TaskState::assigned;
  task.engine = engine.peer->index;
  if (runs_already(engine, index)) return engine.assigned.push_front(tasks_, index);
  if (!engine.ghosts.empty() && engine.ghosts.contains(tasks_.handle(index))) rename(index);
  ++engine.load;
  engine.last_assigned = ++assignments_;
  engine.assigned.push_back(tasks_, index);
  const auto& spec = specs_.entry(task.spec);
  auto [known, fresh] = engine.known_specs.try_emplace(task.spec, spec.number);
  if (fresh || known->second != spec.number) {
    known->second = spec.number;
    wire::encode(engine.peer->link.record(), wire::SpecRecord{task.spec, wire::as_bytes(spec.encoded)});
  }
  wire::encode(engine.peer->link.record(), wire::RunRecord{task.spec, tasks_.handle(index), id_of(index), task.content.span()});
  touch(*engine.peer);
}

// The queue is dry: where one engine still holds unstarted tasks and another is idle, ask for some back.
void Broker::recall_for_idle() {
  if (live_engines_ < 2) return;
  std::uint64_t idle_slots = 0;
  for (const auto& engine : engines_) {
    if (!engine || engine->draining || engine->adopting || engine->load >= engine->hello.slots) continue;
    idle_slots += engine->hello.slots - engine->load;
  }
  if (idle_slots == 0) return;
  for (const auto& engine : engines_) {
    if (!engine || engine->recalling || engine->adopting || engine->load <= engine->hello.slots) continue;
    const std::uint64_t unstarted = engine->load - engine->hello.slots;
    const std::uint64_t wait_us = unstarted * engine->mean_run_us / engine->hello.slots;
    if (engine->mean_run_us != 0 && wait_us < kRecallWorthUs) continue;
    const std::uint64_t count = std::min((unstarted + 1) / 2, idle_slots);
    engine->recalling = true;
    ++counters_.recalls;
    wire::encode(engine->peer->link.record(), wire::RecallRecord{count});
    touch(*engine->peer);
    idle_slots -= count;
    if (idle_slots == 0) return;
  }
}

}  // namespace covey::controller

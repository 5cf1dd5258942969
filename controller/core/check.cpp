// The broker's invariants, walked and asserted: for tests and the simulation. See broker.hpp.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "controller/core/broker.hpp"

namespace covey::controller {

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broker invariant broken: %s\n", what);
  std::abort();
}

}  // namespace

void Broker::check() const {
  std::size_t in_sessions = 0, held = 0;
  std::uint64_t bytes = 0;
  for (const auto& session : sessions_) {
    if (!session) continue;
    in_sessions += session->tasks.size();
    bytes += session->unsent.bytes() + session->kept.bytes();
    session->tasks.for_each([&](TaskIndex index) {
      const Task& task = tasks_[index];
      held += task.state == TaskState::held ? 1 : 0;
      require(task.state != TaskState::unused, "a session's task is in use");
      require(task.spec == kNone || task.attempts <= specs_[task.spec].max_attempts, "attempts are bounded");
    });
  }
  require(in_sessions == tasks_.size(), "every unfinished task is in its session's index");
  require(held == held_.size(), "held tasks have their results");
  for (const auto& [index, result] : held_) {
    const auto users = users_.find(result.blob);
    require(users != users_.end() && std::count(users->second.begin(), users->second.end(), index) == 1, "held values know their users");
  }
  std::uint64_t spilled = 0, orphaned = 0;
  for (const auto& [task, orphan] : orphans_) orphaned += orphan.report.size();
  require(orphaned == orphan_bytes_, "results that wait for their tasks are counted");
  for (const auto& [number, payload] : spilled_) spilled += payload.size();
  require(spilled == spilled_bytes_ && spilled <= config_.max_spill_bytes, "the spill store is counted, and within its limit");
  require(bytes == result_bytes_, "stored results are counted");
  for (const auto& engine : engines_) {
    if (!engine || engine->adopting) continue;
    std::size_t adopted_here = 0;
    for (TaskIndex i = engine->assigned.front(); i != kNone; i = tasks_[i].next) {
      require(tasks_[i].state == TaskState::assigned && tasks_[i].engine == engine->peer->index, "assigned tasks know their engine");
    }
    for (const auto& [handle, id] : engine->adopted) {
      const auto session = session_by_id_.find(id.session);
      if (session == session_by_id_.end()) continue;
      const TaskIndex index = sessions_[session->second]->tasks.find(id.sequence);
      if (index == kNone || tasks_[index].state != TaskState::assigned) continue;
      adopted_here += tasks_[index].engine == engine->peer->index ? 1 : 0;
    }
    require(engine->load == engine->assigned.size() - adopted_here + engine->adopted.size() + engine->ghosts.size(),
            "an engine's load is what it was given");
  }
}

}  // namespace covey::controller

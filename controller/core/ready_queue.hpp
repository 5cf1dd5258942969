// Tasks that could run now, in the order in which they should: by priority, then as they came. Tasks with different
// demands on their engine wait in different lanes, so that one that nobody can run holds up no others.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>

#include "common/wire/ids.hpp"
#include "controller/core/task_table.hpp"

namespace covey::controller {

// What a lane's tasks ask of an engine.
struct Demand {
  bool in_company = true;           // false: a suspect, only on an engine that has nothing else; these go first
  SpecIndex constraint = kNone;     // a spec whose targets and labels they share; kNone: any engine
  wire::Incarnation follow = wire::Incarnation::none;  // this engine and no other
  bool no_prefetch = false;         // only where a slot is free: max_attempts is 1
  auto operator<=>(const Demand&) const = default;
};

class ReadyQueue {
 public:
  void push_back(TaskTable& tasks, TaskIndex index, std::int32_t priority, const Demand& demand);
  void push_front(TaskTable& tasks, TaskIndex index, std::int32_t priority, const Demand& demand);
  void remove(TaskTable& tasks, TaskIndex index, std::int32_t priority, const Demand& demand);
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool has_suspects() const {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return !lane.first.second.in_company; });
  }

  struct Lane {
    std::int32_t priority;
    Demand demand;
    TaskList* tasks;
  };
  // Visits lanes with tasks, the highest priority first; `visit` takes tasks off through take(). False stops.
  template <class Visit>
  void for_each_lane(Visit&& visit) {
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
      const bool go_on = visit(Lane{static_cast<std::int32_t>(-lane->first.first), lane->first.second, &lane->second});
      lane = lane->second.empty() ? lanes_.erase(lane) : std::next(lane);
      if (!go_on) return;
    }
  }
  // Visits lanes in order, without taking: visit(priority, demand, tasks). False stops.
  template <class Visit>
  void look(Visit&& visit) const {
    for (const auto& [key, tasks] : lanes_) {
      if (!visit(static_cast<std::int32_t>(-key.first), key.second, tasks.size())) return;
    }
  }
  std::size_t lanes() const { return lanes_.size(); }
  TaskIndex take(TaskTable& tasks, TaskList& lane) {
    const TaskIndex index = lane.front();
    lane.remove(tasks, index);
    --size_;
    return index;
  }

 private:
  using Key = std::pair<std::int64_t, Demand>;  // priority negated, so that the map's order is the queue's
  std::map<Key, TaskList> lanes_;
  std::size_t size_ = 0;
};

}  // namespace covey::controller

#include "bench/jobs/graph.hpp"

#include <algorithm>

namespace covey::jobs {

// Depth first, with a stack of its own: a chain may be as long as the graph.
std::vector<std::size_t> find_cycle(const TasksWork& work) {
  enum class Colour : unsigned char { fresh, open, done };
  std::vector<Colour> colours(work.tasks.size(), Colour::fresh);
  struct Visit {
    std::size_t task = 0, next = 0;
  };
  std::vector<Visit> path;
  for (std::size_t root = 0; root < work.tasks.size(); ++root) {
    if (colours[root] != Colour::fresh) continue;
    path.push_back({root, 0});
    colours[root] = Colour::open;
    while (!path.empty()) {
      Visit& visit = path.back();
      const auto& after = work.tasks[visit.task].after;
      if (visit.next == after.size()) {
        colours[visit.task] = Colour::done;
        path.pop_back();
        continue;
      }
      const std::size_t other = after[visit.next++];
      if (colours[other] == Colour::open) {
        std::vector<std::size_t> cycle;
        auto at = std::find_if(path.begin(), path.end(), [&](const Visit& one) { return one.task == other; });
        for (; at != path.end(); ++at) cycle.push_back(at->task);
        return cycle;
      }
      if (colours[other] == Colour::fresh) {
        colours[other] = Colour::open;
        path.push_back({other, 0});
      }
    }
  }
  return {};
}

std::string names_of(const TasksWork& work, const std::vector<std::size_t>& cycle) {
  std::string names;
  for (const std::size_t task : cycle) names += work.tasks[task].name + " → ";
  return names + work.tasks[cycle.front()].name;
}

Graph::Graph(const TasksWork& work)
    : states_(work.tasks.size(), State::waiting), missing_(work.tasks.size()), dependents_(work.tasks.size()) {
  for (std::size_t i = 0; i < work.tasks.size(); ++i) {
    missing_[i] = work.tasks[i].after.size();
    for (const std::size_t other : work.tasks[i].after) dependents_[other].push_back(i);
    if (missing_[i] > 0) continue;
    states_[i] = State::ready;
    ready_.push_back(i);
  }
}

// Tasks that had ended in an earlier run may still stand in the queue.
std::optional<std::size_t> Graph::next_ready() {
  while (!ready_.empty()) {
    const std::size_t task = ready_.front();
    ready_.pop_front();
    if (states_[task] != State::ready) continue;
    states_[task] = State::given;
    return task;
  }
  return std::nullopt;
}

std::optional<Graph::Skipped> Graph::next_skipped() {
  while (!skipped_.empty()) {
    const Skipped skipped = skipped_.front();
    skipped_.pop_front();
    if (states_[skipped.task] == State::ended) continue;
    on_ended(skipped.task, false);
    return skipped;
  }
  return std::nullopt;
}

void Graph::on_ended(std::size_t task, bool ok) {
  states_[task] = State::ended;
  for (const std::size_t dependent : dependents_[task]) {
    if (states_[dependent] != State::waiting) continue;
    if (!ok) {
      skipped_.push_back({dependent, task});
    } else if (--missing_[dependent] == 0) {
      states_[dependent] = State::ready;
      ready_.push_back(dependent);
    }
  }
}

}  // namespace covey::jobs

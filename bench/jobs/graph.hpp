// A graph of tasks while it runs: which may begin now, and which never will. Pure; one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "bench/jobs/job.hpp"

namespace covey::jobs {

// The tasks of a cycle in the order in which they wait for each other; empty: there is none.
std::vector<std::size_t> find_cycle(const TasksWork& work);
// "a → b → a"
std::string names_of(const TasksWork& work, const std::vector<std::size_t>& cycle);

class Graph {
 public:
  // `work` is acyclic and outlives the graph.
  explicit Graph(const TasksWork& work);

  // A task whose dependencies have all succeeded, once for each task.
  std::optional<std::size_t> next_ready();
  // A task of which a dependency has failed, and that dependency; once for each task.
  struct Skipped {
    std::size_t task = 0, because_of = 0;
  };
  std::optional<Skipped> next_skipped();
  // A task has ended, in this run or in an earlier one. To be told at most once for each task, skipped ones excepted.
  void on_ended(std::size_t task, bool ok);

 private:
  enum class State : unsigned char { waiting, ready, given, ended };

  std::vector<State> states_;
  std::vector<std::size_t> missing_;  // dependencies that have not succeeded yet
  std::vector<std::vector<std::size_t>> dependents_;
  std::deque<std::size_t> ready_;
  std::deque<Skipped> skipped_;
};

}  // namespace covey::jobs

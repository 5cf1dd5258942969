// The order in which a graph's tasks may run.
#include "bench/jobs/graph.hpp"

#include <gtest/gtest.h>

namespace covey::jobs {
namespace {

TasksWork graph_of(const std::vector<std::vector<std::size_t>>& after) {
  TasksWork work;
  for (const auto& one : after) {
    work.tasks.emplace_back();
    work.tasks.back().name = std::string(1, static_cast<char>('a' + work.tasks.size() - 1));
    work.tasks.back().after = one;
  }
  return work;
}

std::vector<std::size_t> ready(Graph& graph) {
  std::vector<std::size_t> tasks;
  while (const auto task = graph.next_ready()) tasks.push_back(*task);
  return tasks;
}

std::vector<std::size_t> skipped(Graph& graph) {
  std::vector<std::size_t> tasks;
  while (const auto task = graph.next_skipped()) tasks.push_back(task->task);
  return tasks;
}

using Tasks = std::vector<std::size_t>;

TEST(GraphTest, ATaskIsReadyOnceAllThatItWaitsForHaveSucceeded) {
  const auto work = graph_of({{}, {}, {0, 1}, {2}});
  Graph graph(work);
  EXPECT_EQ(ready(graph), (Tasks{0, 1}));
  graph.on_ended(0, true);
  EXPECT_EQ(ready(graph), Tasks{});
  graph.on_ended(1, true);
  EXPECT_EQ(ready(graph), Tasks{2});
  graph.on_ended(2, true);
  EXPECT_EQ(ready(graph), Tasks{3});
}

TEST(GraphTest, AFailureSkipsAllThatDependsOnItOnceAndNothingElse) {
  const auto work = graph_of({{}, {}, {0, 1}, {2, 0}, {1}});
  Graph graph(work);
  EXPECT_EQ(ready(graph), (Tasks{0, 1}));
  graph.on_ended(0, false);
  EXPECT_EQ(skipped(graph), (Tasks{2, 3}));
  graph.on_ended(1, true);
  EXPECT_EQ(skipped(graph), Tasks{});
  EXPECT_EQ(ready(graph), Tasks{4});
}

TEST(GraphTest, WhatEndedInAnEarlierRunIsNotReadyAgain) {
  const auto work = graph_of({{}, {0}, {0}, {1}});
  Graph graph(work);
  graph.on_ended(0, true);
  graph.on_ended(2, true);
  EXPECT_EQ(ready(graph), Tasks{1});
  graph.on_ended(1, true);
  EXPECT_EQ(ready(graph), Tasks{3});
}

TEST(GraphTest, ACycleIsNamed) {
  EXPECT_TRUE(find_cycle(graph_of({{}, {0}, {0, 1}})).empty());
  const auto work = graph_of({{}, {0, 3}, {1}, {2}});
  EXPECT_EQ(names_of(work, find_cycle(work)), "b → d → c → b");
  EXPECT_EQ(find_cycle(graph_of({{0}})), Tasks{0});
}

TEST(GraphTest, AChainMayBeAsLongAsTheGraph) {
  std::vector<std::vector<std::size_t>> after(100'000);
  for (std::size_t i = 1; i < after.size(); ++i) after[i] = {i - 1};
  const auto work = graph_of(after);
  EXPECT_TRUE(find_cycle(work).empty());
  Graph graph(work);
  graph.on_ended(0, false);
  EXPECT_EQ(skipped(graph).size(), after.size() - 1);
}

}  // namespace
}  // namespace covey::jobs

// A cluster called demo with engines in any state, for tests of decisions.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "operator/reconcile/engine_plan.hpp"

namespace covey::reconcile {

class SceneFixture : public ::testing::Test {
 protected:
  using State = Engine::State;

  Pod& pod(int index, Pod::Phase phase = Pod::Phase::running, const std::string& hash = "new") {
    Pod made;
    made.name = "demo-engine-" + std::to_string(index);
    made.uid = "uid-" + std::to_string(index);
    made.hash = hash;
    made.phase = phase;
    made.ready = phase == Pod::Phase::running;
    made.created = now - std::chrono::hours(1);
    pods.push_back(made);
    return pods.back();
  }
  // A Pod, and its engine.
  Pod& engine(int index, State state, int tasks = 0, const std::string& hash = "new", double idle_s = 0) {
    view.engines.push_back({"id-" + std::to_string(index), "demo-engine-" + std::to_string(index), state, tasks, idle_s, 100});
    return pod(index, Pod::Phase::running, hash);
  }
  Plan plan() { return plan_engines({"demo", spec, "new", pods, view, now}, memory); }

  static std::vector<std::string> removed(const Plan& plan) {
    std::vector<std::string> names;
    for (const auto& each : plan.remove) names.push_back(each.pod);
    return names;
  }
  static std::vector<std::string> drained(const Plan& plan) {
    std::vector<std::string> names;
    for (const auto& each : plan.drain) names.push_back(each.pod);
    return names;
  }
  using Names = std::vector<std::string>;

  WallTime now = WallTime(std::chrono::hours(500'000));
  crd::Spec spec;
  std::vector<Pod> pods;
  ControllerView view{true, true, {}, 0, {}, 3600};
  Memory memory;
};

}  // namespace covey::reconcile

// What users are told about a cluster: the status of its ParallelCluster, with conditions. Pure; time is passed in.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "operator/reconcile/engine_plan.hpp"

namespace covey::reconcile {

// Something that keeps the operator from making what it should, in a word and a sentence.
struct Trouble {
  std::string reason, message;
};

struct Situation {
  const crd::ParallelCluster& cluster;
  const ControllerView& view;
  const Plan& plan;
  bool nats_ready = false, controller_ready = false;
  // A Pod of NATS or of the controller that does not start.
  std::optional<Trouble> nats_trouble{}, controller_trouble{};
  std::optional<Trouble> access{};   // the external server's Secret
  std::optional<Trouble> failure{};  // the API server refuses what is to be made
  bool crash_loop = false;
};

// `before`: the status so far, whose conditions keep their times as long as they hold; null if there was none.
boost::json::object status_of(const Situation& situation, const boost::json::value* before, WallTime now);
// For a spec that cannot be acted on: nothing but what is wrong with it.
boost::json::object status_of_errors(const crd::ParallelCluster& cluster, const boost::json::value* before, WallTime now);

// Whether writing it would tell anybody anything.
bool same_status(const boost::json::value* before, const boost::json::object& after);

}  // namespace covey::reconcile

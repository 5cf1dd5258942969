// What the operator sees of a cluster, reduced to what decisions depend on. Reading is pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "operator/kube/time.hpp"

namespace covey::reconcile {

using kube::WallTime;

// A Pod of any part.
struct Pod {
  enum class Phase { pending, running, ended };
  std::string name, uid, hash;
  Phase phase = Phase::pending;
  bool ready = false;
  bool terminating = false;
  std::optional<WallTime> drain_began{};
  WallTime created{};
  // Why it does not start, or how it ended: a reason such as "ImagePullBackOff", "Unschedulable", "OOMKilled", "Evicted", and a sentence.
  std::string reason, message;
  std::string disruption;  // what Kubernetes ends it for, as "EvictionByEvictionAPI: …"; empty where it is not known to
  int exit_code = 0;
};
Pod read_pod(const boost::json::value& object);

// An engine as the controller knows it; its name is the Pod's.
struct Engine {
  enum class State { joining, idle, busy, draining };
  std::string id, name;
  State state = State::joining;
  std::int64_t tasks = 0;
  double idle_s = 0, up_s = 0;
};

struct ControllerView {
  bool reachable = false;
  bool on_nats = false;
  std::string trouble;  // why not
  std::int64_t backlog = 0;
  std::vector<Engine> engines;
  double steady_s = 0;  // how long it has run, and been on NATS, without a break: engines that run have come back to it by then
};
// Adds a page of GET /v1/engines; returns the cursor of the next, or nothing.
std::optional<std::string> read_engines(const boost::json::value& page, std::vector<Engine>& into);

}  // namespace covey::reconcile

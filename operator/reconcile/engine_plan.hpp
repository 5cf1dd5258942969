// Which engine Pods to make, to drain and to remove now, and how many there are of each kind. The heart of the operator: a pure decision over what is
// seen. What it remembers between decisions is a convenience: without it the next one is late, never wrong. One thread; time is passed in.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "operator/reconcile/autoscaler.hpp"

namespace covey::reconcile {

// Between two decisions on one cluster.
struct Memory {
  Autoscaler autoscaler;
  int failures = 0;  // engines that ended by themselves soon after they began, in a row
  WallTime last_failure{};
  std::set<std::string> ended;        // uids of Pods that have ended and count among them
  std::set<std::string> others_pods;  // names that engines cannot have
  struct KnownEngine {
    std::string id;   // what the controller calls it
    std::string why;  // its Pod goes; empty where nobody has said so
  };
  std::map<std::string, KnownEngine> engines;  // of Pods that run, by the Pod's uid
};

struct Scene {
  std::string cluster;
  const crd::Spec& spec;
  std::string hash;  // of the template that engines should have
  std::vector<Pod> pods;
  const ControllerView& view;
  WallTime now{};
};

struct Removal {
  enum class Why { pending, unregistered, drained, timed_out, ended, lost };
  std::string pod, uid;
  Why why = Why::pending;
  std::string note;  // for people
  bool operator==(const Removal&) const = default;
};
struct Drain {
  std::string pod, uid, engine;
  bool again = false;  // it had begun, and the controller does not know of it any more
  bool operator==(const Drain&) const = default;
};

// An engine whose Pod has ended, for the controller to know at once and to tell its tasks why.
struct Loss {
  std::string engine, pod, why;
  bool operator==(const Loss&) const = default;
};

struct Plan {
  std::vector<std::string> create;
  std::vector<Drain> drain;
  std::vector<Removal> remove;
  std::vector<Loss> losses;

  int desired = 0, replicas = 0, ready = 0, busy = 0, draining = 0, pending = 0, outdated = 0;
  bool limited = false;              // by maxReplicas
  bool held = false;                 // engines should go, and the controller does not say which may
  std::optional<Pod> troubled;        // one that does not start, with its reason
  std::chrono::milliseconds again_after{10'000};
};

Plan plan_engines(const Scene& scene, Memory& memory);

// Engines that end again and again are made again ever more slowly.
std::chrono::seconds pause_after(int failures);
inline constexpr int kFreeFailures = 5;
inline constexpr auto kSoon = std::chrono::seconds(60);
// So that whoever changes the Pods that are made, or makes others, costs a few requests now and then, and not as many as there can be.
inline constexpr auto kYoung = std::chrono::seconds(5);
// Engines that run greet a controller that was started anew every half second; those of a busy machine later.
inline constexpr double kComeBackSeconds = 10;

}  // namespace covey::reconcile

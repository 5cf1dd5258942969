// What a user asks for with a ParallelCluster (covey.dev/v1alpha1), read from the object as the API server gives it. The schema in
// manifests/crds says the same to the API server; a test compares the two. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/fields.hpp"

namespace covey::crd {

// What the Pods of every part may be told.
struct PodSettings {
  std::string image;  // empty: the operator's own
  boost::json::object resources, pod_template;
  std::vector<std::string> arguments;
  bool operator==(const PodSettings&) const = default;
};

enum class Rollout { rolling_drain, recreate, on_delete };

struct EngineSpec {
  int replicas = 1;
  int slots = 1;
  PodSettings pod;
  Rollout rollout = Rollout::rolling_drain;
  std::string max_unavailable = "25%";
  bool operator==(const EngineSpec&) const = default;
};

struct IngressSpec {
  std::string host, class_name, tls_secret;
  boost::json::object annotations;
  bool operator==(const IngressSpec&) const = default;
};

struct ControllerSpec {
  PodSettings pod;
  std::string scheme = "controller", policy = "leastload";
  std::optional<IngressSpec> ingress;
  bool operator==(const ControllerSpec&) const = default;
};

struct ExternalNats {
  std::string url, credentials_secret;
  bool operator==(const ExternalNats&) const = default;
};

struct NatsSpec {
  PodSettings pod;  // of the server that the operator runs
  std::optional<ExternalNats> external;
  bool operator==(const NatsSpec&) const = default;
};

struct Autoscaling {
  bool internal = false;
  int min_replicas = 0, max_replicas = 63, target_backlog = 4;
  int idle_timeout_s = 60, stabilization_s = 60;
  bool operator==(const Autoscaling&) const = default;
};

struct Spec {
  EngineSpec engine;
  ControllerSpec controller;
  NatsSpec nats;
  Autoscaling autoscaling;
  int drain_timeout_s = 300;
  bool suspend = false;
  bool network_policies = true;
  bool operator==(const Spec&) const = default;
};

struct ParallelCluster {
  std::string ns, name, uid;
  std::int64_t generation = 0;
  Spec spec;
  std::vector<FieldError> errors;  // where there are any, the spec is not to be acted on
};

ParallelCluster parse_parallel_cluster(const boost::json::value& object);

// Of the spec alone; `reading` gets the errors and what was asked for.
Spec parse_spec(const boost::json::value* spec, Reading& reading);

inline constexpr std::size_t kMaxName = 40;

// Of an "IntOrString" such as 3 or "25%": a share is rounded up, and of at least one.
int count_of(const std::string& count_or_share, int of);

}  // namespace covey::crd

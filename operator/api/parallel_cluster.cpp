#include "operator/api/parallel_cluster.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"

namespace covey::crd {

namespace json = boost::json;

namespace {

constexpr Range kReplicas{0, 100'000}, kOne{1, 1}, kSlots{1, 4096}, kSeconds{0, 86'400}, kBacklog{1, 1'000'000};

void read_pod(Fields& fields, PodSettings& pod) {
  pod.image = fields.text("image");
  pod.resources = fields.object("resources");
  pod.pod_template = fields.object("podTemplate");
}

EngineSpec read_engine(Reading& reading, const json::value* part) {
  Fields fields(reading, "spec.engine", part);
  EngineSpec engine;
  engine.replicas = fields.integer("replicas", kReplicas, engine.replicas);
  engine.slots = fields.integer("slots", kSlots, engine.slots);
  read_pod(fields, engine.pod);
  engine.pod.arguments = fields.texts("args");
  Fields rollout(reading, "spec.engine.rollout", fields.part("rollout"));
  const auto strategy = rollout.choice("strategy", {"RollingDrain", "Recreate", "OnDelete"}, "RollingDrain");
  engine.rollout = strategy == "Recreate" ? Rollout::recreate : strategy == "OnDelete" ? Rollout::on_delete : Rollout::rolling_drain;
  engine.max_unavailable = rollout.count_or_share("maxUnavailable", engine.max_unavailable);
  return engine;
}

std::optional<IngressSpec> read_ingress(Reading& reading, Fields& parent) {
  const auto* part = parent.part("ingress");
  Fields fields(reading, "spec.controller.ingress", part);
  IngressSpec ingress{fields.text("host"), fields.text("className"), fields.text("tlsSecret"), fields.object("annotations")};
  if (part == nullptr) return std::nullopt;
  if (ingress.host.empty()) fields.fail("host", "it is missing; the name by which the API is to be reached is wanted");
  return ingress;
}

ControllerSpec read_controller(Reading& reading, const json::value* part) {
  Fields fields(reading, "spec.controller", part);
  ControllerSpec controller;
  static_cast<void>(fields.integer("replicas", kOne, 1));
  read_pod(fields, controller.pod);
  controller.pod.arguments = fields.texts("args");
  Fields scheduler(reading, "spec.controller.scheduler", fields.part("scheduler"));
  controller.scheme = scheduler.choice("scheme", {"controller", "direct"}, controller.scheme);
  controller.policy = scheduler.choice("policy", {"leastload", "lru", "weighted", "twobin", "plainrandom"}, controller.policy);
  controller.ingress = read_ingress(reading, fields);
  return controller;
}

NatsSpec read_nats(Reading& reading, const json::value* part) {
  Fields fields(reading, "spec.nats", part);
  NatsSpec nats;
  Fields managed(reading, "spec.nats.managed", fields.part("managed"));
  static_cast<void>(managed.integer("replicas", kOne, 1));
  read_pod(managed, nats.pod);
  const auto* external = fields.part("external");
  Fields outside(reading, "spec.nats.external", external);
  ExternalNats server{outside.text("url"), outside.text("credentialsSecret")};
  if (external == nullptr) return nats;
  if (fields.given("managed")) fields.fail("external", "managed is given too; only one of the two is wanted");
  if (!server.url.starts_with("nats://") && !server.url.starts_with("tls://")) {
    outside.fail("url", fmt::format("\"{}\" is given; an address such as nats://nats.messaging:4222 is wanted", server.url));
  }
  nats.external = std::move(server);
  return nats;
}

Autoscaling read_autoscaling(Reading& reading, const json::value* part) {
  Fields fields(reading, "spec.autoscaling", part);
  Autoscaling scaling;
  scaling.internal = fields.choice("mode", {"Off", "Internal"}, "Off") == "Internal";
  scaling.min_replicas = fields.integer("minReplicas", kReplicas, scaling.min_replicas);
  scaling.max_replicas = fields.integer("maxReplicas", kReplicas, scaling.max_replicas);
  scaling.target_backlog = fields.integer("targetBacklogPerEngine", kBacklog, scaling.target_backlog);
  Fields down(reading, "spec.autoscaling.scaleDown", fields.part("scaleDown"));
  scaling.idle_timeout_s = down.integer("idleTimeoutSeconds", kSeconds, scaling.idle_timeout_s);
  scaling.stabilization_s = down.integer("stabilizationSeconds", kSeconds, scaling.stabilization_s);
  if (scaling.min_replicas > scaling.max_replicas) {
    fields.fail("minReplicas", fmt::format("{} is more than maxReplicas, {}", scaling.min_replicas, scaling.max_replicas));
  }
  return scaling;
}

}  // namespace

Spec parse_spec(const json::value* value, Reading& reading) {
  Fields fields(reading, "spec", value);
  Spec spec;
  spec.engine = read_engine(reading, fields.part("engine"));
  spec.controller = read_controller(reading, fields.part("controller"));
  spec.nats = read_nats(reading, fields.part("nats"));
  spec.autoscaling = read_autoscaling(reading, fields.part("autoscaling"));
  Fields drain(reading, "spec.drain", fields.part("drain"));
  spec.drain_timeout_s = drain.integer("timeoutSeconds", kSeconds, spec.drain_timeout_s);
  spec.suspend = fields.boolean("suspend", spec.suspend);
  Fields policies(reading, "spec.networkPolicy", fields.part("networkPolicy"));
  spec.network_policies = policies.boolean("enabled", spec.network_policies);
  return spec;
}

ParallelCluster parse_parallel_cluster(const json::value& object) {
  ParallelCluster cluster;
  cluster.ns = std::string(kube::namespace_of(object));
  cluster.name = std::string(kube::name_of(object));
  cluster.uid = std::string(kube::uid_of(object));
  cluster.generation = kube::integer_at(object, "metadata.generation").value_or(0);
  Reading reading;
  cluster.spec = parse_spec(kube::find_at(object, "spec"), reading);
  cluster.errors = std::move(reading.errors);
  check_name(cluster.name, kMaxName, cluster.errors);
  return cluster;
}

int count_of(const std::string& count_or_share, int of) {
  if (count_or_share.empty() || count_or_share.back() != '%') return std::max(1, std::atoi(count_or_share.c_str()));
  return std::max(1, (std::atoi(count_or_share.c_str()) * of + 99) / 100);
}

}  // namespace covey::crd

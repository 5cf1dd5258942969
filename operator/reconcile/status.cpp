#include "operator/reconcile/status.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/reconcile/conditions.hpp"
#include "operator/resources/names.hpp"

namespace covey::reconcile {

namespace json = boost::json;

namespace {

Said of(const Trouble& trouble) { return {false, trouble.reason, trouble.message}; }

Said broker(const Situation& s) {
  if (s.access) return of(*s.access);
  if (s.nats_trouble) return of(*s.nats_trouble);
  if (!s.cluster.spec.nats.external && !s.nats_ready) return {false, "Starting", "the NATS server is being started"};
  if (!s.view.reachable) return {false, "Unknown", "the controller, which would know, does not answer: " + s.view.trouble};
  if (!s.view.on_nats) return {false, "NotConnected", "the controller is not connected to the NATS server, and seeks it"};
  return {true, "Connected", "the controller is connected to the NATS server"};
}

Said controller(const Situation& s) {
  if (s.controller_trouble) return of(*s.controller_trouble);
  if (!s.view.reachable) return {false, "Starting", "the controller does not answer yet: " + s.view.trouble};
  if (!s.controller_ready) return {false, "Starting", "the controller answers and is not ready yet"};
  return {true, "Ready", "the controller takes tasks"};
}

Said engines(const Situation& s) {
  const auto& plan = s.plan;
  const auto figures = fmt::format("{} of {} engines are ready", plan.ready, plan.desired);
  if (plan.ready >= plan.desired) return {true, plan.desired == 0 ? "NoneWanted" : "AllReady", figures};
  if (plan.troubled) return {false, plan.troubled->reason, fmt::format("{}; {}: {}", figures, plan.troubled->name, plan.troubled->message)};
  return {false, "Starting", figures};
}

Said progress(const Situation& s) {
  const auto& plan = s.plan;
  if (plan.held) return {true, "Held", "engines should go, and wait until the controller says which have nothing to do"};
  if (plan.outdated > 0) return {true, "RollingOut", fmt::format("{} engines have an older template", plan.outdated)};
  if (plan.draining > 0) return {true, "Draining", fmt::format("{} engines finish what they run, and then go", plan.draining)};
  if (plan.ready < plan.desired || plan.replicas != plan.desired) return {true, "Scaling", fmt::format("{} engines of {} are there", plan.replicas, plan.desired)};
  return {false, "Settled", "everything is as it should be"};
}

Said failure(const Situation& s) {
  if (s.failure) return {true, s.failure->reason, s.failure->message};
  if (s.crash_loop) return {true, "EnginesEnd", "engines end soon after they began, and are made again ever more slowly; see the events, or the logs of one"};
  return {false, "None", "everything could be made"};
}

Said suspended(const Situation& s) {
  if (!s.cluster.spec.suspend) return {false, "NotSuspended", "spec.suspend is not set"};
  if (s.plan.replicas + s.plan.draining > 0) return {false, "Draining", "engines finish what they run"};
  return {true, "Suspended", "no engine is left; unset spec.suspend for them to come back"};
}

Said ready(const Situation& s, std::initializer_list<Said> parts) {
  if (s.cluster.spec.suspend) return {false, "Suspended", "spec.suspend is set"};
  for (const auto& part : parts) {
    if (!part.holds) return part;
  }
  return {true, "Ready", fmt::format("{} engines are ready", s.plan.ready)};
}

json::object frame(const crd::ParallelCluster& cluster, json::array conditions) {
  return {{"observedGeneration", cluster.generation}, {"selector", resources::engine_selector(cluster.name)}, {"conditions", std::move(conditions)}};
}

}  // namespace

json::object status_of(const Situation& s, const json::value* before, WallTime now) {
  Conditions conditions(before, s.cluster.generation, now);
  const auto of_broker = broker(s), of_controller = controller(s), of_engines = engines(s);
  conditions.add("Ready", ready(s, {of_broker, of_controller, of_engines}));
  conditions.add("ControllerReady", of_controller);
  conditions.add("BrokerReachable", of_broker);
  conditions.add("EnginesAvailable", of_engines);
  conditions.add("Progressing", progress(s));
  conditions.add("ScalingLimited", s.plan.limited ? Said{true, "AtMaximum", "more engines are wanted than autoscaling.maxReplicas allows"}
                                                  : Said{false, "WithinLimits", "no limit stands in the way"});
  conditions.add("ReplicaFailure", failure(s));
  conditions.add("Suspended", suspended(s));
  auto status = frame(s.cluster, conditions.take());
  status["replicas"] = s.plan.replicas;
  status["desiredReplicas"] = s.plan.desired;
  status["engines"] = {{"ready", s.plan.ready}, {"busy", s.plan.busy}, {"draining", s.plan.draining}, {"pending", s.plan.pending}};
  return status;
}

json::object status_of_errors(const crd::ParallelCluster& cluster, const json::value* before, WallTime now) {
  Conditions conditions(before, cluster.generation, now);
  conditions.add("Ready", {false, "InvalidSpec", crd::to_string(cluster.errors)});
  auto status = frame(cluster, conditions.take());
  // The HorizontalPodAutoscaler reads it; what was there is left alone meanwhile.
  status["replicas"] = before == nullptr ? 0 : kube::integer_at(*before, "replicas").value_or(0);
  return status;
}

bool same_status(const json::value* before, const json::object& after) { return before != nullptr && before->is_object() && before->get_object() == after; }

}  // namespace covey::reconcile

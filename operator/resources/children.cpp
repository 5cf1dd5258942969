#include "operator/resources/children.hpp"

#include <boost/json.hpp>

#include "operator/resources/names.hpp"
#include "operator/resources/object.hpp"

namespace covey::resources {

namespace json = boost::json;
namespace types = kube::types;

namespace {

json::array only(json::value element) {
  json::array array;
  array.push_back(std::move(element));
  return array;
}

Child service_account(const crd::ParallelCluster& cluster, std::string_view component) {
  auto object = object_of(cluster, types::kServiceAccounts, part_name(cluster.name, component), component);
  object["automountServiceAccountToken"] = false;
  return {&types::kServiceAccounts, std::move(object)};
}

Child service(const crd::ParallelCluster& cluster, std::string_view component, std::string_view port_name, int port) {
  auto object = object_of(cluster, types::kServices, part_name(cluster.name, component), component);
  object["spec"] = {{"selector", selector_labels(cluster.name, component)},
                    // The API tells what ails the controller also while it is not ready.
                    {"publishNotReadyAddresses", component == kController},
                    {"ports", only({{"name", std::string(port_name)}, {"port", port}, {"targetPort", std::string(port_name)}, {"protocol", "TCP"}})}};
  return {&types::kServices, std::move(object)};
}

Child nats(const Setting& setting) {
  const auto& cluster = setting.cluster;
  auto object = object_of(cluster, types::kStatefulSets, part_name(cluster.name, kNats), kNats);
  object["spec"] = {{"replicas", 1},
                    {"serviceName", part_name(cluster.name, kNats)},
                    {"podManagementPolicy", "Parallel"},
                    {"selector", {{"matchLabels", selector_labels(cluster.name, kNats)}}},
                    {"template", nats_template(setting)}};
  return {&types::kStatefulSets, std::move(object)};
}

Child controller(const Setting& setting) {
  const auto& cluster = setting.cluster;
  auto object = object_of(cluster, types::kDeployments, part_name(cluster.name, kController), kController);
  object["spec"] = {{"replicas", 1},
                    // Never two at a time: engines and clients would not know whom to believe.
                    {"strategy", {{"type", "Recreate"}}},
                    {"selector", {{"matchLabels", selector_labels(cluster.name, kController)}}},
                    {"template", controller_template(setting)}};
  return {&types::kDeployments, std::move(object)};
}

Child ingress(const crd::ParallelCluster& cluster, const crd::IngressSpec& spec) {
  auto object = object_of(cluster, types::kIngresses, part_name(cluster.name, kController), kController);
  if (!spec.annotations.empty()) object["metadata"].as_object()["annotations"] = spec.annotations;
  const json::object backend{{"service", {{"name", part_name(cluster.name, kController)}, {"port", {{"name", "http"}}}}}};
  json::object path{{"path", "/"}, {"pathType", "Prefix"}, {"backend", backend}};
  json::object rule{{"host", spec.host}, {"http", {{"paths", only(std::move(path))}}}};
  json::object ingress{{"rules", only(std::move(rule))}};
  if (!spec.class_name.empty()) ingress["ingressClassName"] = spec.class_name;
  if (!spec.tls_secret.empty()) ingress["tls"] = only({{"hosts", only(json::value(spec.host))}, {"secretName", spec.tls_secret}});
  object["spec"] = std::move(ingress);
  return {&types::kIngresses, std::move(object)};
}

// Who may reach a part: Pods of its namespace, and the operator, wherever it is.
Child network_policy(const crd::ParallelCluster& cluster, std::string_view component, int port) {
  auto object = object_of(cluster, types::kNetworkPolicies, part_name(cluster.name, component), component);
  json::array ingress;
  if (port != 0) {
    json::array from;
    from.push_back(json::object{{"podSelector", json::object()}});
    if (component == kController) {
      // Whoever comes through an Ingress comes from a namespace that only its owner knows.
      if (cluster.spec.controller.ingress) from.push_back(json::object{{"namespaceSelector", json::object()}});
      from.push_back(json::object{{"namespaceSelector", json::object()},
                      {"podSelector", {{"matchLabels", {{"app.kubernetes.io/name", "covey"}, {std::string(kComponentLabel), "operator"}}}}}});
    }
    ingress.push_back({{"from", std::move(from)}, {"ports", only({{"port", port}, {"protocol", "TCP"}})}});
  }
  object["spec"] = {{"podSelector", {{"matchLabels", selector_labels(cluster.name, component)}}},
                    {"policyTypes", only("Ingress")},
                    {"ingress", std::move(ingress)}};
  return {&types::kNetworkPolicies, std::move(object)};
}

// When nodes are emptied, engines go a few at a time, each after it has drained. Of how many, Kubernetes takes from spec.engine.replicas, unless it is told how many
// have to stay; and those replicas mean nothing where the controller's demand decides.
Child disruption_budget(const Setting& setting) {
  const auto& cluster = setting.cluster;
  auto object = object_of(cluster, types::kDisruptionBudgets, part_name(cluster.name, kEngine), kEngine);
  const auto& most = cluster.spec.engine.max_unavailable;
  const bool internal = cluster.spec.autoscaling.internal;
  json::value value = json::string(most);
  if (most.back() != '%') value = std::stoi(most);
  if (internal) value = std::max(0, setting.engines - crd::count_of(most, setting.engines));
  object["spec"] = {{internal ? "minAvailable" : "maxUnavailable", std::move(value)},
                    {"selector", {{"matchLabels", selector_labels(cluster.name, kEngine)}}},
                    {"unhealthyPodEvictionPolicy", "AlwaysAllow"}};
  return {&types::kDisruptionBudgets, std::move(object)};
}

}  // namespace

std::vector<Child> children_of(const Setting& setting) {
  const auto& cluster = setting.cluster;
  const bool managed = !cluster.spec.nats.external;
  std::vector<Child> all;
  if (managed) all.push_back(service_account(cluster, kNats));
  all.push_back(service_account(cluster, kController));
  all.push_back(service_account(cluster, kEngine));
  if (managed) all.push_back(service(cluster, kNats, "nats", kNatsPort));
  all.push_back(service(cluster, kController, "http", kHttpPort));
  if (managed) all.push_back(nats(setting));
  all.push_back(controller(setting));
  if (cluster.spec.network_policies) {
    if (managed) all.push_back(network_policy(cluster, kNats, kNatsPort));
    all.push_back(network_policy(cluster, kController, kHttpPort));
    all.push_back(network_policy(cluster, kEngine, 0));
  }
  all.push_back(disruption_budget(setting));
  if (cluster.spec.controller.ingress) all.push_back(ingress(cluster, *cluster.spec.controller.ingress));
  return all;
}

}  // namespace covey::resources

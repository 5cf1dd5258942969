// The types of objects that the operator reads and writes, their addresses, and the members of metadata that every object has. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace covey::kube {

struct ResourceType {
  std::string_view group, version, plural, kind;
  bool namespaced = true;

  // "v1" or "apps/v1", as objects name it.
  std::string api_version() const;
};

namespace types {
inline constexpr ResourceType kPods{"", "v1", "pods", "Pod"};
inline constexpr ResourceType kServices{"", "v1", "services", "Service"};
inline constexpr ResourceType kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline constexpr ResourceType kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr ResourceType kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline constexpr ResourceType kEvents{"events.k8s.io", "v1", "events", "Event"};
inline constexpr ResourceType kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr ResourceType kStatefulSets{"apps", "v1", "statefulsets", "StatefulSet"};
inline constexpr ResourceType kIngresses{"networking.k8s.io", "v1", "ingresses", "Ingress"};
inline constexpr ResourceType kNetworkPolicies{"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"};
inline constexpr ResourceType kDisruptionBudgets{"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"};
inline constexpr ResourceType kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr ResourceType kParallelClusters{"covey.dev", "v1alpha1", "parallelclusters", "ParallelCluster"};
inline constexpr ResourceType kParallelJobs{"covey.dev", "v1alpha1", "paralleljobs", "ParallelJob"};
}  // namespace types

// An object's place. `ns` is empty for types without namespaces, and for lists over all of them.
struct Place {
  const ResourceType& type;
  std::string ns, name;
};

// "/apis/apps/v1/namespaces/default/deployments/demo/scale"; without a name the collection.
std::string path_of(const Place& place, std::string_view subresource = {});

// Everything but unreserved characters as %XX.
std::string percent_encoded(std::string_view text);

// A target's query, built in order: "?limit=500&continue=…".
class Query {
 public:
  Query& add(std::string_view name, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// "namespace/name", or the name alone where there is no namespace.
std::string key_of(const boost::json::value& object);
std::string_view name_of(const boost::json::value& object);
std::string_view namespace_of(const boost::json::value& object);
std::string_view uid_of(const boost::json::value& object);
std::string_view version_of(const boost::json::value& object);  // metadata.resourceVersion
bool being_deleted(const boost::json::value& object);
// Whether the object with this uid is among its owners.
bool owned_by(const boost::json::value& object, std::string_view uid);

}  // namespace covey::kube

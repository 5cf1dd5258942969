#include "operator/resources/names.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

namespace covey::resources {

namespace json = boost::json;

std::string part_name(std::string_view cluster, std::string_view part) { return fmt::format("{}-{}", cluster, part); }
std::string engine_name(std::string_view cluster, unsigned index) { return fmt::format("{}-engine-{}", cluster, index); }

int engine_index(std::string_view cluster, std::string_view pod) {
  const auto prefix = part_name(cluster, kEngine) + "-";
  if (!pod.starts_with(prefix)) return -1;
  pod.remove_prefix(prefix.size());
  int index = -1;
  const auto [end, error] = std::from_chars(pod.data(), pod.data() + pod.size(), index);
  return error == std::errc() && end == pod.data() + pod.size() ? index : -1;
}

json::object selector_labels(std::string_view cluster, std::string_view component) {
  return {{std::string(kClusterLabel), std::string(cluster)}, {std::string(kComponentLabel), std::string(component)}};
}

json::object labels(std::string_view cluster, std::string_view component) {
  auto result = selector_labels(cluster, component);
  result["app.kubernetes.io/name"] = "covey";
  result["app.kubernetes.io/instance"] = std::string(cluster);
  result["app.kubernetes.io/managed-by"] = "covey-operator";
  return result;
}

std::string engine_selector(std::string_view cluster) { return fmt::format("{}={},{}={}", kClusterLabel, cluster, kComponentLabel, kEngine); }

std::string wire_name(const crd::ParallelCluster& cluster) {
  if (!cluster.spec.nats.external) return cluster.name;
  // Two of the same name in different namespaces are two clusters.
  return fmt::format("{}-{}", cluster.name, digest(cluster.ns + "/" + cluster.name));
}

// FNV-1a.
std::string digest(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

}  // namespace covey::resources

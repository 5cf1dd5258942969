#include "operator/resources/object.hpp"

#include <boost/json.hpp>

#include "operator/resources/names.hpp"

namespace covey::resources {

namespace json = boost::json;

json::object object_of(const crd::ParallelCluster& cluster, const kube::ResourceType& type, std::string_view name, std::string_view component) {
  const auto& owner = kube::types::kParallelClusters;
  json::array owners;
  owners.push_back({{"apiVersion", owner.api_version()},
                    {"kind", std::string(owner.kind)},
                    {"name", cluster.name},
                    {"uid", cluster.uid},
                    {"controller", true},
                    {"blockOwnerDeletion", true}});
  return {{"apiVersion", type.api_version()},
          {"kind", std::string(type.kind)},
          {"metadata",
           {{"name", std::string(name)}, {"namespace", cluster.ns}, {"labels", labels(cluster.name, component)}, {"ownerReferences", std::move(owners)}}}};
}

}  // namespace covey::resources

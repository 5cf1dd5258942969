// Metadata that every object of a cluster has. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "operator/api/parallel_cluster.hpp"
#include "operator/kube/resource.hpp"

namespace covey::resources {

// An object with its type, name, labels and owner: with the ParallelCluster it goes too.
boost::json::object object_of(const crd::ParallelCluster& cluster, const kube::ResourceType& type, std::string_view name, std::string_view component);

}  // namespace covey::resources

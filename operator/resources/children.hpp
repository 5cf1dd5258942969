// Everything that a cluster is made of besides its Secrets and its engines. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <vector>

#include "operator/kube/resource.hpp"
#include "operator/resources/pods.hpp"

namespace covey::resources {

struct Child {
  const kube::ResourceType* type;
  boost::json::value object;
};

std::vector<Child> children_of(const Setting& setting);

}  // namespace covey::resources

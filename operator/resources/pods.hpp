// The Pods of the three parts, within what a namespace that enforces `restricted` admits. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "operator/api/parallel_cluster.hpp"
#include "operator/resources/secrets.hpp"

namespace covey::resources {

struct Setting {
  const crd::ParallelCluster& cluster;
  const Access& access;
  std::string default_image;  // where the spec names none
  int engines = 0;            // that are wanted, where not the spec says how many
};

// The templates of the StatefulSet and the Deployment: metadata and spec.
boost::json::object nats_template(const Setting& setting);
boost::json::object controller_template(const Setting& setting);

// A whole Pod; its label kHashLabel tells what it was made from, apart from its name.
boost::json::object engine_pod(const Setting& setting, const std::string& name);
std::string engine_hash(const Setting& setting);

// An engine that is told to end gets the drain's time and this to say goodbye.
inline constexpr int kGoodbyeSeconds = 10;

}  // namespace covey::resources

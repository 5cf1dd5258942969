// What the parts of a cluster are called, and the labels by which they are found. Others rely on them: docs/operator.md. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "operator/api/parallel_cluster.hpp"

namespace covey::resources {

inline constexpr std::string_view kNats = "nats", kController = "controller", kEngine = "engine";
inline constexpr std::string_view kClusterLabel = "covey.dev/cluster", kComponentLabel = "app.kubernetes.io/component";
inline constexpr std::string_view kHashLabel = "covey.dev/template";           // of an engine Pod: what it was made from
inline constexpr std::string_view kDrainAnnotation = "covey.dev/drain-began";  // of an engine Pod: when, in RFC 3339
// The label selector of everything that any operator makes.
inline constexpr std::string_view kEverything = "app.kubernetes.io/name=covey,covey.dev/cluster";

inline constexpr int kNatsPort = 4222, kNatsMonitorPort = 8222, kHttpPort = 8080;

// "demo-nats".
std::string part_name(std::string_view cluster, std::string_view part);
std::string engine_name(std::string_view cluster, unsigned index);
// The index in an engine Pod's name; -1 if it is no such name.
int engine_index(std::string_view cluster, std::string_view pod);

boost::json::object labels(std::string_view cluster, std::string_view component);
// Those labels that selectors use, which cannot change.
boost::json::object selector_labels(std::string_view cluster, std::string_view component);
// As text, for the scale subresource.
std::string engine_selector(std::string_view cluster);

// The name on NATS. On a server that others use too it holds the namespace.
std::string wire_name(const crd::ParallelCluster& cluster);

// Of any text, 16 hexadecimal digits; not for secrets.
std::string digest(std::string_view text);

}  // namespace covey::resources

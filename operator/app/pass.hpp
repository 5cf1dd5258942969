// What one pass has in its hands; internal to the reconciler.
#pragma once

#include <boost/json.hpp>

#include "operator/app/reconciler.hpp"
#include "operator/kube/json.hpp"

namespace covey::operating {

struct Reconciler::Pass {
  std::string key;
  Object resource;  // as it was at the beginning, so that what is told is about this generation
  crd::ParallelCluster cluster;
  StatePointer state;
  std::vector<reconcile::Pod> pods{};  // all parts' engines
  reconcile::ControllerView view{};
  reconcile::Plan plan{};
  // What came of the plan.
  std::size_t created = 0, told_to_drain = 0;
  std::vector<reconcile::Removal> removed{};
  bool creation_failed = false;
  bool lacks_parts = false;  // without which engines are of no use
  std::optional<kube::Error> first_error{};

  resources::Setting setting(const std::string& image) const {
    return {cluster, state->access.access, image, static_cast<int>(kube::integer_at(resource, "status.desiredReplicas").value_or(0))};
  }
  kube::Place place() const { return {kube::types::kParallelClusters, cluster.ns, cluster.name}; }
  void failed(const kube::Error& error) {
    if (!first_error) first_error = error;
  }
};

}  // namespace covey::operating

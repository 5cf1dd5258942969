// The Secrets of one cluster: reads or makes what the others depend on, and applies the rest. Secrets are read one by one and never watched, so that
// the operator need not hold those of others. One loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>

#include "operator/kube/client.hpp"
#include "operator/reconcile/status.hpp"
#include "operator/resources/secrets.hpp"

namespace covey::operating {

// What one finds there, unless it is the user who has to do something first.
struct AccessResult {
  resources::Access access;
  std::optional<reconcile::Trouble> trouble{};
};

boost::asio::awaitable<kube::Result<AccessResult>> ensure_access(kube::Client* client, const crd::ParallelCluster* cluster);

// A Secret that somebody has changed or deleted is noticed within that long.
inline constexpr auto kAccessAge = std::chrono::seconds(30);

}  // namespace covey::operating

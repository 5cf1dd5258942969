// The Secrets of a cluster: NATS users and their passwords, the files by which parts and clients log on, the API's token. Pure: what is random is
// passed in. Any thread.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/parallel_cluster.hpp"

namespace covey::resources {

// How the three roles log on to NATS, and the token of the API.
struct LogOn {
  std::string user, password;
  bool operator==(const LogOn&) const = default;
};
struct Access {
  LogOn controller, engine, client;
  std::string api_token;
};

// The managed server's Secret, NAME-nats, holds its configuration and is where the passwords come from; NAME-api likewise for the token.
boost::json::value nats_secret(const crd::ParallelCluster& cluster, const Access& access);
boost::json::value api_secret(const crd::ParallelCluster& cluster, const Access& access);
// NAME-controller, NAME-engine, NAME-client: one file each.
std::vector<boost::json::value> connect_secrets(const crd::ParallelCluster& cluster, const Access& access);

// What a Secret as the API server has it holds under the key.
std::optional<std::string> secret_text(const boost::json::value& secret, std::string_view key);
// The passwords out of NAME-nats; nullopt if somebody has spoilt it.
std::optional<Access> read_nats_secret(const boost::json::value& secret);

// `random` as 16 bytes of randomness or more.
std::string random_text();

}  // namespace covey::resources

#include "operator/app/access.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/resources/names.hpp"

namespace covey::operating {

namespace asio = boost::asio;
namespace types = kube::types;
using boost::json::value;
using kube::Errc;
using resources::Access;

namespace {

using Found = std::optional<value>;

asio::awaitable<kube::Result<Found>> look(kube::Client* client, std::string ns, std::string name) {
  const kube::Place place{types::kSecrets, ns, name};  // no aggregate temporaries beside co_await: GCC 12 destroys them twice
  auto secret = co_await client->get(place);
  if (secret) co_return Found(std::move(*secret));
  if (secret.error().code == Errc::not_found) co_return Found();
  co_return secret.error();
}

bool owned_by(const value& object, const std::string& uid) {
  for (const auto& owner : kube::array_at(object, "metadata.ownerReferences")) {
    if (kube::text_at(owner, "uid") == uid) return true;
  }
  return false;
}

// What another cluster of the same name has left is on its way out.
std::optional<kube::Error> not_ours(const Found& secret, const crd::ParallelCluster& cluster) {
  if (!secret || owned_by(*secret, cluster.uid)) return std::nullopt;
  return kube::Error{Errc::conflict, 0, {}, fmt::format("the Secret {} is there and belongs to somebody else; delete it, or wait until it has gone", kube::name_of(*secret))};
}

asio::awaitable<std::optional<kube::Error>> apply(kube::Client* client, value secret) {
  const kube::Place place{types::kSecrets, std::string(kube::namespace_of(secret)), std::string(kube::name_of(secret))};
  auto applied = co_await client->apply(std::move(secret), place);
  if (applied.has_error()) co_return applied.error();
  co_return std::nullopt;
}

asio::awaitable<kube::Result<AccessResult>> external_access(kube::Client* client, const crd::ParallelCluster* cluster) {
  const auto& name = cluster->spec.nats.external->credentials_secret;
  AccessResult result;
  if (name.empty()) co_return result;
  const auto secret = co_await look(client, cluster->ns, name);
  if (!secret) co_return secret.error();
  if (!*secret) {
    result.trouble = reconcile::Trouble{"SecretMissing", fmt::format("spec.nats.external.credentialsSecret names the Secret {}, which is not there; make it, with the keys user and password", name)};
    co_return result;
  }
  const auto user = resources::secret_text(**secret, "user"), password = resources::secret_text(**secret, "password");
  if (!user || !password) {
    result.trouble = reconcile::Trouble{"SecretIncomplete", fmt::format("the Secret {} has no key {}", name, user ? "password" : "user")};
    co_return result;
  }
  const resources::LogOn all{*user, *password};
  result.access = {all, all, all, {}};
  co_return result;
}

// The server's Secret is where the passwords are kept.
asio::awaitable<kube::Result<AccessResult>> managed_access(kube::Client* client, const crd::ParallelCluster* cluster) {
  const auto name = resources::part_name(cluster->name, resources::kNats);
  const auto found = co_await look(client, cluster->ns, name);
  if (!found) co_return found.error();
  if (auto error = not_ours(*found, *cluster)) co_return std::move(*error);
  AccessResult result;
  const auto read = *found ? resources::read_nats_secret(**found) : std::nullopt;
  result.access = read ? *read
                       : Access{{"controller", resources::random_text()}, {"engine", resources::random_text()}, {"client", resources::random_text()}, {}};
  auto secret = resources::nats_secret(*cluster, result.access);
  const bool same = *found && kube::object_at(**found, "data") == kube::object_at(secret, "data");
  if (!same) {
    if (auto error = co_await apply(client, std::move(secret))) co_return std::move(*error);
  }
  co_return result;
}

asio::awaitable<std::optional<kube::Error>> ensure_token(kube::Client* client, const crd::ParallelCluster* cluster, Access* access) {
  const auto name = resources::part_name(cluster->name, "api");
  const auto found = co_await look(client, cluster->ns, name);
  if (!found) co_return found.error();
  if (auto error = not_ours(*found, *cluster)) co_return error;
  const auto token = *found ? resources::secret_text(**found, "token") : std::nullopt;
  access->api_token = token && !token->empty() ? *token : "covey_" + resources::random_text();
  auto secret = resources::api_secret(*cluster, *access);
  // More tokens, which somebody has added to the key `tokens`, stay.
  const bool good = token && kube::object_at(*(*found), "data").contains("tokens");
  if (good) co_return std::nullopt;
  co_return co_await apply(client, std::move(secret));
}

}  // namespace

asio::awaitable<kube::Result<AccessResult>> ensure_access(kube::Client* client, const crd::ParallelCluster* cluster) {
  const bool external = cluster->spec.nats.external.has_value();
  auto work = external ? external_access(client, cluster) : managed_access(client, cluster);
  auto result = co_await std::move(work);
  if (!result || result->trouble) co_return result;
  if (auto error = co_await ensure_token(client, cluster, &result->access)) co_return std::move(*error);
  auto secrets = resources::connect_secrets(*cluster, result->access);
  for (auto& secret : secrets) {
    if (auto error = co_await apply(client, std::move(secret))) co_return std::move(*error);
  }
  co_return result;
}

}  // namespace covey::operating

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

// What another cluster of the same name has left is on its way out.
std::optional<kube::Error> not_ours(const Found& secret, const crd::ParallelCluster& cluster) {
  if (!secret || kube::owned_by(*secret, cluster.uid)) return std::nullopt;
  return kube::Error{Errc::conflict, 0, {}, fmt::format("the Secret {} is there and belongs to somebody else; delete it, or wait until it has gone", kube::name_of(*secret))};
}

asio::awaitable<std::optional<kube::Error>> apply(kube::Client* client, value secret) {
  const kube::Place place{types::kSecrets, std::string(kube::namespace_of(secret)), std::string(kube::name_of(secret))};
  auto applied = co_await client->apply(std::move(secret), place);
  if (applied.has_error()) co_return applied.error();
  co_return std::nullopt;
}

// What is random is created and never written over: of two who make it, the later one takes what the earlier has made.
asio::awaitable<kube::Result<value>> make(kube::Client* client, value secret) {
  const kube::Place collection{types::kSecrets, std::string(kube::namespace_of(secret)), {}};
  const kube::Place place{types::kSecrets, collection.ns, std::string(kube::name_of(secret))};
  auto made = co_await client->create(collection, std::move(secret));
  if (made || made.error().code != Errc::exists) co_return made;
  co_return co_await client->get(place);
}

Access new_passwords() {
  return {{"controller", resources::random_text()}, {"engine", resources::random_text()}, {"client", resources::random_text()}, {}};
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
  auto found = co_await look(client, cluster->ns, name);
  if (!found) co_return found.error();
  if (!*found) {
    auto fresh = resources::nats_secret(*cluster, new_passwords());
    auto made = co_await make(client, std::move(fresh));
    if (!made) co_return made.error();
    *found = std::move(*made);
  }
  if (auto error = not_ours(*found, *cluster)) co_return std::move(*error);
  AccessResult result;
  const auto read = resources::read_nats_secret(**found);
  result.access = read ? *read : new_passwords();
  auto secret = resources::nats_secret(*cluster, result.access);
  const bool same = kube::object_at(**found, "data") == kube::object_at(secret, "data");
  if (!same) {
    if (auto error = co_await apply(client, std::move(secret))) co_return std::move(*error);
  }
  co_return result;
}

asio::awaitable<std::optional<kube::Error>> ensure_token(kube::Client* client, const crd::ParallelCluster* cluster, Access* access) {
  const auto name = resources::part_name(cluster->name, "api");
  const auto new_token = [] { return "covey_" + resources::random_text(); };
  auto found = co_await look(client, cluster->ns, name);
  if (!found) co_return found.error();
  if (!*found) {
    access->api_token = new_token();
    auto fresh = resources::api_secret(*cluster, *access);
    auto made = co_await make(client, std::move(fresh));
    if (!made) co_return made.error();
    *found = std::move(*made);
  }
  if (auto error = not_ours(*found, *cluster)) co_return error;
  const auto token = resources::secret_text(**found, "token");
  const bool usable = token && !token->empty();
  access->api_token = usable ? *token : new_token();
  // More tokens, which somebody has added to the key `tokens`, stay.
  if (usable && kube::object_at(**found, "data").contains("tokens")) co_return std::nullopt;
  auto secret = resources::api_secret(*cluster, *access);
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

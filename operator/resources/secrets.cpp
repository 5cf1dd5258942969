#include "operator/resources/secrets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>
#include <random>

#include "common/wire/subjects.hpp"
#include "operator/kube/json.hpp"
#include "operator/kube/time.hpp"
#include "operator/resources/names.hpp"
#include "operator/resources/object.hpp"

namespace covey::resources {

namespace json = boost::json;

namespace {

std::string user_line(const LogOn& who, const wire::Subjects::Permissions& may) {
  const auto list = [](const std::vector<std::string>& subjects) { return fmt::format("{{allow: [\"{}\"]}}", fmt::join(subjects, "\", \"")); };
  return fmt::format("    {{user: \"{}\", password: \"{}\", permissions: {{publish: {}, subscribe: {}}}}}\n", who.user, who.password,
                     list(may.publish), list(may.subscribe));
}

// A user for each role, who may use only the subjects of that role.
std::string nats_configuration(const crd::ParallelCluster& cluster, const Access& access) {
  const wire::Subjects subjects(wire_name(cluster));
  return fmt::format("listen: \"0.0.0.0:{}\"\nhttp: \"0.0.0.0:{}\"\nmax_payload: 1048576\nmax_pending: 268435456\nwrite_deadline: \"60s\"\nauthorization {{\n  users: [\n{}{}{}  ]\n}}\n", kNatsPort,
                     kNatsMonitorPort, user_line(access.controller, subjects.permissions(wire::Role::controller)),
                     user_line(access.engine, subjects.permissions(wire::Role::engine)),
                     user_line(access.client, subjects.permissions(wire::Role::client)));
}

json::value secret(const crd::ParallelCluster& cluster, std::string_view part, std::string_view component, json::object files) {
  auto object = object_of(cluster, kube::types::kSecrets, part_name(cluster.name, part), component);
  object["type"] = "Opaque";
  json::object data;
  for (const auto& [key, text] : files) data[key] = kube::base64_encoded(std::string_view(text.get_string().data(), text.get_string().size()));
  object["data"] = std::move(data);
  return object;
}

std::string connect_file(const crd::ParallelCluster& cluster, const LogOn& who) {
  const auto& external = cluster.spec.nats.external;
  // With its namespace, so that clients elsewhere may use it too.
  const auto url = external ? external->url : fmt::format("nats://{}.{}:{}", part_name(cluster.name, kNats), cluster.ns, kNatsPort);
  return json::serialize(json::object{{"nats", url},
                                      {"user", who.user},
                                      {"password", who.password},
                                      {"cluster", wire_name(cluster)},
                                      {"ca_file", ""},
                                      {"server_name", ""},
                                      {"controller", fmt::format("http://{}.{}:{}", part_name(cluster.name, kController), cluster.ns, kHttpPort)},
                                      {"scheme", cluster.spec.controller.scheme}}) +
         "\n";
}

}  // namespace

json::value nats_secret(const crd::ParallelCluster& cluster, const Access& access) {
  return secret(cluster, kNats, kNats,
                {{"nats.conf", nats_configuration(cluster, access)},
                 {"controller-password", access.controller.password},
                 {"engine-password", access.engine.password},
                 {"client-password", access.client.password}});
}

json::value api_secret(const crd::ParallelCluster& cluster, const Access& access) {
  return secret(cluster, "api", kController,
                {{"token", access.api_token}, {"tokens", fmt::format("{} read,submit,admin {}\n", access.api_token, cluster.name)}});
}

std::vector<json::value> connect_secrets(const crd::ParallelCluster& cluster, const Access& access) {
  return {secret(cluster, kController, kController, {{"controller.json", connect_file(cluster, access.controller)}}),
          secret(cluster, kEngine, kEngine, {{"engine.json", connect_file(cluster, access.engine)}}),
          secret(cluster, "client", kController, {{"client.json", connect_file(cluster, access.client)}})};
}

std::optional<std::string> secret_text(const json::value& secret, std::string_view key) {
  const auto& data = kube::object_at(secret, "data");
  if (!data.contains({key.data(), key.size()})) return std::nullopt;
  return kube::base64_decoded(kube::member_text(data, key));
}

std::optional<Access> read_nats_secret(const json::value& secret) {
  const auto controller = secret_text(secret, "controller-password"), engine = secret_text(secret, "engine-password"), client = secret_text(secret, "client-password");
  if (!controller || !engine || !client || controller->empty() || engine->empty() || client->empty()) return std::nullopt;
  return Access{{"controller", *controller}, {"engine", *engine}, {"client", *client}, {}};
}

std::string random_text() {
  std::random_device device;
  std::string text;
  for (int i = 0; i < 5; ++i) text += fmt::format("{:08x}", device());
  return text;
}

}  // namespace covey::resources

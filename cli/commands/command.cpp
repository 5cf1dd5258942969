#include "cli/commands/command.hpp"

#include <fmt/format.h>
#include <sys/types.h>

#include <stdexcept>

namespace covey::cli {

void Where::add_to(CLI::App& command) {
  command.add_option("--connect", connect_file, "file that says how to reach the cluster (as `covey up` writes it)")
      ->envname("COVEY_CONNECT")
      ->type_name("FILE");
  command.add_option("--nats", nats_url, "address of the NATS server, such as nats://127.0.0.1:4222")->envname("COVEY_NATS")->type_name("URL");
  command.add_option("--user", user, "NATS user")->envname("COVEY_USER");
  command.add_option("--password", password, "NATS password; better in the environment or a --connect file")->envname("COVEY_PASSWORD");
  command.add_option("--cluster", cluster, "name of the cluster on that server")->envname("COVEY_CLUSTER");
  command.add_option("--tls-ca", ca_file, "certificate authority of the NATS server; makes the connection TLS")
      ->envname("COVEY_TLS_CA")
      ->type_name("FILE");
  command.add_flag("--insecure", insecure, "allow a server beyond this machine without TLS");
}

namespace {

bool on_loopback(const std::string& url) {
  const auto scheme = url.find("://");
  auto host = scheme == std::string::npos ? url : url.substr(scheme + 3);
  if (const auto at = host.rfind('@'); at != std::string::npos) host = host.substr(at + 1);
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

}  // namespace

local::ConnectInfo Where::resolve(wire::Role role) const {
  local::ConnectInfo info;
  if (!connect_file.empty()) {
    info = local::read_connect_file(connect_file);
  } else if (nats_url.empty()) {
    info = local::read_home_file(role);
  }
  if (!nats_url.empty()) info.nats_url = nats_url;
  if (!user.empty()) info.user = user;
  if (!password.empty()) info.password = password;
  if (!cluster.empty()) info.cluster = cluster;
  if (!ca_file.empty()) info.ca_file = ca_file;
  if (!info.uses_tls() && !insecure && !on_loopback(info.nats_url)) {
    throw std::runtime_error(
        fmt::format("{} is beyond this machine and the connection would be plain: use --tls-ca FILE, or say --insecure", info.nats_url));
  }
  return info;
}

std::unique_ptr<client::Client> connect_client(const Where& where) {
  const auto info = where.resolve();
  client::Options options;
  const auto nats = info.options("covey");
  options.nats_url = nats.url;
  options.user = nats.user;
  options.password = nats.password;
  options.tls = nats.tls;
  options.cluster = info.cluster;
  auto connected = client::Client::connect(options);
  if (!connected) throw std::runtime_error(fmt::format("cannot use the NATS server at {}: {}", info.nats_url, connected.error().message()));
  auto client = std::move(*connected);
  if (!client->request(R"({"what":"status"})", std::chrono::seconds(10))) {
    if (!client->refusal().empty()) throw std::runtime_error("the controller refuses this client: " + client->refusal());
    throw std::runtime_error(fmt::format("no controller of the cluster '{}' answers at {}", info.cluster, info.nats_url));
  }
  return client;
}

}  // namespace covey::cli

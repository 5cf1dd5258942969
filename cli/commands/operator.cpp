// covey operator: the Kubernetes operator.
#include "operator/app/operator_node.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "cli/commands/command.hpp"
#include "operator/kube/config.hpp"

namespace covey::cli {

namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Of this process alone, also after its container has been started anew.
std::string identity(const std::string& pod) {
  char host[256] = "host";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}_{:08x}", pod.empty() ? std::string(host) : pod, std::random_device()());
}

void set_address(operating::NodeOptions& options, const std::string& address) {
  const auto colon = address.rfind(':');
  const auto port = colon == std::string::npos ? std::string() : address.substr(colon + 1);
  const bool digits = !port.empty() && port.size() < 6 && port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || colon == 0 || std::stoi(port) > 65535) {
    throw CLI::ValidationError("--http", fmt::format("{}: HOST:PORT is wanted, such as 0.0.0.0:8080", address));
  }
  options.http_host = address.substr(0, colon);
  if (options.http_host.starts_with('[') && options.http_host.ends_with(']')) options.http_host = options.http_host.substr(1, options.http_host.size() - 2);
  options.http_port = static_cast<std::uint16_t>(std::stoi(port));
}

}  // namespace

void add_operator_command(CLI::App& app) {
  struct State {
    operating::NodeOptions options;
    std::string kubeconfig, context, address = "0.0.0.0:8080";
  };
  auto state = std::make_shared<State>();
  auto& options = state->options;
  auto* command = app.add_subcommand("operator", "Run the Kubernetes operator: it makes a cluster of each ParallelCluster, and runs each ParallelJob.");
  command->footer(
      "In a Pod it finds everything by itself; manifests/ and charts/covey install it so.\n"
      "On one's own machine, with what kubectl uses:\n"
      "  covey operator --kubeconfig ~/.kube/config --image covey:dev --http 127.0.0.1:8080\n"
      "Of several one acts, and another takes over when it is lost.");
  command->add_option("--namespace", options.ns, "look after this namespace alone")->envname("COVEY_OPERATOR_NAMESPACE");
  command->add_option("--kubeconfig", state->kubeconfig, "file that says how to reach the API server; in a Pod none is needed")->type_name("FILE");
  command->add_option("--context", state->context, "its context, unless the current one");
  command->add_option("--lease-namespace", options.lease_ns, "where the Lease is by which one of several is chosen; the Pod's own namespace unless given");
  command->add_option("--image", options.image, "image where a ParallelCluster names none; the one of this Pod unless given")->envname("COVEY_IMAGE");
  command->add_option("--http", state->address, "where /livez, /readyz and /metrics are served")->capture_default_str()->type_name("HOST:PORT");
  command->add_option("--workers", options.workers, "clusters to look at at a time")->capture_default_str()->check(CLI::Range(1, 256));
  command->callback([state] {
    auto& chosen = state->options;
    set_address(chosen, state->address);
    auto config = kube::find_config(state->kubeconfig, state->context);
    if (!config) throw std::runtime_error(config.error().message);
    chosen.config = std::move(*config);
    chosen.pod_name = from_environment("POD_NAME");
    chosen.pod_ns = from_environment("POD_NAMESPACE");
    if (chosen.pod_ns.empty()) chosen.pod_ns = chosen.config.ns;
    if (chosen.lease_ns.empty()) chosen.lease_ns = chosen.pod_ns;
    chosen.identity = identity(chosen.pod_name);
    throw CLI::RuntimeError(operating::run_operator(std::move(chosen)));
  });
}

}  // namespace covey::cli

#include "operator/kube/config.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "operator/kube/server_url.hpp"

namespace covey::kube {

namespace {

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return local_error(fmt::format("cannot read {}", path.string()));
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

Result<std::string> Pem::read() const { return file.empty() ? Result<std::string>(text) : read_file(file); }

std::string Config::authority_header() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::optional<Error> set_server(Config& config, const std::string& url) {
  const auto wrong = [&url](std::string_view what) {
    return local_error(fmt::format("server '{}': {}; https://HOST:PORT is wanted", url, what));
  };
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    config.tls = false;
  } else {
    return wrong("neither https nor http");
  }
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos) {
    config.base_path = std::string(rest.substr(slash));
    while (config.base_path.ends_with('/')) config.base_path.pop_back();
    rest = rest.substr(0, slash);
  }
  if (rest.find('@') != std::string_view::npos) return wrong("user names in the address are not supported");
  const auto bracket = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  config.host = std::string(bracket == std::string_view::npos ? rest.substr(0, colon) : rest.substr(1, bracket - 1));
  config.port = config.tls ? 443 : 80;
  if (config.host.empty()) return wrong("no host");
  if (colon == std::string_view::npos) return std::nullopt;
  const auto digits = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), config.port);
  if (error != std::errc() || end != digits.data() + digits.size() || config.port == 0) return wrong("the port is no number from 1 to 65535");
  return std::nullopt;
}

PodEnvironment PodEnvironment::here() {
  PodEnvironment pod;
  pod.host = environment("KUBERNETES_SERVICE_HOST");
  pod.port = environment("KUBERNETES_SERVICE_PORT");
  return pod;
}

Result<Config> in_cluster_config(const PodEnvironment& pod) {
  if (pod.host.empty() || pod.port.empty()) {
    return local_error("not inside a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; give a kubeconfig");
  }
  Config config;
  config.source = "the pod's service account";
  const bool v6 = pod.host.find(':') != std::string::npos;
  if (auto error = set_server(config, fmt::format("https://{}{}{}:{}", v6 ? "[" : "", pod.host, v6 ? "]" : "", pod.port))) return *error;
  config.authority.file = (pod.folder / "ca.crt").string();
  config.token_file = (pod.folder / "token").string();
  for (const auto& file : {config.authority.file, config.token_file}) {
    if (const auto content = read_file(file); !content) {
      return local_error(fmt::format("{}: {}; is automountServiceAccountToken off?", config.source, content.error().message));
    }
  }
  if (const auto ns = read_file(pod.folder / "namespace"); ns && !ns->empty()) config.ns = *ns;
  return config;
}

Result<Config> find_config(const std::string& kubeconfig, const std::string& context) {
  if (!kubeconfig.empty()) return read_kubeconfig(kubeconfig, context);
  const auto pod = PodEnvironment::here();
  const auto listed = environment("KUBECONFIG");
  if (listed.empty() && !pod.host.empty()) return in_cluster_config(pod);
  if (!listed.empty()) return read_kubeconfig(listed, context);
  const auto home = environment("HOME");
  const auto usual = std::filesystem::path(home) / ".kube" / "config";
  if (home.empty() || !std::filesystem::exists(usual)) {
    return local_error("no Kubernetes cluster is known: not inside a pod, KUBECONFIG is not set and there is no ~/.kube/config");
  }
  return read_kubeconfig(usual.string(), context);
}

Config plain_config(std::string host, std::uint16_t port, std::string source) {
  Config config;
  config.host = std::move(host);
  config.port = port;
  config.tls = false;
  config.source = std::move(source);
  return config;
}

}  // namespace covey::kube

// Where the API server is and how one proves who one is: from a kubeconfig, or from what every pod finds in its file system. Reads files;
// start-up, any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/kube/error.hpp"

namespace covey::kube {

// PEM that is given inline, or in a file that may change and is therefore read whenever it is needed.
struct Pem {
  std::string text, file;
  bool empty() const { return text.empty() && file.empty(); }
  Result<std::string> read() const;
};

// A program that prints credentials, as on EKS: `aws eks get-token`.
struct ExecPlugin {
  std::string api_version;           // client.authentication.k8s.io/v1 or v1beta1
  std::vector<std::string> argv;     // run without a shell
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
  std::string install_hint;
  bool provide_cluster_info = false;
};

struct Config {
  std::string host;  // without brackets
  std::uint16_t port = 443;
  std::string base_path;  // "" or "/k8s/clusters/c-1"
  bool tls = true;
  Pem authority;  // empty: what the system trusts
  bool skip_verification = false;
  std::string server_name;  // the name in the server's certificate, where it is not the host
  Pem certificate, key;
  std::string token;
  std::string token_file;  // goes before `token`; read again every minute
  std::optional<ExecPlugin> exec;
  std::string ns = "default";
  std::string source;  // for messages: "kubeconfig /root/.kube/config, context test"

  // "host:443", with brackets around IPv6.
  std::string authority_header() const;
};

// For a part of Covey's own that serves plain HTTP, at its Pod's or its Service's address.
Config plain_config(std::string host, std::uint16_t port, std::string source);

// `path` may be a list with colons, of which the first to define a name wins, as kubectl does it. `context` empty: the current one.
Result<Config> read_kubeconfig(const std::string& path, const std::string& context = {});

// From KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT and the service account's files.
struct PodEnvironment {
  std::string host, port;
  std::filesystem::path folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  static PodEnvironment here();
};
Result<Config> in_cluster_config(const PodEnvironment& pod);

// `kubeconfig` if it is not empty; else inside a pod the pod's; else $KUBECONFIG, else ~/.kube/config.
Result<Config> find_config(const std::string& kubeconfig, const std::string& context = {});

}  // namespace covey::kube

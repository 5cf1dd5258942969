// Reading kubeconfig files: names are looked up in the order of the files, and every complaint says in which file and at which key.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <stdexcept>

#include "operator/kube/config.hpp"
#include "operator/kube/server_url.hpp"
#include "operator/kube/time.hpp"

namespace covey::kube {

namespace {

// Never leaves read_kubeconfig().
struct Complaint : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct File {
  std::string path;
  YAML::Node root;
  // Files that it names are relative to it.
  std::string beside(const std::string& name) const {
    const std::filesystem::path given(name);
    return given.is_absolute() ? name : (std::filesystem::path(path).parent_path() / given).string();
  }
};

struct Entry {
  const File* file = nullptr;
  std::string where;  // "users[me].user"
  YAML::Node node;

  [[noreturn]] void complain(const std::string& key, const std::string& what) const {
    throw Complaint(fmt::format("{}: {}{}{}: {}", file->path, where, key.empty() ? "" : ".", key, what));
  }
  YAML::Node at(const std::string& key) const { return node.IsMap() ? node[key] : YAML::Node(YAML::NodeType::Undefined); }
  bool has(const std::string& key) const {
    const auto value = at(key);
    return value.IsDefined() && !value.IsNull();
  }
  std::string text(const std::string& key) const {
    if (!has(key)) return {};
    const auto value = at(key);
    if (!value.IsScalar()) complain(key, "a text is wanted");
    return value.Scalar();
  }
  bool flag(const std::string& key) const {
    const auto value = text(key);
    if (value != "" && value != "true" && value != "false") complain(key, fmt::format("'{}' is neither true nor false", value));
    return value == "true";
  }
  // KEY-data has it in base64 and goes before KEY, which names a file.
  Pem pem(const std::string& key) const {
    if (const auto data = text(key + "-data"); !data.empty()) {
      const auto decoded = base64_decoded(data);
      if (!decoded) complain(key + "-data", "not base64");
      return {*decoded, {}};
    }
    const auto name = text(key);
    return {{}, name.empty() ? name : file->beside(name)};
  }
};

std::vector<File> load_all(const std::string& list) {
  std::vector<File> files;
  for (std::size_t begin = 0; begin <= list.size();) {
    const auto end = std::min(list.find(':', begin), list.size());
    const auto path = list.substr(begin, end - begin);
    begin = end + 1;
    if (path.empty() || (list.find(':') != std::string::npos && !std::filesystem::exists(path))) continue;  // as kubectl does
    try {
      files.push_back({path, YAML::LoadFile(path)});
    } catch (const YAML::BadFile&) {
      throw Complaint(fmt::format("kubeconfig {}: cannot be read", path));
    } catch (const YAML::Exception& error) {
      throw Complaint(fmt::format("kubeconfig {}: line {}: {}", path, error.mark.line + 1, error.msg));
    }
    if (!files.back().root.IsMap()) throw Complaint(fmt::format("kubeconfig {}: a map with clusters, users and contexts is wanted", path));
  }
  if (files.empty()) throw Complaint(fmt::format("kubeconfig {}: there is no such file", list));
  return files;
}

// The entry of that name in the lists called "clusters", "users" or "contexts".
Entry find_entry(const std::vector<File>& files, const std::string& list, const std::string& member, const std::string& name) {
  std::string known;
  for (const auto& file : files) {
    for (const auto& item : file.root[list]) {
      const auto named = item.IsMap() && item["name"] ? item["name"].as<std::string>("") : std::string();
      if (named == name) return {&file, fmt::format("{}[{}].{}", list, name, member), item[member]};
      known += (known.empty() ? "" : ", ") + named;
    }
  }
  throw Complaint(fmt::format("kubeconfig {}: {} has no '{}'; there is {}", files.front().path, list, name, known.empty() ? "none" : known));
}

std::string current_context(const std::vector<File>& files) {
  for (const auto& file : files) {
    if (const auto current = file.root["current-context"]; current && !current.as<std::string>("").empty()) return current.as<std::string>("");
  }
  throw Complaint(fmt::format("kubeconfig {}: no current-context; set one, or name a context", files.front().path));
}

void take_cluster(Config& config, const Entry& cluster) {
  if (!cluster.node.IsMap()) cluster.complain("", "a map is wanted");
  if (cluster.has("proxy-url")) cluster.complain("proxy-url", "proxies are not supported");
  if (!cluster.has("server")) cluster.complain("server", "is missing");
  if (auto error = set_server(config, cluster.text("server"))) cluster.complain("server", error->message);
  config.authority = cluster.pem("certificate-authority");
  config.skip_verification = cluster.flag("insecure-skip-tls-verify");
  config.server_name = cluster.text("tls-server-name");
  if (config.skip_verification && !config.authority.empty()) {
    cluster.complain("insecure-skip-tls-verify", "is of no use together with a certificate authority; leave one of them out");
  }
}

ExecPlugin take_exec(const Entry& exec) {
  ExecPlugin plugin;
  plugin.api_version = exec.text("apiVersion");
  if (plugin.api_version != "client.authentication.k8s.io/v1" && plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    exec.complain("apiVersion", fmt::format("'{}' is not known; client.authentication.k8s.io/v1 or v1beta1 is", plugin.api_version));
  }
  const auto command = exec.text("command");
  if (command.empty()) exec.complain("command", "is missing");
  // Like kubectl: a bare name is searched in PATH, and a relative path begins at the kubeconfig.
  plugin.argv.push_back(command.find('/') == std::string::npos ? command : exec.file->beside(command));
  for (const auto& argument : exec.at("args")) plugin.argv.push_back(argument.as<std::string>(""));
  for (const auto& variable : exec.at("env")) {
    if (!variable.IsMap() || !variable["name"]) exec.complain("env", "a list of maps with name and value is wanted");
    plugin.environment.emplace_back(variable["name"].as<std::string>(""), variable["value"].as<std::string>(""));
  }
  plugin.install_hint = exec.text("installHint");
  plugin.provide_cluster_info = exec.flag("provideClusterInfo");
  if (exec.text("interactiveMode") == "Always") exec.complain("interactiveMode", "nobody is there to answer questions");
  return plugin;
}

void take_user(Config& config, const Entry& user) {
  for (const char* key : {"username", "password", "auth-provider", "as", "as-uid", "as-groups", "as-user-extra"}) {
    if (user.has(key)) user.complain(key, "is not supported; certificates, tokens and exec plugins are");
  }
  config.certificate = user.pem("client-certificate");
  config.key = user.pem("client-key");
  if (config.certificate.empty() != config.key.empty()) user.complain("client-certificate", "a certificate and its key go together");
  config.token = user.text("token");
  if (const auto file = user.text("tokenFile"); !file.empty()) config.token_file = user.file->beside(file);
  if (user.has("exec")) config.exec = take_exec({user.file, user.where + ".exec", user.at("exec")});
}

Config read(const std::string& path, const std::string& wanted) {
  const auto files = load_all(path);
  const auto name = wanted.empty() ? current_context(files) : wanted;
  const auto context = find_entry(files, "contexts", "context", name);
  Config config;
  config.source = fmt::format("kubeconfig {}, context {}", context.file->path, name);
  if (!context.has("cluster")) context.complain("cluster", "is missing");
  take_cluster(config, find_entry(files, "clusters", "cluster", context.text("cluster")));
  if (context.has("user")) take_user(config, find_entry(files, "users", "user", context.text("user")));
  if (context.has("namespace")) config.ns = context.text("namespace");
  return config;
}

}  // namespace

Result<Config> read_kubeconfig(const std::string& path, const std::string& context) {
  try {
    return read(path, context);
  } catch (const Complaint& complaint) {
    return local_error(complaint.what());
  } catch (const YAML::Exception& error) {
    return local_error(fmt::format("kubeconfig {}: {}", path, error.what()));
  }
}

}  // namespace covey::kube

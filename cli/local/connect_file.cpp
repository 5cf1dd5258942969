#include "cli/local/connect_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace covey::local {

namespace json = boost::json;

bus::ConnectOptions ConnectInfo::options(const std::string& name) const {
  bus::ConnectOptions options;
  options.url = nats_url;
  options.user = user;
  options.password = password;
  options.name = name;
  if (uses_tls()) {
    options.tls.emplace().ca_file = ca_file;
    options.tls->server_name = server_name;
  }
  return options;
}

std::string file_name(wire::Role role) {
  return role == wire::Role::controller ? "controller.json" : role == wire::Role::engine ? "engine.json" : "client.json";
}

std::filesystem::path home_folder() {
  std::filesystem::path folder;
  if (const char* home = std::getenv("COVEY_HOME"); home != nullptr && *home != '\0') {
    folder = home;
  } else if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0') {
    folder = std::filesystem::path(runtime) / "covey";
  } else {
    folder = fmt::format("/tmp/covey-{}", ::getuid());
  }
  std::filesystem::create_directories(folder);
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0 || status.st_uid != ::getuid()) {
    throw std::runtime_error(fmt::format("{} belongs to somebody else: set COVEY_HOME to a folder of yours", folder.string()));
  }
  ::chmod(folder.c_str(), 0700);
  return folder;
}

void write_connect_file(const std::filesystem::path& file, const ConnectInfo& info) {
  const auto text = json::serialize(json::object{{"nats", info.nats_url},
                                                 {"user", info.user},
                                                 {"password", info.password},
                                                 {"cluster", info.cluster},
                                                 {"ca_file", info.ca_file},
                                                 {"server_name", info.server_name},
                                                 {"controller", info.controller}}) +
                    "\n";
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) throw std::runtime_error(fmt::format("cannot write {}", file.string()));
  const bool written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(descriptor);
  if (!written) throw std::runtime_error(fmt::format("cannot write {}", file.string()));
}

ConnectInfo read_connect_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(fmt::format("cannot read {}", file.string()));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  if (error || !value.is_object()) throw std::runtime_error(fmt::format("{} is not a JSON object", file.string()));
  ConnectInfo info;
  const auto take = [&](const char* key, std::string& into) {
    const auto* member = value.get_object().if_contains(key);
    if (member == nullptr) return;
    if (!member->is_string()) throw std::runtime_error(fmt::format("{}: '{}' must be a string", file.string(), key));
    into = std::string(member->get_string());
  };
  take("nats", info.nats_url);
  take("user", info.user);
  take("password", info.password);
  take("cluster", info.cluster);
  take("ca_file", info.ca_file);
  take("server_name", info.server_name);
  take("controller", info.controller);
  if (info.nats_url.empty()) throw std::runtime_error(fmt::format("{}: 'nats', the server's address, is missing", file.string()));
  return info;
}

ConnectInfo read_home_file(wire::Role role) {
  const auto file = home_folder() / file_name(role);
  if (!std::filesystem::exists(file)) {
    throw std::runtime_error(fmt::format(
        "no cluster of yours is up here, as there is no {}: `covey up` starts one, --connect FILE or --nats URL names another", file.string()));
  }
  return read_connect_file(file);
}

}  // namespace covey::local

#include "cli/local/local_cluster.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>

#include <random>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace covey::local {

// After a rebuild the link says "… (deleted)", or names another file; what it leads to can still be run.
std::string own_executable() {
  const std::filesystem::path link = "/proc/self/exe";
  const auto path = std::filesystem::read_symlink(link);
  std::error_code gone;
  return std::filesystem::equivalent(path, link, gone) ? path.string() : link.string();
}

namespace {

constexpr wire::Role kRoles[] = {wire::Role::controller, wire::Role::engine, wire::Role::client};

std::string random_secret() {
  std::random_device device;
  std::string secret;
  for (int i = 0; i < 4; ++i) secret += fmt::format("{:08x}", device());
  return secret;
}

std::string_view name_of(wire::Role role) {
  return role == wire::Role::controller ? "controller" : role == wire::Role::engine ? "engine" : "client";
}

}  // namespace

LocalCluster::LocalCluster(Options options) : options_(std::move(options)) {
  std::filesystem::create_directories(options_.folder);
  ::chmod(options_.folder.c_str(), 0700);
  if (options_.nats_url.empty()) {
    nats_ = std::make_unique<bus::NatsServer>(server_options());
  }
  client_ = info_for(wire::Role::client);
  for (const auto role : kRoles) write_connect_file(options_.folder / file_name(role), info_for(role));
  start_controller();
  set_engines(options_.engines);
}

LocalCluster::~LocalCluster() { stop(); }

// A user for each role, who may use only the subjects of that role.
bus::NatsServerOptions LocalCluster::server_options() {
  const wire::Subjects subjects(options_.cluster);
  bus::NatsServerOptions options;
  options.folder = options_.folder;
  options.port = options_.nats_port;
  for (const auto role : kRoles) {
    auto permissions = subjects.permissions(role);
    passwords_[role] = random_secret();
    options.users.push_back({std::string(name_of(role)), passwords_[role], std::move(permissions.publish), std::move(permissions.subscribe)});
  }
  if (!options_.tls_cert.empty()) options.tls = bus::NatsServerTls{options_.tls_cert, options_.tls_key, {}};
  return options;
}

ConnectInfo LocalCluster::info_for(wire::Role role) const {
  ConnectInfo info;
  info.cluster = options_.cluster;
  info.ca_file = options_.tls_ca;
  if (nats_) {
    info.nats_url = nats_->url();
    info.user = std::string(name_of(role));
    info.password = passwords_.at(role);
  } else {
    info.nats_url = options_.nats_url;
    info.user = options_.user;
    info.password = options_.password;
  }
  return info;
}

process::ChildProcess LocalCluster::start_part(wire::Role role, const std::vector<std::string>& arguments) {
  const std::string part(name_of(role));
  const auto executable = options_.executable.empty() ? own_executable() : options_.executable;
  std::vector<std::string> argv{executable, part, "--connect", (options_.folder / file_name(role)).string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return process::ChildProcess({std::move(argv), {}, (options_.folder / (part + ".log")).string(), true});
}

void LocalCluster::start_controller() {
  controller_ = std::make_unique<process::ChildProcess>(start_part(wire::Role::controller, options_.controller_arguments));
}

process::ChildProcess LocalCluster::start_engine() {
  auto arguments = options_.engine_arguments;
  arguments.insert(arguments.end(), {"--slots", std::to_string(options_.slots)});
  return start_part(wire::Role::engine, arguments);
}

void LocalCluster::set_engines(std::size_t count) {
  for (std::size_t i = count; i < engines_.size(); ++i) engines_[i].signal(SIGTERM);
  while (engines_.size() > count) engines_.pop_back();
  while (engines_.size() < count) engines_.push_back(start_engine());
}

std::vector<std::string> LocalCluster::tend() {
  std::vector<std::string> lines;
  if (nats_ && !nats_->running()) {
    lines.push_back("nats-server ended; starting it again");
    nats_->start();
  }
  if (const auto status = controller_->poll()) {
    lines.push_back(fmt::format("the controller ended with status {}; starting it again", *status));
    start_controller();
  }
  for (auto& engine : engines_) {
    if (const auto status = engine.poll()) {
      lines.push_back(fmt::format("engine process {} ended with status {}; starting another", engine.pid(), *status));
      engine = start_engine();
    }
  }
  return lines;
}

// Engines first, so that they can say goodbye to somebody.
void LocalCluster::stop() {
  for (auto& engine : engines_) engine.signal(SIGTERM);
  engines_.clear();
  if (controller_) controller_->stop(std::chrono::seconds(2));
  controller_.reset();
  if (nats_) nats_->stop();
  nats_.reset();
  std::error_code ignored;
  for (const auto role : kRoles) std::filesystem::remove(options_.folder / file_name(role), ignored);
}

}  // namespace covey::local

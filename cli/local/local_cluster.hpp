// A whole cluster on this machine: nats-server, one controller and engines, each a child process, on loopback, with
// credentials made for the run. What `covey up` and the benches start.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/local/connect_file.hpp"
#include "common/bus/nats_server.hpp"
#include "common/process/child_process.hpp"
#include "common/wire/subjects.hpp"

namespace covey::local {

class LocalCluster {
 public:
  struct Options {
    std::filesystem::path folder;             // for logs and connect files; made with mode 0700
    std::string executable;                   // covey; empty: the running one
    std::size_t engines = 4;
    std::uint32_t slots = 1;
    std::string cluster = "default";
    std::uint16_t nats_port = 0;              // 0: a free one
    std::string nats_url, user, password;     // a server to use instead of one of our own
    std::string tls_cert, tls_key, tls_ca;    // for a server of our own
    std::vector<std::string> engine_arguments, controller_arguments;  // passed on
  };
  // Starts everything; throws std::runtime_error that says what went wrong. Does not wait for engines to register.
  explicit LocalCluster(Options options);
  ~LocalCluster();

  // What a client needs.
  const ConnectInfo& client() const { return client_; }
  // Starts again what has died; returns a line for each that did.
  std::vector<std::string> tend();
  void set_engines(std::size_t count);
  void stop();
  const std::filesystem::path& folder() const { return options_.folder; }
  bus::NatsServer* nats() { return nats_.get(); }
  process::ChildProcess& controller() { return *controller_; }
  process::ChildProcess& engine(std::size_t index) { return engines_[index]; }
  std::size_t engines() const { return engines_.size(); }

 private:
  bus::NatsServerOptions server_options();
  ConnectInfo info_for(wire::Role role) const;
  process::ChildProcess start_part(wire::Role role, const std::vector<std::string>& arguments);
  void start_controller();
  process::ChildProcess start_engine();

  Options options_;
  std::map<wire::Role, std::string> passwords_;
  std::unique_ptr<bus::NatsServer> nats_;
  ConnectInfo client_;
  std::unique_ptr<process::ChildProcess> controller_;
  std::vector<process::ChildProcess> engines_;
};

// A path with which a child of ours runs our own executable, also after that was replaced or removed.
std::string own_executable();

}  // namespace covey::local

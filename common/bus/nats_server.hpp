// A nats-server of our own: a child process on loopback, with a user per role and a password for each, made for the run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "common/process/child_process.hpp"
#include "common/wire/subjects.hpp"

namespace covey::bus {

// What a role needs to connect.
struct Credentials {
  std::string user, password;
};

class NatsServer {
 public:
  struct Options {
    std::filesystem::path folder;   // for its configuration (mode 0600) and its log
    std::uint16_t port = 0;         // 0: a free one
    std::string cluster = "default";
    std::string tls_cert, tls_key;  // both or neither
  };
  // Starts it and waits until it accepts connections. Throws std::runtime_error that says what to do.
  explicit NatsServer(Options options);

  std::uint16_t port() const { return port_; }
  std::string url() const;
  const Credentials& credentials(wire::Role role) const { return credentials_[static_cast<std::size_t>(role)]; }
  pid_t pid() const { return child_->pid(); }
  void kill();     // SIGKILL
  void restart();  // on the same port
  std::optional<int> poll() { return child_->poll(); }
  void stop();
  void release() { child_->release(); }

 private:
  void write_configuration();
  void launch();

  Options options_;
  std::uint16_t port_ = 0;
  Credentials credentials_[3];
  std::optional<process::ChildProcess> child_;
};

}  // namespace covey::bus

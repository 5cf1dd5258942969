// A nats-server of our own: a child process on 127.0.0.1, for clusters on this machine and for tests. It ends when the thread
// that started it ends, however that comes about. Blocks; not for several threads at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/process/child_process.hpp"

namespace covey::bus {

// Subjects that a user may publish and subscribe to, wildcards allowed. Both empty: everything; one of them empty:
// nothing in that direction.
struct NatsUser {
  std::string name, password;
  std::vector<std::string> publish, subscribe;
};

struct NatsServerTls {
  std::string cert_file, key_file;
  std::string client_ca_file;  // not empty: clients must bring a certificate of this authority
};

struct NatsServerOptions {
  std::filesystem::path folder;  // for its configuration, which holds the passwords (mode 0600), and its log; made if missing
  std::uint16_t port = 0;        // 0: a free one
  std::vector<NatsUser> users;   // none: everybody may do everything
  std::size_t max_payload = std::size_t{1} << 20;
  std::optional<NatsServerTls> tls;
};

class NatsServer {
 public:
  // Returns when it accepts connections. Throws std::runtime_error that says what to do.
  explicit NatsServer(NatsServerOptions options);

  std::uint16_t port() const { return port_; }
  std::string url() const;  // nats:// or tls://, with 127.0.0.1
  bool running() { return child_ && !child_->poll(); }
  pid_t pid() const { return child_ ? child_->pid() : -1; }
  void kill();  // SIGKILL
  // SIGTERM, and SIGKILL if that has not helped after two seconds.
  void stop();
  // Again, on the port that it had. For a while that port may be taken by somebody else: then it is tried again for some
  // seconds.
  void start();

 private:
  enum class PortTaken { fails, is_tried_again };
  void write_configuration() const;
  void launch(PortTaken port_taken);
  bool came_up(std::chrono::steady_clock::time_point deadline);
  std::optional<std::uint16_t> announced_port() const;
  void forget_announced_ports() const;
  std::string log_since(std::uintmax_t begin) const;

  NatsServerOptions options_;
  std::uint16_t port_;
  std::optional<process::ChildProcess> child_;
};

}  // namespace covey::bus

// A nats-server child process on 127.0.0.1 for tests, with any users, permissions and certificates. Blocks; its errors
// are std::runtime_error. Not for several threads at once. The server ends when the thread that started it ends,
// however that comes about. (bus::NatsServer is the one for clusters: a user per role.)
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace covey::support {

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
  std::filesystem::path directory;  // for the configuration, which holds the passwords, and the log; made if missing
  std::uint16_t port = 0;           // 0: a free one
  std::vector<NatsUser> users;      // none: everybody may do everything
  std::size_t max_payload = std::size_t{1} << 20;
  std::optional<NatsServerTls> tls;
  std::chrono::milliseconds start_timeout{10'000};
};

class NatsServer {
 public:
  // Returns when the server accepts connections.
  explicit NatsServer(NatsServerOptions options);
  ~NatsServer() { stop(); }
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  // SIGTERM, and SIGKILL if that has not helped after two seconds.
  void stop();
  // SIGKILL.
  void kill();
  // Starts a stopped server on the port it had.
  void start();
  void restart();

  bool running();
  pid_t pid() const { return pid_; }  // -1 when stopped
  std::uint16_t port() const { return port_; }
  // nats://127.0.0.1:port, or tls://localhost:port.
  std::string url() const;
  std::string log() const;

 private:
  std::filesystem::path file(const char* name) const { return options_.directory / name; }
  void write_config() const;
  void spawn();
  void await_ready();
  bool wait_for_exit(std::chrono::milliseconds limit);
  std::optional<std::uint16_t> announced_port() const;
  [[noreturn]] void fail(const std::string& why);

  NatsServerOptions options_;
  std::string binary_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

// Where nats-server is: on PATH or in /usr/sbin. Throws if nowhere.
std::string find_nats_server();

}  // namespace covey::support

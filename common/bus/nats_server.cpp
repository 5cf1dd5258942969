#include "common/bus/nats_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

namespace covey::bus {

namespace asio = boost::asio;

namespace {

constexpr auto kStartTimeout = std::chrono::seconds(10);
constexpr std::size_t kMaxPayload = 1024 * 1024;

std::string random_secret() {
  std::random_device device;
  std::string secret;
  for (int i = 0; i < 4; ++i) secret += fmt::format("{:08x}", device());
  return secret;
}

asio::ip::tcp::endpoint loopback(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

std::uint16_t free_port() {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, loopback(0));
  return acceptor.local_endpoint().port();
}

bool in_use(std::uint16_t port) {
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  boost::system::error_code error;
  socket.connect(loopback(port), error);
  return !error;
}

std::string quoted_list(const std::vector<std::string>& subjects) {
  std::string text;
  for (const auto& subject : subjects) text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", subject);
  return text;
}

}  // namespace

NatsServer::NatsServer(Options options) : options_(std::move(options)), port_(options_.port) {
  if (!process::find_program("nats-server")) {
    throw std::runtime_error("no nats-server here: install the Debian package nats-server, or name a running one with --nats");
  }
  if (port_ != 0 && in_use(port_)) throw std::runtime_error(fmt::format("port {} is in use already: choose another, or none", port_));
  if (port_ == 0) port_ = free_port();
  const char* names[] = {"controller", "engine", "client"};
  for (std::size_t i = 0; i < 3; ++i) credentials_[i] = {names[i], random_secret()};
  std::filesystem::create_directories(options_.folder);
  write_configuration();
  launch();
}

std::string NatsServer::url() const { return fmt::format("{}://127.0.0.1:{}", options_.tls_cert.empty() ? "nats" : "tls", port_); }

void NatsServer::write_configuration() {
  const wire::Subjects subjects(options_.cluster);
  std::string users;
  for (const auto role : {wire::Role::controller, wire::Role::engine, wire::Role::client}) {
    const auto permissions = subjects.permissions(role);
    users += fmt::format("    {{user: \"{}\", password: \"{}\", permissions: {{publish: [{}], subscribe: [{}]}}}}\n",
                         credentials(role).user, credentials(role).password, quoted_list(permissions.publish),
                         quoted_list(permissions.subscribe));
  }
  std::string tls;
  if (!options_.tls_cert.empty()) {
    tls = fmt::format("tls {{ cert_file: \"{}\", key_file: \"{}\", timeout: 5 }}\n", options_.tls_cert, options_.tls_key);
  }
  const auto path = options_.folder / "nats.conf";
  // Created closed to others before anything is in it.
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error(fmt::format("cannot write {}", path.string()));
  const auto text = fmt::format(
      "host: \"127.0.0.1\"\nport: {}\nmax_payload: {}\nmax_pending: 268435456\nwrite_deadline: \"60s\"\n{}"
      "authorization {{\n  users: [\n{}  ]\n}}\n",
      port_, kMaxPayload, tls, users);
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(file);
  if (!written) throw std::runtime_error(fmt::format("cannot write {}", path.string()));
}

void NatsServer::launch() {
  const auto log = options_.folder / "nats.log";
  child_.emplace(process::ChildProcess::Options{{"nats-server", "-c", (options_.folder / "nats.conf").string()}, {}, log.string(), true});
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  while (!in_use(port_)) {
    if (child_->poll() || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error(fmt::format("nats-server did not start; its log is {}", log.string()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void NatsServer::kill() {
  child_->signal(SIGKILL);
  while (!child_->poll()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void NatsServer::restart() { launch(); }
void NatsServer::stop() { child_->stop(std::chrono::seconds(2)); }

}  // namespace covey::bus

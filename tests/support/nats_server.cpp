#include "tests/support/nats_server.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace covey::support {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kTermGrace{2000}, kPoll{5};
constexpr const char* kConfig = "nats-server.conf";
constexpr const char* kLog = "nats-server.log";

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ')
      throw std::runtime_error("a control character in a NATS user or file name");
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string permission(const std::vector<std::string>& subjects) {
  if (subjects.empty()) return "{deny: [\">\"]}";
  std::string list = "{allow: [";
  for (const auto& subject : subjects) list += in_quotes(subject) + ", ";
  return list + "]}";
}

std::string user_line(const NatsUser& user) {
  std::string line = "    {user: " + in_quotes(user.name) + ", password: " + in_quotes(user.password);
  if (!user.publish.empty() || !user.subscribe.empty()) {
    line += ", permissions: {publish: " + permission(user.publish) + ", subscribe: " + permission(user.subscribe) + "}";
  }
  return line + "}\n";
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Only what is safe between fork and exec of a process with threads.
[[noreturn]] void become(const char* const* arguments, pid_t parent, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(arguments[0], const_cast<char* const*>(arguments));
  ::_exit(127);
}

}  // namespace

std::string find_nats_server() {
  const char* path = std::getenv("PATH");
  std::istringstream directories(std::string(path == nullptr ? "" : path) + ":/usr/sbin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (directory.empty()) continue;
    const std::string candidate = directory + "/nats-server";
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  throw std::runtime_error("no nats-server found: install the Debian package nats-server");
}

NatsServer::NatsServer(NatsServerOptions options)
    : options_(std::move(options)), binary_(find_nats_server()), port_(options_.port) {
  std::filesystem::create_directories(options_.directory);
  start();
}

void NatsServer::start() {
  if (pid_ != -1) return;
  write_config();
  spawn();
  await_ready();
}

void NatsServer::restart() {
  stop();
  start();
}

void NatsServer::write_config() const {
  std::ostringstream text;
  text << "listen: \"127.0.0.1:" << (port_ == 0 ? -1 : int{port_}) << "\"\n"
       << "ports_file_dir: " << in_quotes(options_.directory.string()) << "\n"
       << "max_payload: " << options_.max_payload << "\n";
  if (!options_.users.empty()) {
    text << "authorization {\n  users: [\n";
    for (const auto& user : options_.users) text << user_line(user);
    text << "  ]\n}\n";
  }
  if (options_.tls) {
    text << "tls {\n  cert_file: " << in_quotes(options_.tls->cert_file)
         << "\n  key_file: " << in_quotes(options_.tls->key_file) << "\n  timeout: 10\n";
    if (!options_.tls->client_ca_file.empty()) {
      text << "  ca_file: " << in_quotes(options_.tls->client_ca_file) << "\n  verify: true\n";
    }
    text << "}\n";
  }
  const std::string config = text.str();
  const auto path = file(kConfig);
  std::filesystem::remove(path);  // so that the mode below is that of a new file
  const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = out >= 0 && ::write(out, config.data(), config.size()) == static_cast<ssize_t>(config.size());
  if (out >= 0) ::close(out);
  if (!written) throw std::runtime_error("cannot write " + path.string() + ": " + std::strerror(errno));
}

void NatsServer::spawn() {
  const std::string config = file(kConfig).string();
  const char* const arguments[] = {binary_.c_str(), "-c", config.c_str(), nullptr};
  const int log = ::open(file(kLog).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (log < 0) throw std::runtime_error("cannot write " + file(kLog).string() + ": " + std::strerror(errno));
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(arguments, parent, log);
  ::close(log);
  if (child < 0) throw std::runtime_error(std::string("cannot start nats-server: ") + std::strerror(errno));
  pid_ = child;
}

// nats-server writes its ports file once it listens.
void NatsServer::await_ready() {
  const auto deadline = Clock::now() + options_.start_timeout;
  while (Clock::now() < deadline) {
    if (const auto port = announced_port()) {
      port_ = *port;
      return;
    }
    if (wait_for_exit(kPoll)) {
      const bool in_use = log().find("address already in use") != std::string::npos;
      fail(in_use ? "port " + std::to_string(port_) + " of 127.0.0.1 is in use" : "it ended at once");
    }
  }
  kill();
  fail("it did not listen in time");
}

void NatsServer::fail(const std::string& why) { throw std::runtime_error("nats-server: " + why + "\n" + log()); }

std::optional<std::uint16_t> NatsServer::announced_port() const {
  const auto name = "nats-server_" + std::to_string(pid_) + ".ports";
  const std::string text = read_file(options_.directory / name);
  const auto end = text.find("\"]");
  const auto colon = text.rfind(':', end);
  if (end == std::string::npos || colon == std::string::npos) return std::nullopt;
  return static_cast<std::uint16_t>(std::strtoul(text.c_str() + colon + 1, nullptr, 10));
}

// True, and pid() is -1, if it has ended.
bool NatsServer::wait_for_exit(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  const pid_t child = pid_;
  for (;;) {
    if (child == -1) return true;
    const pid_t ended = ::waitpid(child, nullptr, WNOHANG);
    if (ended == child || (ended < 0 && errno == ECHILD)) {
      pid_ = -1;
      std::error_code ignored;
      std::filesystem::remove(options_.directory / ("nats-server_" + std::to_string(child) + ".ports"), ignored);
      return true;
    }
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
}

void NatsServer::stop() {
  if (pid_ == -1) return;
  ::kill(pid_, SIGTERM);
  if (!wait_for_exit(kTermGrace)) kill();
}

void NatsServer::kill() {
  if (pid_ == -1) return;
  ::kill(pid_, SIGKILL);
  wait_for_exit(kTermGrace);
}

bool NatsServer::running() { return pid_ != -1 && !wait_for_exit(std::chrono::milliseconds(0)); }

std::string NatsServer::url() const {
  return (options_.tls ? "tls://localhost:" : "nats://127.0.0.1:") + std::to_string(port_);
}

std::string NatsServer::log() const { return read_file(file(kLog)); }

}  // namespace covey::support

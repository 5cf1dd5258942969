#include "common/bus/nats_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace covey::bus {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kStartTimeout = std::chrono::seconds(10);
constexpr auto kPoll = std::chrono::milliseconds(5), kPortPause = std::chrono::milliseconds(50);
constexpr const char* kConfiguration = "nats.conf";
constexpr const char* kLog = "nats.log";

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ') throw std::runtime_error("a control character in a NATS user or file name");
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string permission(const std::vector<std::string>& subjects) {
  if (subjects.empty()) return "{deny: [\">\"]}";
  std::string list;
  for (const auto& subject : subjects) list += fmt::format("{}{}", list.empty() ? "" : ", ", in_quotes(subject));
  return fmt::format("{{allow: [{}]}}", list);
}

std::string user_line(const NatsUser& user) {
  std::string permissions;
  if (!user.publish.empty() || !user.subscribe.empty()) {
    permissions = fmt::format(", permissions: {{publish: {}, subscribe: {}}}", permission(user.publish), permission(user.subscribe));
  }
  return fmt::format("    {{user: {}, password: {}{}}}\n", in_quotes(user.name), in_quotes(user.password), permissions);
}

std::string authorization(const std::vector<NatsUser>& users) {
  if (users.empty()) return {};
  std::string lines;
  for (const auto& user : users) lines += user_line(user);
  return fmt::format("authorization {{\n  users: [\n{}  ]\n}}\n", lines);
}

std::string tls_block(const NatsServerTls& tls) {
  const auto clients = tls.client_ca_file.empty() ? "" : fmt::format("  ca_file: {}\n  verify: true\n", in_quotes(tls.client_ca_file));
  return fmt::format("tls {{\n  cert_file: {}\n  key_file: {}\n  timeout: 10\n{}}}\n", in_quotes(tls.cert_file), in_quotes(tls.key_file), clients);
}

}  // namespace

NatsServer::NatsServer(NatsServerOptions options) : options_(std::move(options)), port_(options_.port) {
  if (!process::find_program("nats-server")) {
    throw std::runtime_error("no nats-server here: install the Debian package nats-server, or name a running one with --nats");
  }
  std::filesystem::create_directories(options_.folder);
  launch(PortTaken::fails);
}

std::string NatsServer::url() const { return fmt::format("{}://127.0.0.1:{}", options_.tls ? "tls" : "nats", port_); }

// With port -1 the server chooses a free one by itself, which nobody can take in between, and tells it in a file.
void NatsServer::write_configuration() const {
  const auto text = fmt::format("listen: \"127.0.0.1:{}\"\nports_file_dir: {}\nmax_payload: {}\nmax_pending: 268435456\nwrite_deadline: \"60s\"\n{}{}",
                                port_ == 0 ? -1 : int{port_}, in_quotes(options_.folder.string()), options_.max_payload,
                                options_.tls ? tls_block(*options_.tls) : "", authorization(options_.users));
  const auto path = options_.folder / kConfiguration;
  // A new file, closed to others before anything is in it.
  std::filesystem::remove(path);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) ::close(file);
  if (!written) throw std::runtime_error(fmt::format("cannot write {}", path.string()));
}

void NatsServer::launch(PortTaken port_taken) {
  const auto log = options_.folder / kLog;
  const auto deadline = Clock::now() + kStartTimeout;
  for (;;) {
    write_configuration();
    forget_announced_ports();
    std::error_code no_log_yet;
    const auto size = std::filesystem::file_size(log, no_log_yet);
    const auto begin = no_log_yet ? 0 : size;
    child_.emplace(process::ChildProcess::Options{{"nats-server", "-c", (options_.folder / kConfiguration).string()}, {}, log.string(), true});
    if (came_up(deadline)) return;
    kill();
    const auto said = log_since(begin);
    const bool taken = said.find("address already in use") != std::string::npos;
    if (taken && port_taken == PortTaken::fails) {
      throw std::runtime_error(fmt::format("port {} of 127.0.0.1 is in use already: choose another, or none", port_));
    }
    if (!taken || Clock::now() > deadline) {
      throw std::runtime_error(fmt::format("nats-server did not start; its log, {}, says:\n{}", log.string(), said));
    }
    std::this_thread::sleep_for(kPortPause);
  }
}

// False if it has ended, or the time is over.
bool NatsServer::came_up(Clock::time_point deadline) {
  for (;;) {
    if (const auto port = announced_port()) {
      port_ = *port;
      return true;
    }
    if (!running() || Clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
}

// nats-server writes {"nats":["nats://127.0.0.1:PORT"]} once it listens.
std::optional<std::uint16_t> NatsServer::announced_port() const {
  std::ifstream in(options_.folder / fmt::format("nats-server_{}.ports", pid()));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto end = text.find("\"]");
  if (end == std::string::npos) return std::nullopt;
  const auto colon = text.rfind(':', end);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data() + colon + 1, text.data() + end, port);
  return parsed.ec == std::errc() ? std::optional(port) : std::nullopt;
}

// A server that was killed leaves its file, and a process id may come again.
void NatsServer::forget_announced_ports() const {
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder)) {
    if (entry.path().extension() == ".ports") std::filesystem::remove(entry.path());
  }
}

std::string NatsServer::log_since(std::uintmax_t begin) const {
  std::ifstream in(options_.folder / kLog);
  in.seekg(static_cast<std::streamoff>(begin));
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void NatsServer::kill() {
  if (!child_) return;
  child_->signal(SIGKILL);
  while (!child_->poll()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  child_.reset();
}

void NatsServer::stop() {
  if (child_) child_->stop(std::chrono::seconds(2));
  child_.reset();
}

void NatsServer::start() {
  if (!running()) launch(PortTaken::is_tried_again);
}

}  // namespace covey::bus

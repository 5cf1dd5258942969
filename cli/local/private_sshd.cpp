#include "cli/local/private_sshd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace covey::local {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kStartTimeout = std::chrono::seconds(10), kKeyTimeout = std::chrono::seconds(30);
constexpr auto kSessionGrace = std::chrono::seconds(1);
constexpr auto kPoll = std::chrono::milliseconds(5);
constexpr int kPortAttempts = 10;
constexpr const char* kUnprivileged = "daemon";

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) ::close(file);
  if (!written) throw std::runtime_error(fmt::format("cannot write {}", path.string()));
}

void make_key(const std::filesystem::path& path) {
  process::ChildProcess keygen({{require_program("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-C", "covey", "-f", path.string()},
                                {},
                                "/dev/null",
                                true});
  const auto deadline = Clock::now() + kKeyTimeout;
  while (!keygen.poll() && Clock::now() < deadline) std::this_thread::sleep_for(kPoll);
  if (keygen.poll() != 0) throw std::runtime_error(fmt::format("ssh-keygen could not make {}", path.string()));
}

// Key type and key, without the comment.
std::string public_key(const std::filesystem::path& path) {
  const auto text = text_of(path.string() + ".pub");
  return text.substr(0, text.rfind(' '));
}

std::string own_user() {
  if (::getuid() == 0) return kUnprivileged;
  const passwd* entry = ::getpwuid(::getuid());
  if (entry == nullptr) throw std::runtime_error(fmt::format("user {} has no name, which a private sshd needs: use --ssh user@host", ::getuid()));
  return entry->pw_name;
}

}  // namespace

std::string require_program(const std::string& program, const std::string& package, const std::string& otherwise) {
  if (auto path = process::find_program(program)) return *path;
  throw std::runtime_error(fmt::format("no {} here: install the Debian package {}{}", program, package, otherwise));
}

std::uint16_t free_port() {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}

PrivateSshd::PrivateSshd(const std::filesystem::path& folder, const std::string& forwards_to) : folder_(folder), user_(own_user()) {
  require_program("sshd", "openssh-server", ", or name an SSH server with --ssh user@host");
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  write_files(forwards_to);
  give_to_user();
  launch();
}

PrivateSshd::~PrivateSshd() {
  await_sessions_end();
  child_.reset();
}

void PrivateSshd::write_files(const std::string& forwards_to) {
  make_key(server_folder_.path() / "host_key");
  make_key(file("user_key"));
  write_text(server_folder_.path() / "authorized_keys", public_key(file("user_key")) + "\n");
  write_text(server_folder_.path() / "sshd_config", fmt::format("ListenAddress 127.0.0.1\n"
                                                         "HostKey {0}/host_key\n"
                                                         "AuthorizedKeysFile {0}/authorized_keys\n"
                                                         "AllowUsers {1}\n"
                                                         "AuthenticationMethods publickey\n"
                                                         "PermitOpen {2}\n"
                                                         "AllowTcpForwarding local\n"
                                                         "AllowStreamLocalForwarding no\n"
                                                         "AllowAgentForwarding no\n"
                                                         "PermitTunnel no\n"
                                                         "PermitTTY no\n"
                                                         "PermitUserRC no\n"
                                                         "X11Forwarding no\n"
                                                         "MaxSessions 0\n"
                                                         "LoginGraceTime 10\n"
                                                         // The folder for temporary files is everybody's to write in.
                                                         "StrictModes no\n"
                                                         "UsePAM no\n"
                                                         "UseDNS no\n"
                                                         "PidFile none\n",
                                                         server_folder_.path().string(), user_, forwards_to));
}

// The folder last: until then nobody else can get between us and its files.
void PrivateSshd::give_to_user() const {
  if (::getuid() != 0) return;
  const passwd* entry = ::getpwnam(user_.c_str());
  if (entry == nullptr) throw std::runtime_error(fmt::format("no user {} here, as whom root's private sshd runs: use --ssh user@host", user_));
  bool given = true;
  for (const auto* name : {"host_key", "authorized_keys", "sshd_config", ""}) {
    given = ::chown((server_folder_.path() / name).c_str(), entry->pw_uid, entry->pw_gid) == 0 && given;
  }
  if (!given) throw std::runtime_error(fmt::format("cannot give {} to the user {}", server_folder_.path().string(), user_));
}

void PrivateSshd::launch() {
  const auto sshd = require_program("sshd", "openssh-server");
  const auto log = file("sshd.log");
  for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
    std::filesystem::remove(log);
    port_ = free_port();
    std::vector<std::string> argv;
    // A change of user clears the order to die with us: setpriv gives it again.
    if (::getuid() == 0) argv = {"setpriv", "--reuid", user_, "--regid", user_, "--clear-groups", "--pdeathsig", "KILL", "--"};
    argv.insert(argv.end(), {sshd, "-D", "-e", "-f", (server_folder_.path() / "sshd_config").string(), "-p", std::to_string(port_)});
    child_ = std::make_unique<process::ChildProcess>(process::ChildProcess::Options{std::move(argv), {}, log.string(), true});
    if (listens_on(port_)) {
      write_text(file("known_hosts"), fmt::format("[127.0.0.1]:{} {}\n", port_, public_key(server_folder_.path() / "host_key")));
      return;
    }
    if (text_of(log).find("Address already in use") == std::string::npos) break;
  }
  throw std::runtime_error(fmt::format("the private sshd does not start: {}", text_of(log)));
}

bool PrivateSshd::listens_on(std::uint16_t port) {
  const auto wanted = fmt::format("listening on 127.0.0.1 port {}", port);
  const auto deadline = Clock::now() + kStartTimeout;
  while (text_of(file("sshd.log")).find(wanted) == std::string::npos) {
    if (child_->poll() || Clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

// The process of a connection ends with it; the server has to be there still to collect it.
void PrivateSshd::await_sessions_end() const {
  const auto children = fmt::format("/proc/{0}/task/{0}/children", child_->pid());
  const auto deadline = Clock::now() + kSessionGrace;
  while (!text_of(children).empty() && Clock::now() < deadline) std::this_thread::sleep_for(kPoll);
}

std::vector<std::string> PrivateSshd::client_options() const {
  const auto option = [](const std::string& name, const std::string& value) { return name + "=" + value; };
  return {"-F", "none",
          "-p", std::to_string(port_),
          "-i", file("user_key").string(),
          "-o", "IdentitiesOnly=yes",
          "-o", "IdentityAgent=none",
          "-o", "StrictHostKeyChecking=yes",
          "-o", option("UserKnownHostsFile", file("known_hosts").string()),
          "-o", "GlobalKnownHostsFile=/dev/null"};
}

}  // namespace covey::local

#include "cli/local/ssh_tunnel.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "common/bus/nats_options.hpp"
#include "common/bus/server_info.hpp"

namespace covey::local {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kStartTimeout = std::chrono::seconds(20), kAnswerTimeout = std::chrono::seconds(2);
constexpr auto kPoll = std::chrono::milliseconds(10);
constexpr int kPortAttempts = 10;

// host:port, an IPv6 address in brackets, as ssh and sshd write it.
std::string joined(const bus::Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

}  // namespace

SshTunnel::SshTunnel(const std::filesystem::path& folder, const ConnectInfo& far, const std::string& destination) : destination_(destination), near_(far) {
  require_program("ssh", "openssh-client");
  std::filesystem::create_directories(folder);
  log_ = folder / "ssh.log";
  if (destination_.starts_with('-')) throw std::runtime_error(fmt::format("'{}' is no SSH server: user@host is", destination_));
  if (destination_.empty()) {
    sshd_ = std::make_unique<PrivateSshd>(folder / "private", joined(bus::address_of(far.nats_url)));
    destination_ = sshd_->destination();
  }
  launch(far);
}

void SshTunnel::launch(const ConnectInfo& far) {
  const auto address = bus::address_of(far.nats_url);
  // The certificate is for the name by which the far side knows the server.
  if (far.uses_tls() && near_.server_name.empty()) near_.server_name = address.host;
  for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
    std::filesystem::remove(log_);
    const auto port = free_port();
    near_.nats_url = fmt::format("{}://127.0.0.1:{}", far.uses_tls() ? "tls" : "nats", port);
    std::vector<std::string> argv{"ssh", "-N", "-T", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none"};
    if (sshd_) {
      const auto options = sshd_->client_options();
      argv.insert(argv.end(), options.begin(), options.end());
    }
    argv.insert(argv.end(), {"-L", fmt::format("127.0.0.1:{}:{}", port, joined(address)), "--", destination_});
    ssh_ = std::make_unique<process::ChildProcess>(process::ChildProcess::Options{std::move(argv), {}, log_.string(), true});
    if (answers()) return;
    if (log_text().find("Address already in use") == std::string::npos) break;
  }
  const auto status = ssh_->poll();
  ssh_.reset();
  if (!status) throw std::runtime_error(fmt::format("no NATS server answers at {} as seen from {}\n{}", joined(address), destination_, log_text()));
  throw std::runtime_error(fmt::format("ssh to {} ended with status {}: {}", destination_, *status, log_text()));
}

// True once NATS greets us through the tunnel; false if ssh has ended, the far side has no such server, or the time is over.
bool SshTunnel::answers() {
  const auto deadline = Clock::now() + kStartTimeout;
  while (!ssh_->poll() && Clock::now() < deadline) {
    if (bus::read_server_info(near_.nats_url, kAnswerTimeout)) return true;
    if (log_text().find("open failed") != std::string::npos) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return false;
}

std::string SshTunnel::log_text() const {
  std::ifstream in(log_);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace covey::local

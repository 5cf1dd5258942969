// A port of 127.0.0.1 that leads through OpenSSH to a NATS server: `ssh -N -L`. Ends with this object, or when we do.
// Blocks; not for several threads at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "cli/local/connect_file.hpp"
#include "cli/local/private_sshd.hpp"
#include "common/process/child_process.hpp"

namespace covey::local {

class SshTunnel {
 public:
  // To the NATS server of `far`, whose address is as `destination` sees it: user@host or ssh://user@host:port, reached with
  // the caller's own SSH configuration, keys and agent. Where it is empty, a private sshd on loopback stands in. `folder` is
  // for keys and logs. Returns when NATS answers through the tunnel. Throws std::runtime_error that says what to do.
  SshTunnel(const std::filesystem::path& folder, const ConnectInfo& far, const std::string& destination);

  // The same cluster, through the tunnel.
  const ConnectInfo& near() const { return near_; }

 private:
  void launch(const ConnectInfo& far);
  bool answers();
  std::string log_text() const;

  std::filesystem::path log_;
  std::string destination_;
  std::unique_ptr<PrivateSshd> sshd_;
  ConnectInfo near_;
  std::unique_ptr<process::ChildProcess> ssh_;  // ends before the sshd
};

}  // namespace covey::local

// An OpenSSH server of our own on loopback, for one run: its own host key, its own user key, its own configuration, a high
// port. Connections are to end before it. It lets whoever holds that key forward to one address, and nothing else: no shell, no command. Run by root it is
// given up to the user daemon, so that it needs no folder of the system's. Blocks; not for several threads at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/local/own_folder.hpp"
#include "common/process/child_process.hpp"

namespace covey::local {

class PrivateSshd {
 public:
  // `folder`, which is emptied, gets what the client needs, and the log; `forwards_to` is host:port. Returns when the server
  // listens. Throws std::runtime_error that says what to do.
  PrivateSshd(const std::filesystem::path& folder, const std::string& forwards_to);
  ~PrivateSshd();

  // user@127.0.0.1.
  std::string destination() const { return user_ + "@127.0.0.1"; }
  // With which ssh finds it, proves who we are, and accepts no other server.
  std::vector<std::string> client_options() const;

 private:
  std::filesystem::path file(const char* name) const { return folder_ / name; }
  void write_files(const std::string& forwards_to);
  void give_to_user() const;
  void launch();
  bool listens_on(std::uint16_t port);
  void await_sessions_end() const;

  std::filesystem::path folder_;         // ours
  OwnFolder server_folder_{"covey-sshd-"};  // what sshd reads, in the folder for temporary files
  std::string user_;
  std::uint16_t port_ = 0;
  std::unique_ptr<process::ChildProcess> child_;
};

// A port of 127.0.0.1 that was free just now. Somebody else may take it before it is used.
std::uint16_t free_port();

// Throws std::runtime_error that names the Debian package where a program is missing; otherwise returns its path.
std::string require_program(const std::string& program, const std::string& package, const std::string& otherwise = {});

}  // namespace covey::local

// The file that tells a process how to reach a cluster: JSON, mode 0600, because it holds a password.
#pragma once

#include <filesystem>
#include <string>

#include "common/bus/connection.hpp"
#include "common/wire/greeting.hpp"

namespace covey::local {

struct ConnectInfo {
  std::string nats_url, user, password;
  std::string cluster = "default";
  std::string ca_file;      // of the server's certificate
  std::string server_name;  // that the certificate must bear; empty: the host of nats_url
  std::string controller;   // for people

  // Without a ca_file TLS goes by the system's authorities.
  bool uses_tls() const { return !ca_file.empty() || nats_url.starts_with("tls://"); }
  bus::ConnectOptions options(const std::string& name) const;
};

// client.json, engine.json, controller.json: the roles differ in what NATS lets them do.
std::string file_name(wire::Role role);

// Where `covey up` leaves them, and where the commands look: $COVEY_HOME, or a folder of the user's own in
// $XDG_RUNTIME_DIR or /tmp, made with mode 0700.
std::filesystem::path home_folder();

void write_connect_file(const std::filesystem::path& file, const ConnectInfo& info);
// Throws std::runtime_error that names the file and what is wrong with it.
ConnectInfo read_connect_file(const std::filesystem::path& file);

// The role's file of the home folder, of a cluster that `covey up` runs. Throws as read_connect_file does.
ConnectInfo read_home_file(wire::Role role);

}  // namespace covey::local

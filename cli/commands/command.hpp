// What the commands share: where the cluster is, how to print, and the exit statuses.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/local/connect_file.hpp"
#include "client/client.hpp"

namespace covey::cli {

inline constexpr int kOk = 0, kTasksFailed = 1, kBadUsage = 2, kUnreachable = 4, kInterrupted = 130;

// Options that say where the cluster is. Precedence: the command line, then the environment, then the YAML file of
// --config, then what `covey up` left in the home folder.
struct Where {
  std::string connect_file;  // --connect, COVEY_CONNECT
  std::string nats_url, user, password, cluster, ca_file;
  bool insecure = false;

  void add_to(CLI::App& command);
  // `role`: whose file of the home folder is read where nothing else says where the cluster is. Throws std::runtime_error
  // that says what is missing.
  local::ConnectInfo resolve(wire::Role role = wire::Role::client) const;
};

// Connects as a client and waits until a controller has welcomed it; where none does, prints an error and throws
// CLI::RuntimeError.
std::unique_ptr<client::Client> connect_client(const Where& where);

// Each adds its commands to the application; a command's callback throws CLI::RuntimeError with its exit status.
void add_part_commands(CLI::App& app);   // controller, engine
void add_run_command(CLI::App& app);     // run
void add_up_commands(CLI::App& app);     // up, down
void add_task_commands(CLI::App& app);   // submit, map, results, cancel, explain
void add_status_command(CLI::App& app);  // status
void add_bench_commands(CLI::App& app);  // bench
void add_operator_command(CLI::App& app);  // operator

}  // namespace covey::cli

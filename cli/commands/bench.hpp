// What the files of `covey bench` share: its options, and the stage on which the experiments run.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/experiments.hpp"
#include "cli/commands/command.hpp"
#include "cli/local/local_cluster.hpp"
#include "cli/local/own_folder.hpp"
#include "cli/local/ssh_tunnel.hpp"

namespace covey::cli {

using Names = std::vector<std::string>;

struct BenchOptions {
  Where where;
  // Empty lists: what the experiment takes by itself.
  std::vector<std::size_t> engines, counts, sizes;
  std::vector<double> dts_ms;
  Names schemes, transports;
  double ideal_s = 0;  // 0: as for the lists
  std::string ssh;  // user@host for the transport ssh; empty: a private sshd
  std::string json_file, report_folder;
  bool quick = false, full = false, no_limits = false, rows_as_they_come = false;
  boost::json::array rows;
  std::FILE* lines = stdout;  // where the rows are printed

  bool own_cluster() const { return where.connect_file.empty() && where.nats_url.empty(); }
};

// Where the experiments run: clusters of the bench's own, one at a time and gone with this object, or the named one.
class Stage {
 public:
  explicit Stage(const BenchOptions& options);
  ~Stage();

  // Throws std::runtime_error where it cannot be had.
  bench::Target target(std::size_t engines, const std::string& scheme, const std::string& transport, const Names& engine_arguments = {});
  // Of the target that was asked for last: the file with which another process connects as an engine.
  std::string engine_file() const;
  // The transport of the named cluster, unless it is reached through SSH; plain for one of our own.
  std::string usual_transport() const;
  // How many engines the named cluster has.
  std::size_t named_engines();

 private:
  void start(std::size_t engines, bool tls, const Names& engine_arguments);
  const local::ConnectInfo& through_ssh(const local::ConnectInfo& far);

  const BenchOptions& options_;
  local::OwnFolder folder_;
  std::unique_ptr<local::LocalCluster> cluster_;
  std::unique_ptr<local::SshTunnel> tunnel_;  // to cluster_, or to the named cluster
  std::size_t named_engines_ = 0;             // 0: not asked yet
  bool tls_ = false;
  Names engine_arguments_;
};

// Runs latency, throughput, map, exec or all, and then writes the results. Throws std::runtime_error where it cannot.
void run_benchmark(BenchOptions& options, const std::string& experiment);

// Prints the rows, and writes results.json where that was asked for.
void write_results(const BenchOptions& options);

}  // namespace covey::cli

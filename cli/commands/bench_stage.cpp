// The clusters that the benches run on, and the transports to them.
#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

#include "cli/commands/bench.hpp"
#include "common/bus/certificates.hpp"

namespace covey::cli {

Stage::Stage(const BenchOptions& options)
    : options_(options), folder_(std::filesystem::temp_directory_path() / fmt::format("covey-bench-{}", ::getpid())) {}

Stage::~Stage() {
  cluster_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bench::Target Stage::target(std::size_t engines, const std::string& scheme, const std::string& transport, const Names& engine_arguments) {
  if (!options_.own_cluster()) return named_target(engines, scheme, transport);
  const bool tls = transport == "tls";
  if (!cluster_ || engine_arguments_ != engine_arguments || tls_ != tls || cluster_->engines() != engines) {
    start(engines, tls, engine_arguments);
  }
  return {cluster_->client(), engines, scheme, transport};
}

void Stage::start(std::size_t engines, bool tls, const Names& engine_arguments) {
  cluster_.reset();
  engine_arguments_ = engine_arguments;
  tls_ = tls;
  local::LocalCluster::Options options;
  options.folder = folder_;
  options.executable = local::own_executable();
  options.engines = engines;
  options.engine_arguments = engine_arguments;
  if (tls) {
    const auto certificates = bus::make_certificates(folder_ / "tls", {"127.0.0.1", "localhost"});
    options.tls_ca = certificates.authority;
    options.tls_cert = certificates.server_cert;
    options.tls_key = certificates.server_key;
  }
  cluster_ = std::make_unique<local::LocalCluster>(options);
}

std::string Stage::engine_file() const { return (folder_ / "engine.json").string(); }

std::string Stage::usual_transport() const {
  return !options_.own_cluster() && options_.where.resolve().uses_tls() ? "tls" : "plain";
}

bench::Target Stage::named_target(std::size_t engines, const std::string& scheme, const std::string& transport) {
  const auto info = options_.where.resolve();
  if (transport != usual_transport()) {
    throw std::runtime_error(fmt::format("--transport {}: the connection to {} is {}; {}", transport, info.nats_url, usual_transport(),
                                         info.uses_tls() ? "leave --transport out" : "--tls-ca FILE makes it TLS"));
  }
  return {info, engines, scheme, transport};
}

}  // namespace covey::cli

// The clusters that the benches run on, and the transports to them.
#include <stdexcept>

#include "cli/commands/bench.hpp"
#include "common/bus/certificates.hpp"

namespace covey::cli {

Stage::Stage(const BenchOptions& options) : options_(options), folder_("covey-bench-") {}

Stage::~Stage() {
  tunnel_.reset();
  cluster_.reset();
}

bench::Target Stage::target(std::size_t engines, const std::string& scheme, const std::string& transport, const Names& engine_arguments) {
  const bool tls = transport == "tls";
  const bool fits = cluster_ && engine_arguments_ == engine_arguments && tls_ == tls && cluster_->engines() == engines;
  if (options_.own_cluster() && !fits) start(engines, tls, engine_arguments);
  const auto info = options_.own_cluster() ? cluster_->client() : options_.where.resolve();
  return {transport == "ssh" ? through_ssh(info) : info, engines, scheme, transport};
}

void Stage::start(std::size_t engines, bool tls, const Names& engine_arguments) {
  tunnel_.reset();
  cluster_.reset();
  engine_arguments_ = engine_arguments;
  tls_ = tls;
  local::LocalCluster::Options options;
  options.folder = folder_.path();
  options.engines = engines;
  options.engine_arguments = engine_arguments;
  if (tls) {
    const auto certificates = bus::make_certificates(folder_.path() / "tls", {"127.0.0.1", "localhost"});
    options.tls_ca = certificates.authority;
    options.tls_cert = certificates.server_cert;
    options.tls_key = certificates.server_key;
  }
  cluster_ = std::make_unique<local::LocalCluster>(options);
}

const local::ConnectInfo& Stage::through_ssh(const local::ConnectInfo& far) {
  if (!tunnel_) tunnel_ = std::make_unique<local::SshTunnel>(folder_.path() / "ssh", far, options_.ssh);
  return tunnel_->near();
}

std::string Stage::engine_file() const { return (folder_.path() / "engine.json").string(); }

std::string Stage::usual_transport() const {
  return !options_.own_cluster() && options_.where.resolve().uses_tls() ? "tls" : "plain";
}

std::size_t Stage::named_engines() {
  if (named_engines_ != 0) return named_engines_;
  const auto transport = options_.transports.empty() ? usual_transport() : options_.transports.front();
  named_engines_ = bench::live_engines(target(0, "controller", transport));
  if (named_engines_ == 0) throw std::runtime_error("the cluster has no engines: `covey engine` starts one");
  return named_engines_;
}

}  // namespace covey::cli

// The process `covey operator`: caches, election, workers, health. One loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "operator/app/health_server.hpp"
#include "operator/app/jobs.hpp"
#include "operator/app/leadership.hpp"
#include "operator/app/reconciler.hpp"
#include "operator/app/workers.hpp"
#include "operator/reconcile/claims.hpp"

namespace covey::operating {

struct NodeOptions {
  kube::Config config;
  std::string ns;               // to look after; empty: all
  std::string lease_ns;         // where the Lease is
  std::string lease_name = "covey-operator";
  std::string identity;         // of this process alone
  std::string pod_ns, pod_name;  // of the Pod that this runs in; empty outside
  std::string image;            // where specs name none; empty: this Pod's own
  std::string http_host = "0.0.0.0";
  std::uint16_t http_port = 8080;
  int workers = 8;
};

class OperatorNode {
 public:
  OperatorNode(boost::asio::io_context& io, NodeOptions options);

  // Empty, or what is wrong.
  std::string start();
  // In good order: passes under way end, and the Lease is released. The loop stops then.
  void stop();
  int status() const { return status_; }

 private:
  using Clock = std::chrono::steady_clock;
  static boost::asio::awaitable<void> begin(OperatorNode* self);
  static boost::asio::awaitable<void> leave(OperatorNode* self);
  boost::asio::awaitable<void> find_own_image();
  void prepare_jobs();
  void follow_all();
  void follow_leases();
  void tell_of_rival();
  void on_won();
  void on_lost();
  void pump();
  bool synced() const { return store_.synced() && (!leases_ || leases_->synced()); }
  HealthPage answer(std::string_view path);
  void measure();

  boost::asio::io_context& io_;
  NodeOptions options_;
  std::shared_ptr<const kube::Config> config_;
  Metrics metrics_;
  Leadership leadership_;
  kube::Client client_;
  reconcile::Claims claims_;
  std::shared_ptr<kube::ListWatch> leases_;  // of all namespaces; null where one alone is looked after
  Store store_;
  ControllerClients controllers_;
  std::optional<Reconciler> reconciler_;
  Workers workers_;
  std::optional<Jobs> jobs_;
  std::shared_ptr<HealthServer> health_;
  std::string rival_;  // the namespace of the operator that everything is left to
  bool leading_ = false, stopping_ = false;
  int status_ = 0;
};

// Until a signal, or until it leads no more. The exit status.
int run_operator(NodeOptions options);

}  // namespace covey::operating

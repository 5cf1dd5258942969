// Asks runners how far they are, each at its Pod's address, beside the passes: one that cannot be reached holds up nobody, and its job merely shows no
// progress until it ends. One loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "operator/kube/transport.hpp"
#include "operator/reconcile/job_observed.hpp"

namespace covey::operating {

class RunnerProgress {
 public:
  explicit RunnerProgress(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // What the runner told last; nullopt where it has told nothing yet.
  std::optional<reconcile::JobProgress> told(const std::string& job, const std::string& pod_uid) const;
  // Begins to ask, unless that is under way.
  void ask(const std::string& job, const std::string& pod_uid, const std::string& address);
  void forget(const std::string& job) { known_.erase(job); }

 private:
  struct Runner {
    std::string pod_uid;
    std::unique_ptr<kube::Transport> transport;
    std::optional<reconcile::JobProgress> told;
    bool asking = false;
  };
  static boost::asio::awaitable<void> fetch(std::shared_ptr<Runner> runner);

  boost::asio::any_io_executor executor_;
  std::map<std::string, std::shared_ptr<Runner>> known_;
};

}  // namespace covey::operating

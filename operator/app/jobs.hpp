// All ParallelJobs: follows them, and lets workers pass over those about which something has changed. Beside the clusters, whose passes it does not
// hold up. One loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "operator/app/job_pass.hpp"
#include "operator/app/workers.hpp"

namespace covey::operating {

class Jobs {
 public:
  struct Surroundings {
    std::function<bool()> caches_complete;
    std::function<bool(const std::string& ns)> left_to_others;  // a namespace with an operator of its own
  };
  Jobs(boost::asio::io_context& io, kube::Client& client, Store& store, Metrics& metrics, Surroundings surroundings, Reconciler::Options options);

  // Of one namespace, or of all.
  void follow(const std::string& ns);
  // From now on this process leads.
  void lead();
  void stop() { workers_.stop(); }
  int under_way() const { return workers_.under_way(); }
  std::size_t depth() const { return workers_.depth(); }
  std::size_t count() const { return watch_->objects().size(); }
  const kube::ListWatch& watch() const { return *watch_; }

  // Something in the caches has changed: a Pod of a job, or a cluster that jobs may wait for.
  void saw(const kube::ResourceType& type, const kube::ListWatch::Change& change);
  // To be called when the caches have become complete.
  void pump() { workers_.pump(); }

 private:
  void take_changes();
  Workers::Interest interest(const std::string& key) const;
  std::set<std::string> held_pods(const std::string& key) const;

  boost::asio::io_context& io_;
  kube::Client& client_;
  JobReconciler reconciler_;
  std::shared_ptr<kube::ListWatch> watch_ = std::make_shared<kube::ListWatch>();
  Workers workers_;
  std::map<std::string, std::set<std::string>> held_;  // job → keys of Pods
};

}  // namespace covey::operating

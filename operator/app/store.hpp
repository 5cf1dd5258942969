// The caches of everything that the operator made or is asked for, and what it has just written and the caches have not seen yet. It tells which
// cluster a change is about. One loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "operator/kube/client.hpp"

namespace covey::operating {

class Store {
 public:
  using Object = boost::json::value;
  // Called with the key (namespace/name) of the ParallelCluster that something has changed about.
  explicit Store(std::function<void(const std::string&)> on_change);

  struct Collection {
    const kube::ResourceType* type;
    std::shared_ptr<kube::ListWatch> watch;
    bool labelled;  // by resources::kEverything; ParallelClusters are not
  };
  const std::vector<Collection>& collections() const { return collections_; }
  // Is told every change of every collection, when the cache has it.
  void tell(std::function<void(const kube::ResourceType&, const kube::ListWatch::Change&)> listener) { listener_ = std::move(listener); }
  // To be called when a collection has changed, from its follower.
  void take_changes(const Collection& collection);
  bool synced() const;

  const Object* find(const kube::ResourceType& type, const std::string& key) const;
  const std::map<std::string, Object>& all(const kube::ResourceType& type) const;
  // Keys of those that there are, and of those that have gone and left Pods.
  std::set<std::string> clusters() const;
  // The cluster's Pods, with what was just written.
  std::vector<const Object*> pods(const std::string& cluster) const;
  std::vector<const Object*> children(const kube::ResourceType& type, const std::string& cluster) const;

  // A Pod as the API server answered to a creation or a change of ours: counts until the cache is as new.
  void wrote_pod(Object pod);
  // Such Pods that the cache has not seen for `longer`, to be looked up live.
  std::vector<std::string> unseen_pods(const std::string& cluster, std::chrono::steady_clock::duration longer) const;
  void forget_pod(const std::string& key) { written_.erase(key); }
  // It is on its way out, whatever the cache says.
  void removed_pod(const std::string& key, const std::string& uid);
  bool was_removed(const std::string& uid) const { return removed_.contains(uid); }

 private:
  struct Written {
    Object pod;
    std::chrono::steady_clock::time_point at;
  };
  const Collection& collection(const kube::ResourceType& type) const;
  void see_pod(const kube::ListWatch::Change& change);

  std::function<void(const std::string&)> on_change_;
  std::function<void(const kube::ResourceType&, const kube::ListWatch::Change&)> listener_;
  std::vector<Collection> collections_;
  std::map<std::string, std::set<std::string>> pods_of_;  // cluster → keys
  std::map<std::string, Written> written_;                // by key
  std::set<std::string> removed_;                         // uids
};

// "namespace/cluster", by the label; empty where there is none.
std::string cluster_of(const boost::json::value& object);

}  // namespace covey::operating

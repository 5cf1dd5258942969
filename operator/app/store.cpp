#include "operator/app/store.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <stdexcept>

#include "operator/kube/json.hpp"
#include "operator/resources/names.hpp"

namespace covey::operating {

namespace types = kube::types;

namespace {

// Since Kubernetes 1.35 versions may be compared, and before they were numbers all the same.
bool as_new(const boost::json::value& seen, const boost::json::value& written) {
  const auto number = [](std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  return number(kube::version_of(seen)) >= number(kube::version_of(written));
}

}  // namespace

std::string cluster_of(const boost::json::value& object) {
  const auto name = kube::member_text(kube::object_at(object, "metadata.labels"), resources::kClusterLabel);
  return name.empty() ? std::string() : fmt::format("{}/{}", kube::namespace_of(object), name);
}

Store::Store(std::function<void(const std::string&)> on_change) : on_change_(std::move(on_change)) {
  const kube::ResourceType* labelled[] = {&types::kPods,        &types::kServices,        &types::kServiceAccounts,   &types::kStatefulSets,
                                          &types::kDeployments, &types::kNetworkPolicies, &types::kDisruptionBudgets, &types::kIngresses};
  collections_.push_back({&types::kParallelClusters, std::make_shared<kube::ListWatch>(), false});
  for (const auto* type : labelled) collections_.push_back({type, std::make_shared<kube::ListWatch>(), true});
}

const Store::Collection& Store::collection(const kube::ResourceType& type) const {
  for (const auto& each : collections_) {
    if (each.type->plural == type.plural) return each;
  }
  throw std::logic_error("no cache of " + std::string(type.plural));
}

bool Store::synced() const {
  for (const auto& each : collections_) {
    if (!each.watch->synced()) return false;
  }
  return true;
}

void Store::take_changes(const Collection& of) {
  for (const auto& change : of.watch->take_changes()) {
    if (of.type->plural == types::kPods.plural) see_pod(change);
    if (listener_) listener_(*of.type, change);
    const auto cluster = of.labelled ? cluster_of(change.object) : change.key;
    if (!cluster.empty()) on_change_(cluster);
  }
}

void Store::see_pod(const kube::ListWatch::Change& change) {
  const bool gone = change.kind == kube::ListWatch::Change::Kind::remove;
  auto& keys = pods_of_[cluster_of(change.object)];
  if (gone) {
    keys.erase(change.key);
    removed_.erase(std::string(kube::uid_of(change.object)));
    if (keys.empty()) pods_of_.erase(cluster_of(change.object));
  } else {
    keys.insert(change.key);
  }
  const auto written = written_.find(change.key);
  if (written == written_.end()) return;
  const bool same = kube::uid_of(written->second.pod) == kube::uid_of(change.object);
  if ((same && gone) || as_new(change.object, written->second.pod)) written_.erase(written);
}

const std::map<std::string, Store::Object>& Store::all(const kube::ResourceType& type) const { return collection(type).watch->objects(); }

const Store::Object* Store::find(const kube::ResourceType& type, const std::string& key) const {
  const auto& objects = all(type);
  const auto found = objects.find(key);
  return found == objects.end() ? nullptr : &found->second;
}

std::set<std::string> Store::clusters() const {
  std::set<std::string> keys;
  for (const auto& [key, object] : all(types::kParallelClusters)) keys.insert(key);
  for (const auto& [key, pods] : pods_of_) {
    if (!key.empty()) keys.insert(key);
  }
  return keys;
}

// One that the cache has lost already will not be told of again.
void Store::removed_pod(const std::string& key, const std::string& uid) {
  const auto written = written_.find(key);
  const auto* cached = find(types::kPods, key);
  const bool known = (cached != nullptr && kube::uid_of(*cached) == uid) || (written != written_.end() && kube::uid_of(written->second.pod) == uid);
  if (known) removed_.insert(uid);
}

std::vector<const Store::Object*> Store::pods(const std::string& cluster) const {
  std::vector<const Object*> found;
  const auto& cached = all(types::kPods);
  if (const auto keys = pods_of_.find(cluster); keys != pods_of_.end()) {
    for (const auto& key : keys->second) {
      if (written_.contains(key)) continue;
      if (const auto pod = cached.find(key); pod != cached.end()) found.push_back(&pod->second);
    }
  }
  for (const auto& [key, written] : written_) {
    if (cluster_of(written.pod) == cluster) found.push_back(&written.pod);
  }
  return found;
}

std::vector<const Store::Object*> Store::children(const kube::ResourceType& type, const std::string& cluster) const {
  std::vector<const Object*> found;
  for (const auto& [key, object] : all(type)) {
    if (cluster_of(object) == cluster) found.push_back(&object);
  }
  return found;
}

void Store::wrote_pod(Object pod) {
  const auto key = kube::key_of(pod);
  const auto* cached = find(types::kPods, key);
  if (cached != nullptr && kube::uid_of(*cached) == kube::uid_of(pod) && as_new(*cached, pod)) return;
  written_[key] = {std::move(pod), std::chrono::steady_clock::now()};
}

std::vector<std::string> Store::unseen_pods(const std::string& cluster, std::chrono::steady_clock::duration longer) const {
  std::vector<std::string> keys;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [key, written] : written_) {
    if (now - written.at > longer && cluster_of(written.pod) == cluster) keys.push_back(key);
  }
  return keys;
}

}  // namespace covey::operating

#include "operator/app/jobs.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/resources/job_pod.hpp"

namespace covey::operating {

namespace asio = boost::asio;
namespace types = kube::types;

namespace {

constexpr int kAtOnce = 4;

// "namespace/job"; empty where the Pod is no job's.
std::string job_of(const boost::json::value& pod) {
  const auto name = kube::member_text(kube::object_at(pod, "metadata.labels"), resources::kJobLabel);
  return name.empty() ? std::string() : fmt::format("{}/{}", kube::namespace_of(pod), name);
}

// Without reading all of it, since every change of a cluster asks every job.
std::string cluster_of_job(const boost::json::value& object) {
  const std::string named(kube::text_at(object, "spec.clusterRef.name"));
  crd::ParallelJob own;
  own.name = std::string(kube::name_of(object));
  own.uid = std::string(kube::uid_of(object));
  return fmt::format("{}/{}", kube::namespace_of(object), named.empty() ? resources::job_stem(own) : named);
}

}  // namespace

Jobs::Jobs(asio::io_context& io, kube::Client& client, Store& store, Metrics& metrics, Surroundings surroundings, Reconciler::Options options)
    : io_(io),
      client_(client),
      reconciler_(io.get_executor(), client, store, std::move(options)),
      // Passes decide by the caches whether a cluster is there.
      workers_(io, metrics,
               {"job", kAtOnce, [this, complete = std::move(surroundings.caches_complete)] { return watch_->synced() && complete(); },
                std::move(surroundings.left_to_others), [this](const std::string& key) { return reconciler_.pass(key, held_pods(key)); },
                [this](const std::string& key) { return interest(key); }}) {}

void Jobs::follow(const std::string& ns) {
  asio::co_spawn(io_, client_.follow({types::kParallelJobs, ns, {}}, {}, watch_, [this] { take_changes(); }), rethrow);
}

void Jobs::lead() {
  workers_.lead();
  for (const auto& [key, object] : watch_->objects()) workers_.add(key);
  for (const auto& [key, pods] : held_) workers_.add(key);
}

void Jobs::take_changes() {
  for (const auto& change : watch_->take_changes()) workers_.add(change.key);
  pump();
}

void Jobs::saw(const kube::ResourceType& type, const kube::ListWatch::Change& change) {
  if (type.plural == types::kPods.plural) {
    const auto job = job_of(change.object);
    if (job.empty()) return;
    const bool held = change.kind == kube::ListWatch::Change::Kind::put && reconcile::read_job_pod(change.object).held;
    if (held) {
      held_[job].insert(change.key);
    } else if (const auto found = held_.find(job); found != held_.end()) {
      found->second.erase(change.key);
      if (found->second.empty()) held_.erase(found);
    }
    workers_.add(job);
  } else if (type.plural == types::kParallelClusters.plural) {
    for (const auto& [key, object] : watch_->objects()) {
      if (!reconcile::read_job_record(object).over() && cluster_of_job(object) == change.key) workers_.add(key);
    }
  }
}

std::set<std::string> Jobs::held_pods(const std::string& key) const {
  const auto found = held_.find(key);
  return found == held_.end() ? std::set<std::string>() : found->second;
}

Workers::Interest Jobs::interest(const std::string& key) const {
  const auto seen = watch_->objects().find(key);
  if (seen == watch_->objects().end()) return Workers::Interest::gone;
  return reconcile::read_job_record(seen->second).over() ? Workers::Interest::ended : Workers::Interest::lasting;
}

}  // namespace covey::operating

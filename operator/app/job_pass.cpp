#include "operator/app/job_pass.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/resources/job_pod.hpp"

namespace covey::operating {

namespace asio = boost::asio;
namespace json = boost::json;
namespace types = kube::types;
using kube::Errc;
using kube::Error;
using Failure = std::optional<Error>;
using std::chrono::milliseconds;

namespace {

constexpr auto kRefusedPause = std::chrono::seconds(30);
constexpr milliseconds kAtOnce{1};
constexpr int kReleaseAttempts = 5;

// False where it was not there.
bool take_finalizer(json::value& pod) {
  auto* finalizers = pod.at("metadata").as_object().if_contains("finalizers");
  if (finalizers == nullptr || !finalizers->is_array()) return false;
  auto& all = finalizers->get_array();
  const auto kept = std::remove(all.begin(), all.end(), json::value(resources::kJobFinalizer));
  const bool there = kept != all.end();
  all.erase(kept, all.end());
  return there;
}

}  // namespace

struct JobReconciler::Pass {
  std::string key;
  kube::Place place;
  State* state = nullptr;
  Object resource{};  // as it is
  crd::ParallelJob job{};
  std::optional<Object> pod{};  // as it is
  reconcile::JobCluster cluster{};
  reconcile::JobPlan plan{};
};

asio::awaitable<PassResult> JobReconciler::pass(std::string key, std::set<std::string> held) {
  const auto slash = key.find('/');
  Pass pass{key, {types::kParallelJobs, key.substr(0, slash), key.substr(slash + 1)}};
  const auto there = co_await look(&pass);
  if (!there) co_return PassResult{there.error(), milliseconds(0)};
  // Nothing is made under one that is being deleted: Kubernetes takes its parts away, once nothing holds them.
  auto error = co_await release_orphans(std::move(held), pass.job.uid);
  if (error) co_return PassResult{error, milliseconds(0)};
  if (!*there) {
    states_.erase(key);
    runners_.forget(key);
    co_return PassResult{};
  }
  error = co_await carry_out(&pass);
  if (error) co_return PassResult{error, milliseconds(0)};
  if (pass.plan.ask_progress) {
    runners_.ask(key, pass.plan.record.pod_uid, std::string(kube::text_at(*pass.pod, "status.podIP")));
  } else {
    runners_.forget(key);
  }
  co_return PassResult{std::nullopt, pass.plan.again_after};
}

// Reads, and decides. False: it has gone, or is about to.
asio::awaitable<kube::Result<bool>> JobReconciler::look(Pass* pass) {
  auto resource = co_await client_.get(pass->place);
  if (!resource && resource.error().code == Errc::not_found) co_return false;
  if (!resource) co_return resource.error();
  if (kube::being_deleted(*resource)) co_return false;
  pass->resource = std::move(*resource);
  pass->job = crd::parse_parallel_job(pass->resource);
  auto& state = states_[pass->key];
  if (state.uid != pass->job.uid) state = State{pass->job.uid, {}, {}};
  pass->state = &state;

  auto record = reconcile::read_job_record(pass->resource);
  std::optional<reconcile::JobPod> pod;
  if (record.attempt > 0) {
    const kube::Place place{types::kPods, pass->job.ns, resources::job_pod_name(pass->job, record.attempt)};
    auto found = co_await client_.get(place);
    if (!found && found.error().code != Errc::not_found) co_return found.error();
    if (found) {
      pod = reconcile::read_job_pod(*found);
      pass->pod = std::move(*found);
    }
  }
  pass->cluster = reconcile::read_job_cluster(store_.find(types::kParallelClusters, fmt::format("{}/{}", pass->job.ns, resources::job_cluster(pass->job))), pass->job);
  auto progress = pod ? runners_.told(pass->key, pod->pod.uid) : std::nullopt;
  const reconcile::JobScene scene{pass->job, std::move(record), std::move(pod), pass->cluster, std::move(progress), state.refused, std::chrono::system_clock::now()};
  pass->plan = reconcile::plan_job(scene);
  co_return true;
}

// In this order, whatever happens in between: the plan says why.
asio::awaitable<Failure> JobReconciler::carry_out(Pass* pass) {
  auto& plan = pass->plan;
  const auto& job = pass->job;
  if (auto error = co_await write_down(pass)) co_return error;
  const bool may_make = std::chrono::steady_clock::now() >= pass->state->make_nothing_before;
  if (plan.make_cluster && may_make) {
    Object cluster = resources::job_cluster_object(job);
    if (auto error = co_await make(pass, &types::kParallelClusters, std::move(cluster))) co_return error;
  }
  if (plan.make_pod && may_make) {
    if (auto error = co_await make_pod(pass)) co_return error;
  }
  if (plan.release_pod) {
    const std::string name(kube::name_of(*pass->pod)), uid(kube::uid_of(*pass->pod));
    if (auto error = co_await release(job.ns, name, uid)) co_return error;
  }
  if (plan.remove_pod) {
    const std::string name(kube::name_of(*pass->pod)), uid(kube::uid_of(*pass->pod));
    if (auto error = co_await remove(&types::kPods, job.ns, name, uid)) co_return error;
  }
  if (plan.remove_cluster) {
    const auto name = resources::job_cluster(job);
    if (auto error = co_await remove(&types::kParallelClusters, job.ns, name, pass->cluster.uid)) co_return error;
  }
  if (plan.remove_job) {
    if (auto error = co_await remove(&types::kParallelJobs, job.ns, job.name, job.uid)) co_return error;
  }
  co_return std::nullopt;
}

asio::awaitable<Failure> JobReconciler::write_down(Pass* pass) {
  const auto* before = kube::find_at(pass->resource, "status");
  auto status = reconcile::job_status(pass->job, pass->plan, before, std::chrono::system_clock::now());
  if (!reconcile::same_status(before, status)) {
    // With its uid: another of its name is another job.
    const auto written = co_await client_.apply_status(pass->place, std::move(status), pass->job.uid);
    if (!written) co_return written.error();
  }
  if (pass->plan.note) co_await note(pass);
  co_return std::nullopt;
}

asio::awaitable<void> JobReconciler::note(Pass* pass) {
  const auto& said = *pass->plan.note;
  kube::EventNote event{said.warning ? kube::EventNote::Kind::warning : kube::EventNote::Kind::normal, said.reason, said.action, said.text, options_.instance};
  spdlog::info("job {}: {}: {}", pass->key, event.reason, event.note);
  const auto noted = co_await client_.note(pass->resource, std::move(event));
  if (!noted) spdlog::warn("job {}: no event could be made: {}", pass->key, kube::to_string(noted.error()));
}

// One that is there already is the one that is wanted: its name is nobody else's.
asio::awaitable<Failure> JobReconciler::make(Pass* pass, const kube::ResourceType* type, Object object) {
  const kube::Place collection{*type, pass->job.ns, {}};
  const auto made = co_await client_.create(collection, std::move(object));
  auto& state = *pass->state;
  if (made || made.error().code == Errc::exists) {
    state.refused.reset();
    co_return std::nullopt;
  }
  const auto& error = made.error();
  if (!error.lasting()) co_return error;
  // Told by the next pass, and tried again after a while.
  const auto reason = error.code == Errc::quota ? std::string("QuotaExceeded") : error.reason.empty() ? std::string("Refused") : error.reason;
  state.refused = reconcile::Trouble{reason, fmt::format("{} cannot be made: {}", type->kind, error.message)};
  state.make_nothing_before = std::chrono::steady_clock::now() + kRefusedPause;
  pass->plan.again_after = kAtOnce;
  co_return std::nullopt;
}

asio::awaitable<Failure> JobReconciler::make_pod(Pass* pass) {
  const auto& record = pass->plan.record;
  Object files = resources::job_files(pass->job);
  auto error = co_await make(pass, &types::kConfigMaps, std::move(files));
  if (error || pass->state->refused) co_return error;
  const resources::JobAttempt attempt{record.attempt, record.failures > 0, options_.default_image};
  Object pod = resources::job_pod(pass->job, attempt);
  error = co_await make(pass, &types::kPods, std::move(pod));
  co_return error;
}

asio::awaitable<Failure> JobReconciler::remove(const kube::ResourceType* type, std::string ns, std::string name, std::string uid) {
  kube::DeleteOptions options;
  options.only_if.uid = std::move(uid);
  const kube::Place place{*type, std::move(ns), std::move(name)};
  const auto removed = co_await client_.remove(place, std::move(options));
  if (!removed && removed.error().code != Errc::conflict) co_return removed.error();
  co_return std::nullopt;
}

// The kubelet writes to a Pod that ends, too: then it is read again.
asio::awaitable<Failure> JobReconciler::release(std::string ns, std::string name, std::string uid) {
  const kube::Place place{types::kPods, ns, name};
  Failure last;
  for (int attempt = 0; attempt < kReleaseAttempts; ++attempt) {
    auto pod = co_await client_.get(place);
    if (!pod && pod.error().code != Errc::not_found) co_return pod.error();
    if (!pod || kube::uid_of(*pod) != uid || !take_finalizer(*pod)) co_return std::nullopt;
    const auto released = co_await client_.replace(place, std::move(*pod));
    if (released || released.error().code == Errc::not_found) co_return std::nullopt;
    last = released.error();
    if (last->code != Errc::conflict) break;
  }
  co_return last;
}

// Nobody will write down any more how the Pods of a job that has gone have ended.
asio::awaitable<Failure> JobReconciler::release_orphans(std::set<std::string> held, std::string job_uid) {
  for (const auto& key : held) {
    const auto* seen = store_.find(types::kPods, key);
    if (seen == nullptr || (!job_uid.empty() && kube::owned_by(*seen, job_uid))) continue;
    const std::string ns(kube::namespace_of(*seen)), name(kube::name_of(*seen)), uid(kube::uid_of(*seen));
    if (auto error = co_await release(ns, name, uid)) co_return error;
  }
  co_return std::nullopt;
}

}  // namespace covey::operating

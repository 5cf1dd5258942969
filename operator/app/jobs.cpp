#include "operator/app/jobs.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/reconcile/claims.hpp"
#include "operator/resources/job_pod.hpp"

namespace covey::operating {

namespace asio = boost::asio;
namespace types = kube::types;
using std::chrono::milliseconds;

namespace {

// Whatever no event tells of a job that has not ended is found after that long all the same.
constexpr auto kResync = std::chrono::minutes(5);

void rethrow(const std::exception_ptr& thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

// "namespace/job"; empty where the Pod is no job's.
std::string job_of(const boost::json::value& pod) {
  const auto name = kube::member_text(kube::object_at(pod, "metadata.labels"), resources::kJobLabel);
  return name.empty() ? std::string() : fmt::format("{}/{}", kube::namespace_of(pod), name);
}

std::string cluster_of_job(const boost::json::value& object) {
  const auto job = crd::parse_parallel_job(object);
  return fmt::format("{}/{}", job.ns, resources::job_cluster(job));
}

}  // namespace

Jobs::Jobs(asio::io_context& io, kube::Client& client, Store& store, Metrics& metrics, Surroundings surroundings, Reconciler::Options options)
    : io_(io),
      client_(client),
      metrics_(metrics),
      surroundings_(std::move(surroundings)),
      reconciler_(io.get_executor(), client, store, std::move(options)),
      wake_(io) {}

void Jobs::follow(const std::string& ns) {
  asio::co_spawn(io_, client_.follow({types::kParallelJobs, ns, {}}, {}, watch_, [this] { take_changes(); }), rethrow);
}

void Jobs::lead() {
  leading_ = true;
  for (const auto& [key, object] : watch_->objects()) queue_.add(key);
  for (const auto& [key, pods] : held_) queue_.add(key);
  pump();
}

void Jobs::take_changes() {
  for (const auto& change : watch_->take_changes()) queue_.add(change.key);
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
    queue_.add(job);
  } else if (type.plural == types::kParallelClusters.plural) {
    for (const auto& [key, object] : watch_->objects()) {
      if (!reconcile::read_job_record(object).over() && cluster_of_job(object) == change.key) queue_.add(key);
    }
  }
}

// Passes decide by the caches whether a cluster is there.
void Jobs::pump() {
  if (!leading_ || stopping_ || !watch_->synced() || !surroundings_.caches_complete()) return;
  while (under_way_ < kJobWorkers) {
    auto key = queue_.pop(Clock::now());
    if (!key) break;
    if (surroundings_.left_to_others(key->substr(0, key->find('/')))) {
      queue_.add_at(*key, Clock::now() + reconcile::Claims::kPatience);
      queue_.done(*key);
      continue;
    }
    ++under_way_;
    asio::co_spawn(io_, work(this, std::move(*key)), rethrow);
  }
  const auto next = queue_.next_at();
  if (next && under_way_ < kJobWorkers) wake_at(*next);
}

void Jobs::wake_at(Clock::time_point when) {
  wake_.expires_at(when);
  wake_.async_wait([this](const boost::system::error_code& error) {
    if (!error) pump();
  });
}

std::set<std::string> Jobs::held_pods(const std::string& key) const {
  const auto found = held_.find(key);
  return found == held_.end() ? std::set<std::string>() : found->second;
}

asio::awaitable<void> Jobs::work(Jobs* self, std::string key) {
  PassResult result;
  auto held = self->held_pods(key);
  try {
    result = co_await self->reconciler_.pass(key, std::move(held));
  } catch (const std::exception& error) {
    result.error = kube::local_error(fmt::format("a pass ended by an exception: {}", error.what()));
  }
  const auto now = Clock::now();
  const auto seen = self->watch_->objects().find(key);
  const bool there = seen != self->watch_->objects().end();
  if (result.error) {
    self->metrics_.reconcile_errors.Increment();
    spdlog::warn("job {}: {}", key, kube::to_string(*result.error));
    self->queue_.failed(key, now, result.error->retry_after.value_or(milliseconds(0)));
  } else {
    self->queue_.succeeded(key);
    if (result.again_after.count() > 0) {
      self->queue_.add_at(key, now + result.again_after);
    } else if (there && !reconcile::read_job_record(seen->second).over()) {
      self->queue_.add_at(key, now + kResync);
    }
    if (!there) self->queue_.forget(key);
  }
  self->queue_.done(key);
  --self->under_way_;
  self->pump();
}

}  // namespace covey::operating

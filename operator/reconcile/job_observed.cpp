#include "operator/reconcile/job_observed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"
#include "operator/resources/job_pod.hpp"

namespace covey::reconcile {

namespace json = boost::json;
using kube::array_at;
using kube::integer_at;
using kube::text_at;

namespace {

constexpr int kInterrupted = 130;  // of covey run

JobRecord::Phase phase_of(std::string_view text) {
  if (text == "Running") return JobRecord::Phase::running;
  if (text == "Succeeded") return JobRecord::Phase::succeeded;
  return text == "Failed" ? JobRecord::Phase::failed : JobRecord::Phase::pending;
}

const json::value* condition(const json::value& object, std::string_view type) {
  for (const auto& each : array_at(object, "status.conditions")) {
    if (text_at(each, "type") == type) return &each;
  }
  return nullptr;
}

bool holds(const json::value& object, std::string_view type) {
  const auto* found = condition(object, type);
  return found != nullptr && text_at(*found, "status") == "True";
}

// It stands in the condition that tells it.
std::optional<Trouble> why_of(const json::value& job, const JobRecord& record) {
  const auto* told = record.phase == JobRecord::Phase::succeeded ? condition(job, "Complete")
                     : record.phase == JobRecord::Phase::failed  ? condition(job, "Failed")
                     : record.next_attempt                       ? condition(job, "Running")
                                                                 : nullptr;
  if (told == nullptr) return std::nullopt;
  return Trouble{std::string(text_at(*told, "reason")), std::string(text_at(*told, "message"))};
}

void read_runner(const json::value& object, JobPod& pod) {
  for (const auto& status : array_at(object, "status.containerStatuses")) {
    if (text_at(status, "name") != resources::kRunnerContainer || kube::find_at(status, "state.terminated") == nullptr) continue;
    // Whatever runs beside it may go on for as long as it likes.
    pod.ended = true;
    pod.exit_status = static_cast<int>(integer_at(status, "state.terminated.exitCode").value_or(0));
    pod.last_words = std::string(text_at(status, "state.terminated.message"));
    if (pod.pod.reason.empty()) pod.pod.reason = std::string(text_at(status, "state.terminated.reason"));
    return;
  }
  if (!pod.ended) return;
  // The Pod has ended, and its runner never ran, or nobody knows how it ended.
  pod.disrupted = true;
  pod.exit_status = -1;
}

}  // namespace

std::optional<JobProgress> read_progress(const json::value& told) {
  const auto number = [&](const char* name) { return integer_at(told, name).value_or(0); };
  if (text_at(told, "step").empty()) return std::nullopt;
  return JobProgress{std::string(text_at(told, "step")), number("number"), number("steps"), number("total"), number("ok") + number("failed"), number("failed")};
}

JobRecord read_job_record(const json::value& job) {
  const auto number = [&](const char* path) { return static_cast<int>(integer_at(job, path).value_or(0)); };
  JobRecord record;
  record.phase = phase_of(text_at(job, "status.phase"));
  record.attempt = number("status.attempt");
  record.failures = number("status.failures");
  record.pod_uid = std::string(text_at(job, "status.podUID"));
  record.started = kube::parse_rfc3339(text_at(job, "status.startTime"));
  record.completed = kube::parse_rfc3339(text_at(job, "status.completionTime"));
  record.next_attempt = kube::parse_rfc3339(text_at(job, "status.nextAttemptTime"));
  if (const auto* told = kube::find_at(job, "status.progress")) {
    const auto of = [&](const char* name) { return integer_at(*told, name).value_or(0); };
    record.progress = JobProgress{std::string(text_at(*told, "step")), of("number"), of("steps"), of("total"), of("done"), of("failed")};
  }
  record.why = why_of(job, record);
  return record;
}

JobPod read_job_pod(const json::value& object) {
  JobPod pod;
  pod.pod = read_pod(object);
  pod.ip = std::string(text_at(object, "status.podIP"));
  const auto& finalizers = array_at(object, "metadata.finalizers");
  pod.held = std::find(finalizers.begin(), finalizers.end(), json::value(resources::kJobFinalizer)) != finalizers.end();
  pod.ended = pod.pod.phase == Pod::Phase::ended;
  read_runner(object, pod);
  const auto by_others = text_at(object, "status.reason");  // Evicted, NodeLost, Terminated by a node that shuts down
  pod.disrupted = pod.ended && pod.exit_status != 0 &&
                  (pod.disrupted || !by_others.empty() || pod.pod.terminating || pod.exit_status == kInterrupted || holds(object, "DisruptionTarget"));
  return pod;
}

JobCluster read_job_cluster(const json::value* cluster, const crd::ParallelJob& job) {
  const bool made = job.spec.cluster_template.has_value();
  const auto name = resources::job_cluster(job);
  if (cluster == nullptr) {
    return {JobCluster::State::missing, {}, "ClusterMissing",
            made ? std::string("its cluster is being made") : fmt::format("there is no ParallelCluster {} in this namespace; make it, or name another in a new ParallelJob", name)};
  }
  JobCluster seen{JobCluster::State::starting, std::string(kube::uid_of(*cluster)), "Starting", fmt::format("ParallelCluster {} is being looked at", name)};
  const auto& owners = array_at(*cluster, "metadata.ownerReferences");
  const bool ours = std::any_of(owners.begin(), owners.end(), [&](const json::value& owner) { return text_at(owner, "uid") == job.uid; });
  if (made && !ours) return {JobCluster::State::other, {}, "NameTaken", fmt::format("a ParallelCluster {} is there and not this job's; delete it", name)};
  if (kube::being_deleted(*cluster)) {
    seen.reason = "ClusterDeleted";
    seen.message = fmt::format("ParallelCluster {} is being deleted", name);
    return seen;
  }
  const auto* ready = condition(*cluster, "Ready");
  if (ready == nullptr) return seen;
  seen.reason = std::string(text_at(*ready, "reason"));
  seen.message = std::string(text_at(*ready, "message"));
  const bool of_this_spec = integer_at(*ready, "observedGeneration").value_or(0) >= integer_at(*cluster, "metadata.generation").value_or(0);
  if (text_at(*ready, "status") == "True" && of_this_spec) seen.state = JobCluster::State::ready;
  return seen;
}

}  // namespace covey::reconcile

#include <boost/json.hpp>

#include "operator/reconcile/job_plan.hpp"
#include "operator/resources/job_pod.hpp"

namespace covey::reconcile {

namespace {

const char* text_of(JobRecord::Phase phase) {
  constexpr const char* kTexts[] = {"Pending", "Running", "Succeeded", "Failed"};
  return kTexts[static_cast<std::size_t>(phase)];
}

}  // namespace

json::object job_status(const crd::ParallelJob& job, const JobPlan& plan, const json::value* before, WallTime now) {
  const auto& record = plan.record;
  Conditions conditions(before, job.generation, now);
  conditions.add("Complete", plan.complete);
  conditions.add("Failed", plan.failed);
  conditions.add("ClusterReady", plan.cluster_ready);
  conditions.add("Running", plan.running);
  json::object status{{"observedGeneration", job.generation},
                      {"phase", text_of(record.phase)},
                      {"cluster", resources::job_cluster(job)},
                      {"attempt", record.attempt},
                      {"failures", record.failures},
                      {"conditions", conditions.take()}};
  if (record.attempt > 0) status["pod"] = resources::job_pod_name(job, record.attempt);
  if (!record.pod_uid.empty()) status["podUID"] = record.pod_uid;
  if (record.started) status["startTime"] = kube::to_rfc3339(*record.started);
  if (record.completed) status["completionTime"] = kube::to_rfc3339(*record.completed);
  if (record.next_attempt) status["nextAttemptTime"] = kube::to_rfc3339(*record.next_attempt);
  if (const auto& progress = record.progress) {
    status["progress"] = {{"step", progress->step},   {"number", progress->number}, {"steps", progress->steps},
                          {"total", progress->total}, {"done", progress->done},     {"failed", progress->failed}};
  }
  return status;
}

}  // namespace covey::reconcile

// What a ParallelJob is run with: a ConfigMap with its files, the Pod of its runner, and, where it asks for one, a cluster. All names follow from the
// resource and the attempt, so that whoever makes one a second time finds it. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "operator/api/parallel_job.hpp"

namespace covey::resources {

inline constexpr std::string_view kJob = "job";                          // the component
inline constexpr std::string_view kJobLabel = "covey.dev/job";           // whose value is the ParallelJob's name
inline constexpr std::string_view kAttemptLabel = "covey.dev/attempt";
// Keeps a Pod until its end is in the job's status: without it, a Pod that somebody removed meanwhile would be taken for one that was never made.
inline constexpr std::string_view kJobFinalizer = "covey.dev/job-status";
inline constexpr int kProgressPort = 8080;
inline constexpr std::string_view kRunnerContainer = "covey";

// "sums-3f2a9c1b": another resource of the same name has another.
std::string job_stem(const crd::ParallelJob& job);
std::string job_pod_name(const crd::ParallelJob& job, int attempt);
// Of the named cluster, or of the one that is made.
std::string job_cluster(const crd::ParallelJob& job);

boost::json::value job_files(const crd::ParallelJob& job);
// Only where the job has a template.
boost::json::value job_cluster_object(const crd::ParallelJob& job);

struct JobAttempt {
  int number = 1;
  bool retry_failed = false;   // an earlier one ended with failures
  std::string default_image;  // where the spec names none
};
boost::json::value job_pod(const crd::ParallelJob& job, const JobAttempt& attempt);

}  // namespace covey::resources

// What a user asks for with a ParallelJob (covey.dev/v1alpha1), read from the object as the API server gives it. The schema in manifests/crds says the
// same to the API server; a test compares the two. The job file itself is the runner's to judge. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/parallel_cluster.hpp"

namespace covey::crd {

struct ResultsClaim {
  std::string name, folder;  // the folder is filled in
  bool operator==(const ResultsClaim&) const = default;
};

struct JobSpec {
  std::string job;
  std::vector<std::string> settings;         // as --set takes them
  std::map<std::string, std::string> files;  // beside the job file
  std::string cluster;                       // that is there; empty: one is made
  std::optional<boost::json::value> cluster_template;
  std::optional<ResultsClaim> claim;         // nothing: the log
  PodSettings runner;
  int backoff_limit = 2;
  std::optional<int> deadline_s, ttl_s;
  bool operator==(const JobSpec&) const = default;
};

struct ParallelJob {
  std::string ns, name, uid;
  std::int64_t generation = 0;
  JobSpec spec;
  std::vector<FieldError> errors;  // where there are any, the job is not to be run
};

ParallelJob parse_parallel_job(const boost::json::value& object);

// Of the spec alone; `reading` gets the errors and what was asked for.
JobSpec parse_job_spec(const boost::json::value* spec, Reading& reading);

// A cluster that is made for it has its name and nine characters more.
inline constexpr std::size_t kMaxJobName = kMaxName - 9;
inline constexpr std::string_view kJobFile = "job.yaml";

}  // namespace covey::crd

// What the operator sees of a ParallelJob: what its status says so far, its Pod, its cluster. Reading is pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "operator/api/parallel_job.hpp"
#include "operator/reconcile/observed.hpp"
#include "operator/reconcile/status.hpp"

namespace covey::reconcile {

// How far a runner is, by its own account.
struct JobProgress {
  std::string step;
  std::int64_t number = 0, steps = 0, total = 0, done = 0, failed = 0;
  bool operator==(const JobProgress&) const = default;
};
// What GET /progress of `covey run` answers, and what --brief leaves; nullopt before the first step.
std::optional<JobProgress> read_progress(const boost::json::value& told);

// The status, which is all that is remembered of a job: each decision goes on from here, whoever takes it.
struct JobRecord {
  enum class Phase { pending, running, succeeded, failed };
  Phase phase = Phase::pending;
  int attempt = 0;      // 0: none has begun
  int failures = 0;     // attempts that count
  std::string pod_uid;  // of the attempt's Pod, once it was seen
  std::optional<WallTime> started{}, completed{};
  std::optional<WallTime> next_attempt{};  // the attempt is over, and another is to begin then
  std::optional<JobProgress> progress{};
  std::optional<Trouble> why{};  // how the last attempt, or the job, ended

  bool over() const { return phase == Phase::succeeded || phase == Phase::failed; }
  bool operator==(const JobRecord&) const = default;
};
JobRecord read_job_record(const boost::json::value& job);

// The Pod of the attempt under way.
struct JobPod {
  Pod pod;
  std::string ip;
  bool held = false;       // by our finalizer: its end may not have been written down
  bool ended = false;      // the runner has
  bool disrupted = false;  // not by itself: evicted, deleted, lost with its node
  int exit_status = 0;
  std::string last_words;  // the brief, or the end of the log
};
JobPod read_job_pod(const boost::json::value& object);

struct JobCluster {
  enum class State { missing, other, starting, ready };  // other: one of the name that is to be made is there, and not this job's
  State state = State::missing;
  std::string uid, reason, message;
};
// `cluster` is null where there is none.
JobCluster read_job_cluster(const boost::json::value* cluster, const crd::ParallelJob& job);

}  // namespace covey::reconcile

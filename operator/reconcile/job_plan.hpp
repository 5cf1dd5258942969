// What to do next about a ParallelJob: a pure decision from its spec, its status, the Pod of its attempt and its cluster. Everything that is remembered is
// in the status, and the status is written before anything is done that depends on it, so that an operator that dies anywhere is followed by one that
// does the same: an attempt is written down before its Pod is made, and how it ended before the Pod is let go. The Pod's name follows from the attempt,
// and the next attempt begins only when the last one's Pod has ended: there are never two. Needs status and Pod as they are now, not as a cache has
// them. Time is passed in.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "operator/reconcile/conditions.hpp"
#include "operator/reconcile/job_observed.hpp"

namespace covey::reconcile {

struct JobScene {
  const crd::ParallelJob& job;
  JobRecord record;
  std::optional<JobPod> pod;              // of record.attempt
  JobCluster cluster{};
  std::optional<JobProgress> progress{};  // as the runner told last
  std::optional<Trouble> refused{};       // what the API server said to the making of something
  WallTime now{};
};

// What a person may want to know; told once, where it happens.
struct JobNote {
  bool warning = false;
  std::string reason, action, text;
};

struct JobPlan {
  // To be written first, with the conditions. If that fails, nothing of what follows is to be done.
  JobRecord record;
  Said complete, failed, cluster_ready, running;
  std::optional<JobNote> note;

  bool make_cluster = false;
  bool make_pod = false;        // of record.attempt
  bool release_pod = false;     // its end is written down
  bool remove_pod = false;
  bool remove_cluster = false;
  bool remove_job = false;
  bool ask_progress = false;
  std::chrono::milliseconds again_after{0};  // 0: not before something changes
};

JobPlan plan_job(const JobScene& scene);

// Before the next attempt, by how many have failed.
std::chrono::seconds pause_after_failures(int failures);
inline constexpr auto kDisruptedPause = std::chrono::seconds(2);
inline constexpr auto kProgressPause = std::chrono::milliseconds(2'000);

// The status with its conditions; `before` is the status so far, or null.
boost::json::object job_status(const crd::ParallelJob& job, const JobPlan& plan, const boost::json::value* before, WallTime now);

}  // namespace covey::reconcile

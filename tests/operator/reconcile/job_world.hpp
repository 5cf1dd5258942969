// A pretended API server with one ParallelJob, and an operator that works on it pass by pass and may die after any of its writes. What it remembers is
// what the API server has. Checks as it goes that two runners never run at once.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <string>
#include <vector>

#include "operator/reconcile/job_plan.hpp"
#include "operator/resources/job_pod.hpp"

namespace covey::reconcile {

class JobWorld {
 public:
  struct Runner {
    std::string uid;
    bool running = false, ended = false, held = true, terminating = false;
    int exit_status = 0;
    json::object more{};  // over the Pod's status
  };

  explicit JobWorld(const char* spec = "{}") {
    auto whole = json::parse(spec).as_object();
    whole["job"] = "name: x\n";
    if (!whole.contains("clusterTemplate")) whole["clusterRef"] = {{"name", "demo"}};
    made = whole.contains("clusterTemplate");
    if (!made) cluster = {JobCluster::State::ready, "c", "Ready", "2 engines are ready"};
    object = {{"metadata", {{"namespace", "ns"}, {"name", "sums"}, {"uid", "u"}, {"generation", 1}}}, {"spec", whole}};
  }

  crd::ParallelJob job() const { return crd::parse_parallel_job(object); }
  JobRecord record() const { return read_job_record(object); }
  std::string pod_name(int attempt) const { return resources::job_pod_name(job(), attempt); }
  Runner& runner(int attempt) { return pods.at(pod_name(attempt)); }
  std::string said(std::string_view type) const {
    for (const auto& each : kube::array_at(object, "status.conditions")) {
      if (kube::text_at(each, "type") == type) return std::string(kube::text_at(each, "status")) + " " + std::string(kube::text_at(each, "reason"));
    }
    return "none";
  }
  std::string message(std::string_view type) const {
    for (const auto& each : kube::array_at(object, "status.conditions")) {
      if (kube::text_at(each, "type") == type) return std::string(kube::text_at(each, "message"));
    }
    return {};
  }

  // ---- the operator ----

  JobPlan plan() const {
    const auto parsed = job();
    JobScene scene{parsed, record(), pod_of(parsed, record().attempt), cluster, progress, refused, now};
    return plan_job(scene);
  }
  // False: it died. `writes` is how many more it may make before it does.
  bool pass(int& writes) {
    if (gone) return true;
    const auto parsed = job();
    const auto next = plan();
    const auto* before = kube::find_at(object, "status");
    auto status = job_status(parsed, next, before, now);
    if (!same_status(before, status)) {
      if (!may_write(writes)) return false;
      object.as_object()["status"] = std::move(status);
    }
    const auto name = resources::job_pod_name(parsed, next.record.attempt);
    if (next.make_cluster && !write(writes, [&] { cluster = {JobCluster::State::starting, "c", "Starting", "it starts"}; ++clusters_made; })) return false;
    if (next.make_pod && !write(writes, [&] { make_pod(name); })) return false;
    if (next.release_pod && !write(writes, [&] { release(name); })) return false;
    if (next.remove_pod && !write(writes, [&] { remove(name); })) return false;
    if (next.remove_cluster && !write(writes, [&] { cluster = {}; })) return false;
    if (next.remove_job && !write(writes, [&] { gone = true; })) return false;
    return true;
  }
  void pass() {
    int writes = 1'000'000;
    pass(writes);
  }

  // ---- everybody else ----

  // A step of the kubelet and of whoever makes clusters ready.
  void elapse(std::chrono::seconds time = std::chrono::seconds(1)) {
    now += time;
    if (cluster.state == JobCluster::State::starting) cluster.state = JobCluster::State::ready;
    for (auto it = pods.begin(); it != pods.end();) {
      auto& [name, pod] = *it;
      if (!pod.ended && pod.terminating) end(pod, 143);
      else if (!pod.ended && pod.running) end(pod, exits.empty() ? 0 : exits.front(), true);
      else if (!pod.ended) start(pod);
      it = pod.ended && pod.terminating && !pod.held ? pods.erase(it) : std::next(it);
    }
  }
  void start(Runner& pod) {
    pod.running = true;
    ++runs;
    int at_once = 0;
    for (const auto& [name, each] : pods) at_once += each.running && !each.ended;
    EXPECT_LE(at_once, 1);
  }
  void end(Runner& pod, int exit_status, bool scripted = false) {
    pod.running = false;
    pod.ended = true;
    pod.exit_status = exit_status;
    successes += exit_status == 0;
    if (scripted && !exits.empty()) exits.erase(exits.begin());
  }
  void remove(const std::string& name) {
    if (const auto found = pods.find(name); found != pods.end()) found->second.terminating = true;
  }

  json::value object;
  std::map<std::string, Runner> pods;
  JobCluster cluster{};
  std::optional<JobProgress> progress{};
  std::optional<Trouble> refused{};
  std::vector<int> exits;  // of runners to come; 0 when there are no more
  WallTime now = WallTime(std::chrono::hours(500'000));
  bool made = false, gone = false;
  int runs = 0, successes = 0, clusters_made = 0;

 private:
  static bool may_write(int& writes) { return writes-- > 0; }
  template <class Do>
  static bool write(int& writes, Do what) {
    if (!may_write(writes)) return false;
    what();
    return true;
  }
  void make_pod(const std::string& name) {
    // One that is there already is the one that is wanted.
    if (!pods.contains(name)) pods[name].uid = "uid-" + std::to_string(++uids_);
  }
  void release(const std::string& name) { pods.at(name).held = false; }

  std::optional<JobPod> pod_of(const crd::ParallelJob& parsed, int attempt) const {
    const auto found = pods.find(resources::job_pod_name(parsed, attempt));
    if (found == pods.end()) return std::nullopt;
    const auto& pod = found->second;
    json::object metadata{{"name", found->first}, {"uid", pod.uid}};
    if (pod.held) metadata["finalizers"] = json::array{std::string(resources::kJobFinalizer)};
    if (pod.terminating) metadata["deletionTimestamp"] = kube::to_rfc3339(now);
    json::object state;
    if (pod.ended) state["terminated"] = {{"exitCode", pod.exit_status}, {"reason", pod.exit_status == 0 ? "Completed" : "Error"}};
    json::object status{{"phase", pod.ended ? (pod.exit_status == 0 ? "Succeeded" : "Failed") : pod.running ? "Running" : "Pending"},
                        {"containerStatuses", json::array{json::object{{"name", "covey"}, {"state", state}}}}};
    for (const auto& [key, value] : pod.more) status[key] = value;
    return read_job_pod({{"metadata", metadata}, {"status", status}});
  }

  int uids_ = 0;
};

}  // namespace covey::reconcile

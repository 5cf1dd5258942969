#include "operator/reconcile/job_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "operator/resources/job_pod.hpp"

namespace covey::reconcile {

namespace {

using Phase = JobRecord::Phase;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kSoon{200}, kUnhurried{10'000}, kRefusedPause{30'000};
constexpr seconds kGoodbye{40};  // the Pod's grace period, and some
constexpr int kJobRefused = 2;  // of covey run
constexpr std::size_t kMostWords = 1500;

std::string_view meaning(int exit_status) {
  switch (exit_status) {
    case 1: return "tasks failed";
    case 2: return "the job, an input or an output cannot be used";
    case 3: return "the deadline of a step passed";
    case 4: return "the cluster could not be reached, or a file not be written";
    case 130: return "interrupted";
    default: return "the runner was killed or could not begin";
  }
}

// The brief of covey run, if it left one.
std::optional<json::value> brief_of(const JobPod& pod) {
  auto parsed = kube::parse_json(pod.last_words);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return std::move(*parsed);
}

std::string last_words(const JobPod& pod) {
  const auto brief = brief_of(pod);
  if (brief) return std::string(kube::text_at(*brief, "first_error"));
  auto words = pod.last_words;
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
  if (words.size() <= kMostWords) return words;
  auto from = words.size() - kMostWords;
  while (from < words.size() && (static_cast<unsigned char>(words[from]) & 0xC0) == 0x80) ++from;  // between characters
  return "…" + words.substr(from);
}

std::string how_it_ended(const JobPod& pod) {
  const auto& reason = pod.pod.reason;
  if (pod.disrupted) {
    return fmt::format("{}: {}", reason.empty() || reason == "Error" ? "Disrupted" : reason,
                       pod.pod.terminating ? "its Pod was deleted" : pod.pod.message);
  }
  auto text = fmt::format("exit status {}: {}", pod.exit_status, meaning(pod.exit_status));
  if (reason == "OOMKilled") text = "OOMKilled: the runner wanted more memory than its limit";
  const auto brief = brief_of(pod);
  if (const auto progress = brief ? read_progress(*brief) : std::nullopt; progress && progress->failed > 0) {
    text += fmt::format("; {} of {} tasks of step {} failed", progress->failed, progress->total, progress->step);
  }
  const auto words = last_words(pod);
  return words.empty() ? text : text + ": " + words;
}

class Planner {
 public:
  explicit Planner(const JobScene& scene) : scene_(scene), r_(plan_.record), spec_(scene.job.spec) { r_ = scene.record; }

  JobPlan run() {
    if (!r_.started) r_.started = scene_.now;
    if (!r_.over()) decide();
    if (r_.over()) tidy();
    say();
    return std::move(plan_);
  }

 private:
  bool past_deadline() const { return spec_.deadline_s && scene_.now >= *r_.started + seconds(*spec_.deadline_s); }
  bool pod_ended() const { return scene_.pod && scene_.pod->ended; }

  void decide() {
    if (!scene_.job.errors.empty()) return end(Phase::failed, "InvalidSpec", crd::to_string(scene_.job.errors));
    plan_.make_cluster = spec_.cluster_template && scene_.cluster.state == JobCluster::State::missing;
    if (plan_.make_cluster && scene_.refused) wake_in(kRefusedPause);
    // What has come to its end in time counts, though the operator looks only now.
    if (!r_.next_attempt && pod_ended()) {
      on_ended(*scene_.pod);
      if (r_.over() || !past_deadline()) return;
    }
    if (past_deadline()) return end(Phase::failed, "DeadlineExceeded", fmt::format("it had not ended within {} s", *spec_.deadline_s));
    if (spec_.deadline_s) wake_at(*r_.started + seconds(*spec_.deadline_s));
    if (r_.next_attempt) return between_attempts();
    if (r_.attempt == 0) return begin_when_ready();
    if (!scene_.pod) return on_no_pod();
    follow(*scene_.pod);
  }

  // ---- attempts ----

  void begin_when_ready() {
    if (scene_.cluster.state != JobCluster::State::ready) return;
    ++r_.attempt;
    r_.next_attempt.reset();
    r_.pod_uid.clear();
    r_.why.reset();
    plan_.make_pod = true;
    note(false, "Started", "Run", fmt::format("attempt {} begins, in Pod {}", r_.attempt, pod_name()));
  }

  void between_attempts() {
    if (scene_.pod && scene_.pod->held) {
      plan_.release_pod = true;
      return wake_in(kSoon);
    }
    if (scene_.now < *r_.next_attempt) return wake_at(*r_.next_attempt);
    begin_when_ready();
  }

  // It was written down and not made, unless it was seen before: then somebody took even what holds it away, and nobody knows how it ended.
  void on_no_pod() {
    if (!r_.pod_uid.empty()) return try_again(kDisruptedPause, "PodLost", fmt::format("Pod {} has vanished", pod_name()));
    plan_.make_pod = true;
    if (scene_.refused) wake_in(kRefusedPause);
  }

  void follow(const JobPod& pod) {
    r_.pod_uid = pod.pod.uid;
    if (pod.pod.phase != Pod::Phase::running) return;
    r_.phase = Phase::running;
    if (pod.pod.terminating) return;
    if (scene_.progress) r_.progress = scene_.progress;
    plan_.ask_progress = true;
    wake_in(kProgressPause);
  }

  void on_ended(const JobPod& pod) {
    r_.pod_uid = pod.pod.uid;
    r_.phase = Phase::running;
    if (const auto brief = brief_of(pod)) {
      if (auto progress = read_progress(*brief)) r_.progress = std::move(progress);
    }
    const auto how = fmt::format("attempt {}: {}", r_.attempt, how_it_ended(pod));
    if (pod.exit_status == 0) return end(Phase::succeeded, "Completed", where_results_are());
    if (pod.disrupted) return try_again(kDisruptedPause, "Disrupted", how);
    ++r_.failures;
    if (pod.exit_status == kJobRefused) return end(Phase::failed, "JobRefused", how);
    if (r_.failures > spec_.backoff_limit) return end(Phase::failed, "BackoffLimitExceeded", how);
    try_again(pause_after_failures(r_.failures), "AttemptFailed", how);
  }

  void try_again(seconds pause, const char* reason, std::string why) {
    r_.next_attempt = scene_.now + pause;
    r_.why = Trouble{reason, std::move(why)};
    plan_.release_pod = scene_.pod && scene_.pod->held;
    note(true, reason, "Retry", fmt::format("{}; the next attempt begins in {} s", r_.why->message, pause.count()));
    wake_at(*r_.next_attempt);
  }

  // ---- the end ----

  void end(Phase phase, const char* reason, std::string message) {
    r_.phase = phase;
    r_.completed = scene_.now;
    r_.next_attempt.reset();
    r_.why = Trouble{reason, std::move(message)};
    plan_.note = JobNote{phase == Phase::failed, reason, "End", r_.why->message};
  }

  void tidy() {
    if (!r_.completed) r_.completed = scene_.now;
    plan_.make_cluster = plan_.make_pod = plan_.ask_progress = false;
    const auto& pod = scene_.pod;
    plan_.release_pod = pod && pod->held && pod->ended;
    plan_.remove_pod = pod && !pod->ended && !pod->pod.terminating;
    const auto cluster = scene_.cluster.state;
    plan_.again_after = milliseconds(0);
    if (spec_.cluster_template && (cluster == JobCluster::State::starting || cluster == JobCluster::State::ready)) {
      // A runner that is told to end cancels what is out, for which it wants its cluster; but one on a lost node never ends.
      const auto latest = *r_.completed + kGoodbye;
      plan_.remove_cluster = !pod || pod->ended || scene_.now >= latest;
      if (!plan_.remove_cluster) wake_at(latest);
    }
    if (!spec_.ttl_s) return;
    const auto due = *r_.completed + seconds(*spec_.ttl_s);
    if (scene_.now < due) return wake_at(due);
    // What it owns goes with it; only a Pod that is held would stay.
    if (pod && pod->held) return wake_in(kUnhurried);
    plan_.remove_job = true;
  }

  // ---- what to tell ----

  std::string pod_name() const { return resources::job_pod_name(scene_.job, r_.attempt); }

  std::string where_results_are() const {
    if (spec_.claim) return fmt::format("every step is done; the results are on claim {}, in folder {}", spec_.claim->name, spec_.claim->folder);
    return fmt::format("every step is done; the results are in the log: kubectl logs {}", pod_name());
  }

  void note(bool warning, const char* reason, const char* action, std::string text) { plan_.note = JobNote{warning, reason, action, std::move(text)}; }

  void say() {
    const auto why = r_.why.value_or(Trouble{});
    const bool succeeded = r_.phase == Phase::succeeded, failed = r_.phase == Phase::failed;
    plan_.complete = succeeded ? Said{true, why.reason, why.message} : failed ? Said{false, "Failed", "it has failed"} : Said{false, "NotYet", "it has not ended"};
    plan_.failed = failed ? Said{true, why.reason, why.message} : Said{false, succeeded ? "Completed" : "NotYet", succeeded ? "it has succeeded" : "it has not failed"};
    plan_.cluster_ready = r_.over() ? Said{false, "JobEnded", "the job needs no cluster any more"}
                                    : Said{scene_.cluster.state == JobCluster::State::ready, scene_.cluster.reason, scene_.cluster.message};
    plan_.running = running();
  }

  Said running() const {
    if (r_.over()) return {false, "Ended", r_.why ? r_.why->message : std::string()};
    if (r_.next_attempt) return {false, r_.why ? r_.why->reason : "BackingOff", r_.why ? r_.why->message : std::string()};
    const bool to_make = r_.attempt == 0 ? plan_.make_cluster : plan_.make_pod;
    if (scene_.refused && to_make) return {false, scene_.refused->reason, scene_.refused->message};
    if (r_.attempt == 0) return {false, "WaitingForCluster", scene_.cluster.message};
    if (!scene_.pod) return {false, "Starting", fmt::format("Pod {} is being made", pod_name())};
    const auto& pod = scene_.pod->pod;
    if (pod.terminating) return {false, "Terminating", fmt::format("Pod {} is being deleted; another takes its place when it has ended", pod.name)};
    if (pod.phase == Pod::Phase::running) return {true, "PodRunning", fmt::format("attempt {} runs in Pod {}", r_.attempt, pod.name)};
    if (!pod.reason.empty()) return {false, pod.reason, fmt::format("{}: {}", pod.name, pod.message)};
    return {false, "Starting", fmt::format("Pod {} is being started", pod.name)};
  }

  void wake_in(milliseconds time) {
    time = std::max(time, milliseconds(1));
    plan_.again_after = plan_.again_after.count() == 0 ? time : std::min(plan_.again_after, time);
  }
  void wake_at(WallTime when) { wake_in(std::chrono::ceil<milliseconds>(when - scene_.now)); }

  const JobScene& scene_;
  JobPlan plan_;
  JobRecord& r_;
  const crd::JobSpec& spec_;
};

}  // namespace

JobPlan plan_job(const JobScene& scene) { return Planner(scene).run(); }

seconds pause_after_failures(int failures) { return std::min(seconds(300), seconds(5) * (1 << std::clamp(failures - 1, 0, 9))); }

}  // namespace covey::reconcile

#include "operator/reconcile/engine_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "operator/resources/names.hpp"

namespace covey::reconcile {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kUnsettled{500}, kTroubled{5'000}, kDemand{1'000};

struct Member {
  const Pod* pod;
  const Engine* engine;  // nullptr: the controller does not list it
  bool listed() const { return engine != nullptr; }
  bool takes_tasks() const { return listed() && (engine->state == Engine::State::idle || engine->state == Engine::State::busy); }
  bool starting() const { return pod->phase == Pod::Phase::pending; }
};

class Planner {
 public:
  Planner(const Scene& scene, Memory& memory) : scene_(scene), memory_(memory) {}

  Plan run() {
    sort_pods();
    finish_drains();
    decide_desired();
    if (size() < plan_.desired) grow();
    if (size() > plan_.desired) shrink();
    if (size() == plan_.desired) roll();
    count();
    forgive();
    return std::move(plan_);
  }

 private:
  int size() const { return static_cast<int>(active_.size()); }
  // Whether an engine that the controller does not list is none, rather than one that has not come back to it yet.
  bool lists_all() const { return scene_.view.reachable && scene_.view.on_nats && scene_.view.steady_s >= kComeBackSeconds; }

  // ---- who there is ----

  void sort_pods() {
    // Of two of one name, one of which must be about to be found dead, the one that came last.
    std::map<std::string_view, const Engine*> engines;
    for (const auto& engine : scene_.view.engines) {
      auto& known = engines[engine.name];
      if (known == nullptr || engine.up_s < known->up_s) known = &engine;
    }
    auto engines_before = std::exchange(memory_.engines, {});
    ended_before_ = std::exchange(memory_.ended, {});
    taken_.insert(memory_.others_pods.begin(), memory_.others_pods.end());
    for (const auto& pod : scene_.pods) {
      taken_.insert(pod.name);
      const auto before = engines_before.find(pod.uid);
      if (before != engines_before.end()) memory_.engines.insert(engines_before.extract(before));
      if (pod.terminating) {
        on_terminating(pod);
        continue;
      }
      if (pod.phase == Pod::Phase::ended) {
        on_ended(pod);
        continue;
      }
      const auto found = engines.find(pod.name);
      const Member member{&pod, found == engines.end() ? nullptr : found->second};
      if (member.listed()) memory_.engines[pod.uid].id = member.engine->id;
      if (on_a_lost_node(member)) {
        note_loss(pod, "its node does not answer");
        plan_.remove.push_back({pod.name, pod.uid, Removal::Why::lost, "its node does not answer, and the controller does not know it any more"});
        continue;
      }
      (pod.drain_began ? leaving_ : active_).push_back(member);
    }
    note_vanished(engines_before);
  }

  // Told once: an engine that goes on all the same, cut off from the API server, is not to be driven out again and again.
  void note_loss(const Pod& pod, std::string why) {
    const auto known = memory_.engines.extract(pod.uid);
    if (!known.empty()) plan_.losses.push_back({known.mapped().id, pod.name, std::move(why)});
  }

  // Engines whose Pods are not there any more, and who have not said goodbye.
  void note_vanished(const std::map<std::string, Memory::KnownEngine>& vanished) {
    for (const auto& [uid, known] : vanished) {
      for (const auto& engine : scene_.view.engines) {
        if (engine.id == known.id) plan_.losses.push_back({known.id, engine.name, why_deleted(known)});
      }
    }
  }
  static std::string why_deleted(const Memory::KnownEngine& known) {
    return known.why.empty() ? "its Pod was deleted; Kubernetes keeps no record of by whom" : known.why;
  }

  // Its engine ends what it is at, as long as it is let; after that it is killed, and its tasks have to be told why.
  void on_terminating(const Pod& pod) {
    const auto known = memory_.engines.find(pod.uid);
    if (known == memory_.engines.end()) return;
    if (!pod.disruption.empty()) known->second.why = pod.disruption;
    if (pod.phase == Pod::Phase::ended && pod.exit_code != 0) note_loss(pod, fmt::format("{} ({})", why_deleted(known->second), ending_of(pod)));
  }
  static std::string ending_of(const Pod& pod) {
    return pod.reason == "OOMKilled" ? fmt::format("{}: {}", pod.reason, pod.message) : fmt::format("exit status {}", pod.exit_code);
  }

  void on_ended(const Pod& pod) {
    plan_.remove.push_back({pod.name, pod.uid, Removal::Why::ended, fmt::format("{}: {}", pod.reason.empty() ? "Ended" : pod.reason, pod.message)});
    const bool in_order = pod.exit_code == 0 && (pod.reason.empty() || pod.reason == "Completed");
    if (!in_order) note_loss(pod, plan_.remove.back().note);
    if (pod.drain_began || pod.exit_code == 0) return;
    memory_.ended.insert(pod.uid);
    if (ended_before_.contains(pod.uid)) return;
    memory_.failures = scene_.now - pod.created < kSoon ? memory_.failures + 1 : 1;
    memory_.last_failure = scene_.now;
  }

  // Kubernetes would wait five minutes. Once deleted it counts no more, though it may stay in the list until the node comes back.
  bool on_a_lost_node(const Member& member) const {
    const auto& pod = *member.pod;
    return lists_all() && !member.listed() && pod.phase == Pod::Phase::running && !pod.ready && scene_.now - pod.created > kSoon;
  }

  // ---- those that are to go ----

  void finish_drains() {
    for (const auto& member : leaving_) {
      const auto& pod = *member.pod;
      const auto since = scene_.now - *pod.drain_began;
      const bool done = member.listed() ? scene_.view.reachable && member.engine->state == Engine::State::draining && member.engine->tasks == 0 : lists_all();
      if (done) {
        plan_.remove.push_back({pod.name, pod.uid, Removal::Why::drained, "it has drained"});
      } else if (since >= seconds(scene_.spec.drain_timeout_s)) {
        plan_.remove.push_back({pod.name, pod.uid, Removal::Why::timed_out,
                                fmt::format("it had not drained within {} s; its tasks will run elsewhere", scene_.spec.drain_timeout_s)});
        if (const auto known = memory_.engines.find(pod.uid); known != memory_.engines.end()) {
          known->second.why = fmt::format("the operator deleted its Pod, since it had not drained within {} s", scene_.spec.drain_timeout_s);
        }
      } else if (scene_.view.reachable && member.listed() && member.engine->state != Engine::State::draining) {
        plan_.drain.push_back({pod.name, pod.uid, member.engine->id, true});
      }
    }
  }

  // ---- how many ----

  void decide_desired() {
    if (scene_.spec.suspend) return;
    const auto& scaling = scene_.spec.autoscaling;
    plan_.desired = scene_.spec.engine.replicas;
    if (!scaling.internal) return;
    Autoscaler::Decision decision;
    if (scene_.view.reachable) {
      Demand demand{scene_.view.backlog, size(), 0};
      for (const auto& engine : scene_.view.engines) demand.outstanding += engine.tasks;
      for (const auto& member : active_) {
        demand.removable += member.listed() && member.engine->state == Engine::State::idle && member.engine->idle_s >= scaling.idle_timeout_s;
      }
      decision = memory_.autoscaler.decide(scaling, demand, scene_.now);
    } else {
      decision = memory_.autoscaler.hold(scaling, size());
    }
    plan_.desired = decision.desired;
    plan_.limited = decision.limited;
  }

  void grow() {
    if (scene_.now < memory_.last_failure + pause_after(memory_.failures)) return;
    unsigned index = 0;
    for (int missing = plan_.desired - size(); missing > 0; ++index) {
      auto name = resources::engine_name(scene_.cluster, index);
      if (taken_.contains(name)) continue;
      plan_.create.push_back(std::move(name));
      --missing;
    }
  }

  // ---- which ----

  // First those whose going nobody notices: not started, not registered, outdated, idle longest, and then by how little they do; then the highest index.
  auto rank(const Member& member) const {
    const auto tasks = member.listed() ? member.engine->tasks + (member.engine->state == Engine::State::busy ? 1 : 0) : 0;
    const auto idle_s = member.listed() ? member.engine->idle_s : 0;
    return std::tuple(!member.starting(), member.listed(), tasks > 0, member.pod->hash == scene_.hash, tasks, -idle_s,
                      -resources::engine_index(scene_.cluster, member.pod->name));
  }

  // False where only the controller could tell whether it may go, and does not.
  bool let_go(const Member& member) {
    const auto& pod = *member.pod;
    if (member.starting()) {
      plan_.remove.push_back({pod.name, pod.uid, Removal::Why::pending, "it had not started yet"});
    } else if (!scene_.view.reachable || (!member.listed() && !lists_all())) {
      plan_.held = true;
      return false;
    } else if (!member.listed()) {
      plan_.remove.push_back({pod.name, pod.uid, Removal::Why::unregistered, "the controller does not know it"});
    } else {
      plan_.drain.push_back({pod.name, pod.uid, member.engine->id, false});
    }
    return true;
  }

  // Takes `count` of the candidates out of the active ones.
  void let_go_of(std::vector<Member> candidates, int count) {
    std::sort(candidates.begin(), candidates.end(), [this](const Member& a, const Member& b) { return rank(a) < rank(b); });
    for (int i = 0; i < count && i < static_cast<int>(candidates.size()); ++i) {
      const auto& member = candidates[static_cast<std::size_t>(i)];
      if (!let_go(member)) return;
      std::erase_if(active_, [&](const Member& each) { return each.pod == member.pod; });
      ++going_;
    }
  }

  void shrink() { let_go_of(active_, size() - plan_.desired); }

  // Engines of an older template, a few at a time; those that take no tasks cost nothing.
  void roll() {
    std::vector<Member> old, old_useless;
    int useful = 0;
    for (const auto& member : active_) {
      useful += member.takes_tasks();
      if (member.pod->hash == scene_.hash) continue;
      ++plan_.outdated;
      if (scene_.now - member.pod->created < kYoung) continue;
      (member.takes_tasks() ? old : old_useless).push_back(member);
    }
    if (plan_.outdated == 0 || scene_.spec.engine.rollout == crd::Rollout::on_delete) return;
    const int budget = scene_.spec.engine.rollout == crd::Rollout::recreate
                           ? size()
                           : crd::count_of(scene_.spec.engine.max_unavailable, plan_.desired) - (plan_.desired - useful);
    let_go_of(std::move(old_useless), size());
    let_go_of(std::move(old), std::max(budget, 0));
  }

  // ---- what to tell ----

  void count() {
    plan_.replicas = size();
    plan_.draining = static_cast<int>(leaving_.size()) + static_cast<int>(std::count_if(plan_.drain.begin(), plan_.drain.end(), [](const Drain& d) { return !d.again; }));
    for (const auto& member : active_) {
      plan_.ready += member.takes_tasks();
      plan_.busy += member.takes_tasks() && member.engine->state == Engine::State::busy;
      plan_.pending += !member.takes_tasks();
      if (!member.takes_tasks() && !member.pod->reason.empty()) plan_.troubled = *member.pod;
    }
    const bool settled = plan_.draining == 0 && plan_.ready == plan_.desired && going_ == 0 && plan_.outdated == 0 && !plan_.held;
    if (scene_.spec.autoscaling.internal) plan_.again_after = kDemand;
    if (!settled) plan_.again_after = plan_.troubled && plan_.draining == 0 ? kTroubled : kUnsettled;
  }

  // Engines that have run well for a while owe nothing to those that ended before them.
  void forgive() {
    const bool well = plan_.ready > 0 && plan_.ready == plan_.desired;
    if (well && scene_.now > memory_.last_failure + pause_after(memory_.failures) + kSoon) memory_.failures = 0;
  }

  const Scene& scene_;
  Memory& memory_;
  Plan plan_;
  std::set<std::string> taken_, ended_before_;
  std::vector<Member> active_, leaving_;
  int going_ = 0;
};

}  // namespace

Plan plan_engines(const Scene& scene, Memory& memory) { return Planner(scene, memory).run(); }

seconds pause_after(int failures) {
  if (failures <= kFreeFailures) return seconds(0);
  return std::min(seconds(300), seconds(1) * (1 << std::min(failures - kFreeFailures, 9)));
}

}  // namespace covey::reconcile

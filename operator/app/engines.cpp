// The reconciler's hands where engines are concerned: it carries out what the plan says.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "operator/app/parallel.hpp"
#include "operator/app/pass.hpp"
#include "operator/kube/json.hpp"
#include "operator/resources/names.hpp"

namespace covey::operating {

namespace asio = boost::asio;
namespace types = kube::types;
using kube::Errc;

namespace {

// So that one large cluster does not keep others waiting; the rest comes in the next pass.
constexpr std::size_t kMostCreations = 500, kMostOthers = 200, kMostUntold = 5'000;
constexpr std::size_t kWidestBatch = 32, kMostEventsOfAPass = 5;
constexpr std::chrono::milliseconds kFresh{1'000};
constexpr auto kRefusedPause = std::chrono::seconds(30);

// The event's reason, where the removal is more than what was asked for.
std::string_view trouble_reason(reconcile::Removal::Why why) {
  switch (why) {
    case reconcile::Removal::Why::ended: return "EngineEnded";
    case reconcile::Removal::Why::timed_out: return "DrainTimedOut";
    case reconcile::Removal::Why::lost: return "EngineLost";
    case reconcile::Removal::Why::pending:
    case reconcile::Removal::Why::unregistered:
    case reconcile::Removal::Why::drained: break;
  }
  return {};
}

template <class Item>
void limit(std::vector<Item>& items) {
  if (items.size() > kMostOthers) items.resize(kMostOthers);
}

}  // namespace

void Reconciler::plan_engines(Pass* pass) {
  for (const auto* object : store_.pods(pass->key)) {
    if (kube::member_text(kube::object_at(*object, "metadata.labels"), resources::kComponentLabel) != resources::kEngine) continue;
    auto pod = reconcile::read_pod(*object);
    pod.terminating = pod.terminating || store_.was_removed(pod.uid);
    pass->pods.push_back(std::move(pod));
  }
  const auto hash = resources::engine_hash(pass->setting(options_.default_image));
  auto& state = *pass->state;
  pass->plan = reconcile::plan_engines({pass->cluster.name, pass->cluster.spec, hash, pass->pods, pass->view, std::chrono::system_clock::now()}, state.memory);
  state.untold.insert(state.untold.end(), pass->plan.losses.begin(), pass->plan.losses.end());
  while (state.untold.size() > kMostUntold) state.untold.pop_front();
}

// Which engine has nothing to do is decided by what the controller says now, and not by what it said while everything was at rest.
void Reconciler::wait_for_fresh_view(Pass* pass) {
  auto& plan = pass->plan;
  const auto unknown = [](const reconcile::Removal& each) { return each.why == reconcile::Removal::Why::unregistered || each.why == reconcile::Removal::Why::lost; };
  const bool matters = !plan.drain.empty() || std::any_of(plan.remove.begin(), plan.remove.end(), unknown);
  if (!matters || controllers_.age(pass->key) <= kFresh) return;
  plan.drain.clear();
  std::erase_if(plan.remove, unknown);
  plan.again_after = std::min<std::chrono::milliseconds>(plan.again_after, kFresh);
  // The pass that comes with it goes on.
  static_cast<void>(controllers_.view(pass->key, std::chrono::milliseconds(0)));
}

asio::awaitable<void> Reconciler::tend_engines(Pass* pass) {
  wait_for_fresh_view(pass);
  auto& plan = pass->plan;
  limit(plan.remove);
  limit(plan.drain);
  std::vector<asio::awaitable<void>> work;
  for (const auto& each : plan.remove) work.push_back(remove_engine(pass, each));
  for (const auto& each : plan.drain) work.push_back(drain_engine(pass, each));
  if (pass->view.reachable) {
    auto& untold = pass->state->untold;
    for (std::size_t left = std::min(untold.size(), kMostOthers); left > 0; --left) {
      work.push_back(tell_loss(pass, std::move(untold.front())));
      untold.pop_front();
    }
  }
  work.push_back(create_engines(pass));
  co_await side_by_side(std::move(work));
}

// Slowly at first, 1, 2, 4, 8 at a time, so that what the API server refuses is refused once, and not a thousand times.
asio::awaitable<void> Reconciler::create_engines(Pass* pass) {
  auto& state = *pass->state;
  auto& names = pass->plan.create;
  if (!names.empty() && (pass->lacks_parts || std::chrono::steady_clock::now() < state.make_no_pods_before)) co_return;
  state.failure.reset();
  if (names.size() > kMostCreations) names.resize(kMostCreations);
  std::size_t at = 0;
  for (std::size_t batch = 1; at < names.size() && !state.failure && !pass->creation_failed; batch = std::min(batch * 2, kWidestBatch)) {
    std::vector<asio::awaitable<void>> work;
    for (std::size_t i = 0; i < batch && at < names.size(); ++i, ++at) work.push_back(create_engine(pass, names[at]));
    co_await side_by_side(std::move(work));
  }
}

asio::awaitable<void> Reconciler::create_engine(Pass* pass, std::string name) {
  const kube::Place collection{types::kPods, pass->cluster.ns, {}}, place{types::kPods, pass->cluster.ns, name};
  Object pod = resources::engine_pod(pass->setting(options_.default_image), name);
  auto made = co_await client_.create(collection, std::move(pod));
  if (!made && (made.error().code == Errc::exists || made.error().may_have_happened)) {
    // The cache is behind, or the answer was lost: what is there counts.
    auto live = co_await client_.get(place);
    if (live && cluster_of(*live) == pass->key) {
      store_.wrote_pod(std::move(*live));
      co_return;
    }
    if (live && made.error().code == Errc::exists) {
      // Somebody else's: the next pass takes another name.
      pass->state->memory.others_pods.insert(std::move(name));
      co_return;
    }
  }
  if (!made) co_return on_create_failed(pass, made.error());
  ++pass->created;
  metrics_.pods_created.Increment();
  store_.wrote_pod(std::move(*made));
}

// Errors that last are told as a condition, and not tried again in a hurry.
void Reconciler::on_create_failed(Pass* pass, const kube::Error& error) {
  pass->creation_failed = true;
  if (!error.lasting()) return pass->failed(error);
  auto& state = *pass->state;
  const auto reason = error.code == Errc::quota ? std::string("QuotaExceeded") : error.reason.empty() ? std::string("Refused") : error.reason;
  state.failure = reconcile::Trouble{reason, error.message};
  state.make_no_pods_before = std::chrono::steady_clock::now() + kRefusedPause;
}

// The Pod is marked first: whoever leads next goes on from there.
asio::awaitable<void> Reconciler::drain_engine(Pass* pass, reconcile::Drain drain) {
  if (!drain.again) {
    const kube::Place place{types::kPods, pass->cluster.ns, drain.pod};
    const Object mark{{"apiVersion", "v1"},
                      {"kind", "Pod"},
                      {"metadata",
                       {{"name", drain.pod},
                        {"namespace", pass->cluster.ns},
                        {"uid", drain.uid},
                        {"annotations", {{std::string(resources::kDrainAnnotation), kube::to_rfc3339(std::chrono::system_clock::now())}}}}}};
    auto marked = co_await client_.apply(mark, place);
    if (!marked) {
      const bool gone = marked.error().code == Errc::not_found || marked.error().code == Errc::conflict;
      if (!gone) pass->failed(marked.error());
      co_return;
    }
    store_.wrote_pod(std::move(*marked));
    metrics_.engines_drained.Increment();
    ++pass->told_to_drain;
  }
  const auto told = co_await controllers_.drain(pass->key, drain.engine);
  // The next pass sees that it does not drain, and tells it again.
  if (!told) spdlog::info("{}: engine {} could not be told to drain: {}", pass->key, drain.pod, kube::to_string(told.error()));
}

// The controller would find out by itself, later, and never why.
asio::awaitable<void> Reconciler::tell_loss(Pass* pass, reconcile::Loss loss) {
  const auto told = co_await controllers_.give_up(pass->key, loss.engine, fmt::format("Pod {}: {}", loss.pod, loss.why));
  if (told) co_return;
  spdlog::info("{}: the controller could not be told how {} ended: {}", pass->key, loss.pod, kube::to_string(told.error()));
  pass->state->untold.push_back(std::move(loss));
}

asio::awaitable<void> Reconciler::remove_engine(Pass* pass, reconcile::Removal removal) {
  kube::DeleteOptions options;
  options.only_if.uid = removal.uid;
  const kube::Place place{types::kPods, pass->cluster.ns, removal.pod};
  const auto removed = co_await client_.remove(place, options);
  if (!removed && removed.error().code != Errc::conflict) co_return pass->failed(removed.error());
  store_.removed_pod(fmt::format("{}/{}", place.ns, place.name), removal.uid);
  metrics_.pods_removed.Increment();
  pass->removed.push_back(std::move(removal));
}

// One event for each kind of thing that happened, and not for what was merely planned.
asio::awaitable<void> Reconciler::tell_events(Pass* pass) {
  const auto& plan = pass->plan;
  if (pass->created > 0) {
    auto text = fmt::format("made {} engine{}; {} are wanted", pass->created, pass->created == 1 ? "" : "s", plan.desired);
    co_await note(pass, false, "EnginesCreated", "Create", std::move(text));
  }
  const auto draining = pass->told_to_drain;
  std::size_t removed = 0, told = 0;
  for (const auto& each : pass->removed) {
    const auto reason = trouble_reason(each.why);
    const bool trouble = !reason.empty();
    removed += !trouble;
    if (!trouble || ++told > kMostEventsOfAPass) continue;
    auto text = fmt::format("{}: {}", each.pod, each.note);
    co_await note(pass, true, reason, "Replace", std::move(text));
  }
  if (draining > 0) {
    auto text = fmt::format("{} engine{} told to drain; {} are wanted", draining, draining == 1 ? " is" : "s are", plan.desired);
    co_await note(pass, false, "EnginesDraining", "Drain", std::move(text));
  }
  if (removed > 0) {
    auto text = fmt::format("removed {} engine{} without tasks; {} are wanted", removed, removed == 1 ? "" : "s", plan.desired);
    co_await note(pass, false, "EnginesRemoved", "Remove", std::move(text));
  }
}

}  // namespace covey::operating

#include "operator/app/reconciler.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json.hpp>

#include "operator/app/parallel.hpp"
#include "operator/app/pass.hpp"
#include "operator/kube/json.hpp"
#include "operator/resources/names.hpp"

namespace covey::operating {

namespace asio = boost::asio;
namespace json = boost::json;
namespace types = kube::types;
using kube::Errc;
using kube::Error;
using Failure = std::optional<Error>;
using std::chrono::milliseconds;

namespace {

constexpr auto kUnseen = std::chrono::seconds(10);
constexpr int kGraceOfTheOrphaned = 5;

// What somebody could have changed: everything but the status and what the API server keeps for itself.
std::string digest_of(const json::value& object) {
  std::string text;
  for (const auto& [key, value] : object.as_object()) {
    if (key != "status" && key != "metadata") text += json::serialize(value);
  }
  for (const auto* part : {"metadata.labels", "metadata.annotations", "metadata.ownerReferences"}) {
    if (const auto* value = kube::find_at(object, part)) text += json::serialize(*value);
  }
  return resources::digest(text);
}

Error conflict(std::string message) { return {Errc::conflict, 0, "NameTaken", std::move(message)}; }

bool leaves_orphans(const json::value& object) {
  const auto& finalizers = kube::array_at(object, "metadata.finalizers");
  return std::find(finalizers.begin(), finalizers.end(), "orphan") != finalizers.end();
}

// Engines work without these.
bool is_protection(const kube::ResourceType& type) {
  return type.kind == types::kNetworkPolicies.kind || type.kind == types::kDisruptionBudgets.kind || type.kind == types::kIngresses.kind;
}

bool makes_pods(const kube::ResourceType& type) { return type.kind == types::kStatefulSets.kind || type.kind == types::kDeployments.kind; }

bool has_ready(const json::value* object) { return object != nullptr && kube::integer_at(*object, "status.readyReplicas").value_or(0) > 0; }

}  // namespace

asio::awaitable<PassResult> Reconciler::pass(std::string key) {
  const auto* resource = store_.find(types::kParallelClusters, key);
  // Nothing is made under one that is being deleted: Kubernetes takes its parts away, unless it was told to leave them as orphans.
  if (resource != nullptr && kube::being_deleted(*resource) && leaves_orphans(*resource)) co_return PassResult{};
  if (resource == nullptr || kube::being_deleted(*resource)) co_return co_await clear_up(std::move(key));
  Pass pass{std::move(key), *resource, crd::parse_parallel_cluster(*resource), nullptr};
  auto& state = states_[pass.key];
  if (!state || state->uid != pass.cluster.uid) {
    state = std::make_shared<State>();
    state->uid = pass.cluster.uid;
  }
  pass.state = state;
  if (!pass.cluster.errors.empty()) co_return co_await tell_errors(&pass);
  co_return co_await pass_over(&pass);
}

// The steps of a pass, in their order. A step that fails does not keep the status from being told, and a part that cannot be made keeps nobody from looking after
// the engines that there are.
asio::awaitable<PassResult> Reconciler::pass_over(Pass* pass) {
  if (auto error = co_await look_up_unseen(pass)) pass->failed(*error);
  if (auto error = co_await ensure_secrets(pass)) pass->failed(*error);
  const bool may_make = !pass->first_error && !pass->state->access.trouble;
  if (may_make) {
    if (auto error = co_await apply_children(pass)) pass->failed(*error);
  }
  find_controller(pass);
  plan_engines(pass);
  if (may_make) co_await tend_engines(pass);
  if (auto error = co_await tell_status(pass)) pass->failed(*error);
  co_await tell_events(pass);
  pass->state->view_age = pass->plan.again_after - std::min(pass->plan.again_after, milliseconds(50));
  co_return PassResult{pass->first_error, may_make ? pass->plan.again_after : milliseconds(0)};
}

// A Pod that was written and never showed up in the cache: only a live look says what became of it.
asio::awaitable<Failure> Reconciler::look_up_unseen(Pass* pass) {
  const auto keys = store_.unseen_pods(pass->key, kUnseen);
  for (const auto& key : keys) {
    const kube::Place place{types::kPods, pass->cluster.ns, key.substr(key.find('/') + 1)};
    auto pod = co_await client_.get(place);
    if (!pod && pod.error().code != Errc::not_found) co_return pod.error();
    store_.forget_pod(key);
    if (pod) store_.wrote_pod(std::move(*pod));
  }
  co_return std::nullopt;
}

asio::awaitable<Failure> Reconciler::ensure_secrets(Pass* pass) {
  auto& state = *pass->state;
  const auto now = std::chrono::steady_clock::now();
  const bool fresh = state.access_generation == pass->cluster.generation && now - state.access_at < kAccessAge && !state.access.trouble;
  if (fresh) co_return std::nullopt;
  auto result = co_await ensure_access(&client_, &pass->cluster);
  if (!result) co_return result.error();
  state.access = std::move(*result);
  state.access_generation = pass->cluster.generation;
  state.access_at = now;
  co_return std::nullopt;
}

// ---- the parts besides engines ----

// Those of which Pods come last: the Pods name the others.
asio::awaitable<Failure> Reconciler::apply_children(Pass* pass) {
  auto children = resources::children_of(pass->setting(options_.default_image));
  std::vector<std::string> wanted;
  for (const auto& child : children) wanted.push_back(fmt::format("{}/{}", child.type->kind, kube::name_of(child.object)));
  Failure first;
  for (const bool pods : {false, true}) {
    std::vector<asio::awaitable<void>> work;
    for (auto& child : children) {
      if (makes_pods(*child.type) == pods) work.push_back(apply_into(pass, std::move(child), &first));
    }
    co_await side_by_side(std::move(work));
  }
  if (first) co_return first;
  co_return co_await prune(pass, &wanted);
}

asio::awaitable<void> Reconciler::apply_into(Pass* pass, resources::Child child, Failure* first) {
  const bool needed = !is_protection(*child.type);
  auto error = co_await apply_child(pass, std::move(child));
  if (!error) co_return;
  pass->lacks_parts = pass->lacks_parts || needed;
  if (!*first) *first = std::move(error);
}

asio::awaitable<Failure> Reconciler::apply_child(Pass* pass, resources::Child child) {
  const kube::Place place{*child.type, pass->cluster.ns, std::string(kube::name_of(child.object))};
  const auto id = fmt::format("{}/{}", child.type->kind, place.name);
  const auto* seen = store_.find(*child.type, pass->cluster.ns + "/" + place.name);
  const auto wanted = digest_of(child.object);
  if (seen != nullptr) {
    if (kube::being_deleted(*seen)) co_return std::nullopt;  // made again when it has gone
    if (pass->state->applied[id] == wanted + digest_of(*seen)) co_return std::nullopt;
  }
  if (seen == nullptr || !kube::owned_by(*seen, pass->cluster.uid)) {
    // The cache shows what has our labels; somebody else's object of that name would be overwritten unseen.
    const auto live = co_await client_.get(place);
    if (!live && live.error().code != Errc::not_found) co_return live.error();
    if (live && !kube::owned_by(*live, pass->cluster.uid)) {
      co_return conflict(fmt::format("{} {} is there and not this cluster's; delete or rename it, or wait until it has gone", child.type->kind, place.name));
    }
  }
  const auto applied = co_await client_.apply(std::move(child.object), place);
  if (!applied) co_return applied.error();
  pass->state->applied[id] = wanted + digest_of(*applied);
  co_return std::nullopt;
}

// What the spec no longer asks for.
asio::awaitable<Failure> Reconciler::prune(Pass* pass, const std::vector<std::string>* wanted) {
  for (const auto* type : {&types::kNetworkPolicies, &types::kIngresses}) {
    std::vector<std::pair<std::string, std::string>> extra;  // name, uid
    for (const auto* object : store_.children(*type, pass->key)) {
      const auto id = fmt::format("{}/{}", type->kind, kube::name_of(*object));
      if (std::find(wanted->begin(), wanted->end(), id) != wanted->end() || kube::being_deleted(*object) || !kube::owned_by(*object, pass->cluster.uid)) continue;
      extra.emplace_back(kube::name_of(*object), kube::uid_of(*object));
    }
    for (const auto& [name, uid] : extra) {
      kube::DeleteOptions options;
      options.only_if.uid = uid;
      const kube::Place place{*type, pass->cluster.ns, name};
      const auto removed = co_await client_.remove(place, options);
      if (!removed && removed.error().code != Errc::conflict) co_return removed.error();
    }
  }
  co_return std::nullopt;
}

// ---- the controller ----

void Reconciler::find_controller(Pass* pass) {
  const auto* service = store_.find(types::kServices, pass->cluster.ns + "/" + resources::part_name(pass->cluster.name, resources::kController));
  const auto address = service == nullptr ? std::string() : std::string(kube::text_at(*service, "spec.clusterIP"));
  controllers_.set(pass->key, address, resources::kHttpPort, pass->state->access.access.api_token);
  pass->view = controllers_.view(pass->key, pass->state->view_age);
}

// A Pod of the part that does not start, or ends again and again.
std::optional<reconcile::Trouble> Reconciler::trouble_of(const Pass& pass, std::string_view component) const {
  for (const auto* object : store_.pods(pass.key)) {
    if (kube::member_text(kube::object_at(*object, "metadata.labels"), resources::kComponentLabel) != component) continue;
    const auto pod = reconcile::read_pod(*object);
    if (!pod.ready && !pod.terminating && !pod.reason.empty()) return reconcile::Trouble{pod.reason, fmt::format("{}: {}", pod.name, pod.message)};
  }
  return std::nullopt;
}

// ---- telling ----

asio::awaitable<Failure> Reconciler::tell_status(Pass* pass) {
  const auto& cluster = pass->cluster;
  const auto& state = *pass->state;
  const auto part = [&](const kube::ResourceType& type, std::string_view component) {
    return store_.find(type, cluster.ns + "/" + resources::part_name(cluster.name, component));
  };
  reconcile::Situation situation{cluster, pass->view, pass->plan};
  situation.nats_ready = has_ready(part(types::kStatefulSets, resources::kNats));
  situation.controller_ready = has_ready(part(types::kDeployments, resources::kController));
  if (!situation.nats_ready) situation.nats_trouble = trouble_of(*pass, resources::kNats);
  if (!situation.controller_ready) situation.controller_trouble = trouble_of(*pass, resources::kController);
  situation.access = state.access.trouble;
  situation.failure = state.failure;
  if (pass->first_error && !pass->first_error->transient()) {
    const auto& error = *pass->first_error;
    situation.failure = reconcile::Trouble{error.reason.empty() ? std::string(kube::to_string(error.code)) : error.reason, error.message};
  }
  situation.crash_loop = state.memory.failures > reconcile::kFreeFailures;
  const auto* before = kube::find_at(pass->resource, "status");
  auto status = reconcile::status_of(situation, before, std::chrono::system_clock::now());
  if (reconcile::same_status(before, status)) co_return std::nullopt;
  const auto place = pass->place();
  const auto told = co_await client_.apply_status(place, std::move(status));
  // Somebody has deleted it meanwhile.
  if (!told && told.error().code != Errc::not_found) co_return told.error();
  co_return std::nullopt;
}

asio::awaitable<PassResult> Reconciler::tell_errors(Pass* pass) {
  const auto* before = kube::find_at(pass->resource, "status");
  auto status = reconcile::status_of_errors(pass->cluster, before, std::chrono::system_clock::now());
  if (pass->state->errors_told != pass->cluster.generation) {
    pass->state->errors_told = pass->cluster.generation;
    auto text = crd::to_string(pass->cluster.errors);
    co_await note(pass, true, "InvalidSpec", "Read", std::move(text));
  }
  if (reconcile::same_status(before, status)) co_return PassResult{};
  const auto place = pass->place();
  const auto told = co_await client_.apply_status(place, std::move(status));
  co_return PassResult{told ? Failure() : Failure(told.error()), milliseconds(0)};
}

asio::awaitable<void> Reconciler::note(Pass* pass, bool warning, std::string_view reason, std::string_view action, std::string text) {
  kube::EventNote event{warning ? kube::EventNote::Kind::warning : kube::EventNote::Kind::normal, std::string(reason), std::string(action), std::move(text),
                        options_.instance};
  spdlog::info("{}: {}: {}", pass->key, event.reason, event.note);
  const auto noted = co_await client_.note(pass->resource, std::move(event));
  if (!noted) spdlog::warn("{}: no event could be made: {}", pass->key, kube::to_string(noted.error()));
}

// Kubernetes collects what a cluster owned. Its engines need not drain for a controller that goes too.
asio::awaitable<PassResult> Reconciler::clear_up(std::string key) {
  controllers_.forget(key);
  states_.erase(key);
  std::vector<std::pair<std::string, std::string>> left;
  for (const auto* pod : store_.pods(key)) {
    const auto uid = std::string(kube::uid_of(*pod));
    const bool engine = kube::member_text(kube::object_at(*pod, "metadata.labels"), resources::kComponentLabel) == resources::kEngine;
    const auto& owners = kube::array_at(*pod, "metadata.ownerReferences");
    const bool made_by_us = !owners.empty() && kube::text_at(owners[0], "kind") == types::kParallelClusters.kind;
    if (!engine || !made_by_us || store_.was_removed(uid)) continue;
    left.emplace_back(kube::name_of(*pod), uid);
  }
  for (const auto& [name, uid] : left) {
    kube::DeleteOptions options;
    options.only_if.uid = uid;
    options.grace_seconds = kGraceOfTheOrphaned;
    const kube::Place place{types::kPods, key.substr(0, key.find('/')), name};
    const auto removed = co_await client_.remove(place, options);
    if (!removed && removed.error().code != Errc::conflict) co_return PassResult{removed.error(), milliseconds(0)};
    store_.removed_pod(fmt::format("{}/{}", place.ns, place.name), uid);
  }
  co_return PassResult{};
}

}  // namespace covey::operating

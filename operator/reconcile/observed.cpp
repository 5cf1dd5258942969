#include "operator/reconcile/observed.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"
#include "operator/resources/names.hpp"

namespace covey::reconcile {

namespace json = boost::json;
using kube::array_at;
using kube::text_at;

namespace {

std::string text(const json::value& from, std::string_view path) { return std::string(text_at(from, path)); }

// A container that waits for something other than its ordinary start.
void read_waiting(const json::value& status, Pod& pod) {
  const auto reason = text(status, "state.waiting.reason");
  if (reason.empty() || reason == "ContainerCreating" || reason == "PodInitializing") return;
  pod.reason = reason;
  pod.message = text(status, "state.waiting.message");
  if (pod.message.find(text_at(status, "image")) == std::string::npos) pod.message += fmt::format(" (image {})", text(status, "image"));
}

// Empty where there is none.
std::string memory_limit_of(const json::value& object) {
  for (const auto& container : array_at(object, "spec.containers")) {
    if (const auto limit = text_at(container, "resources.limits.memory"); !limit.empty()) return fmt::format("its memory limit is {}", limit);
  }
  return {};
}

// Set where not its own process ends it: the eviction API, the scheduler for a Pod of a higher priority, a taint, its node's kubelet.
const json::value* disruption_of(const json::value& object) {
  for (const auto& condition : array_at(object, "status.conditions")) {
    if (text_at(condition, "type") == "DisruptionTarget" && text_at(condition, "status") == "True") return &condition;
  }
  return nullptr;
}

void read_end(const json::value& object, Pod& pod) {
  pod.reason = text(object, "status.reason");  // Evicted, NodeLost
  pod.message = text(object, "status.message");
  for (const auto& status : array_at(object, "status.containerStatuses")) {
    if (kube::find_at(status, "state.terminated") == nullptr) continue;
    pod.exit_code = static_cast<int>(kube::integer_at(status, "state.terminated.exitCode").value_or(0));
    if (pod.reason.empty()) pod.reason = text(status, "state.terminated.reason");
  }
  if (const auto* disruption = disruption_of(object)) {
    pod.reason = text(*disruption, "reason");
    pod.message = text(*disruption, "message");
  }
  if (pod.message.empty() && pod.reason == "OOMKilled") pod.message = memory_limit_of(object);
  if (pod.message.empty()) pod.message = fmt::format("exit status {}", pod.exit_code);
}

void read_conditions(const json::value& object, Pod& pod) {
  for (const auto& condition : array_at(object, "status.conditions")) {
    const auto type = text_at(condition, "type"), status = text_at(condition, "status");
    if (type == "Ready") pod.ready = status == "True";
    if (type == "PodScheduled" && status == "False") {
      pod.reason = text(condition, "reason");
      pod.message = text(condition, "message");
    }
  }
}

Engine::State state_of(std::string_view text) {
  if (text == "idle") return Engine::State::idle;
  if (text == "busy") return Engine::State::busy;
  return text == "draining" ? Engine::State::draining : Engine::State::joining;
}

double number_at(const json::value& from, std::string_view path) {
  const auto* value = kube::find_at(from, path);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

}  // namespace

Pod read_pod(const json::value& object) {
  Pod pod;
  pod.name = std::string(kube::name_of(object));
  pod.uid = std::string(kube::uid_of(object));
  pod.hash = std::string(kube::member_text(kube::object_at(object, "metadata.labels"), resources::kHashLabel));
  pod.terminating = kube::being_deleted(object);
  pod.created = kube::parse_rfc3339(text_at(object, "metadata.creationTimestamp")).value_or(WallTime{});
  const auto drain = kube::member_text(kube::object_at(object, "metadata.annotations"), resources::kDrainAnnotation);
  if (!drain.empty()) pod.drain_began = kube::parse_rfc3339(drain);
  if (const auto* disruption = disruption_of(object)) pod.disruption = fmt::format("{}: {}", text_at(*disruption, "reason"), text_at(*disruption, "message"));
  const auto phase = text_at(object, "status.phase");
  pod.phase = phase == "Running" ? Pod::Phase::running : phase == "Failed" || phase == "Succeeded" ? Pod::Phase::ended : Pod::Phase::pending;
  if (pod.phase == Pod::Phase::ended) {
    read_end(object, pod);
    return pod;
  }
  read_conditions(object, pod);
  for (const auto& status : array_at(object, "status.containerStatuses")) read_waiting(status, pod);
  return pod;
}

std::optional<std::string> read_engines(const json::value& page, std::vector<Engine>& into) {
  for (const auto& each : array_at(page, "engines")) {
    Engine engine;
    engine.id = text(each, "id");
    engine.name = text(each, "name");
    engine.state = state_of(text_at(each, "state"));
    engine.tasks = kube::integer_at(each, "tasks").value_or(0);
    engine.idle_s = number_at(each, "idle_s");
    engine.up_s = number_at(each, "up_s");
    into.push_back(std::move(engine));
  }
  auto next = text(page, "next");
  return next.empty() ? std::nullopt : std::optional(std::move(next));
}

}  // namespace covey::reconcile

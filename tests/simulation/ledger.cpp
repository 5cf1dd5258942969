#include "tests/simulation/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace covey::simulation {

using wire::TaskStatus;

std::string args_of(const Plan& plan, std::size_t size) {
  std::string args(std::max<std::size_t>(size, 3), static_cast<char>(plan.deed));
  args[1] = static_cast<char>(plan.value_kb);
  return args;
}

Plan* Ledger::find(const wire::TaskId& task) {
  const auto found = plans_.find(task);
  return found == plans_.end() ? nullptr : &found->second;
}

std::string Ledger::describe(const wire::TaskId& task) {
  const Plan& plan = *find(task);
  return fmt::format("{} ({}, {} kB{}{}{}{}{}{}{}{}{}, {} runs)", wire::to_string(task), static_cast<char>(plan.deed), plan.value_kb,
                     plan.large_args ? ", large arguments" : "", plan.direct ? ", direct" : "", plan.detached ? ", detached" : "",
                     plan.timed ? ", timed" : "", plan.depends ? ", depends" : "", plan.bound ? ", bound" : "",
                     plan.at_most_one_attempt ? ", once" : "", plan.cancelled ? ", cancelled" : "",
                     plan.key != 0 ? fmt::format(", key {}", plan.key) : "", plan.runs);
}

std::string Ledger::arrives(const wire::TaskId& task, std::string_view args) {
  const Plan* plan = find(task);
  const bool right = plan != nullptr && args.size() >= 3 && args[0] == static_cast<char>(plan->deed) && args.back() == args[0] &&
                     static_cast<std::uint8_t>(args[1]) == plan->value_kb && (args.size() > 30'000) == plan->large_args;
  return right ? "" : fmt::format("task {} got arguments that nobody sent", wire::to_string(task));
}

std::string Ledger::begins(const wire::TaskId& task) {
  Plan& plan = plans_.at(task);
  if (++plan.runs > 1 && (plan.once || plan.direct)) {
    return fmt::format("task {} may run at most once, and has begun twice", describe(task));
  }
  return {};
}

bool Ledger::allowed(const Plan& plan, TaskStatus status) const {
  if (status == TaskStatus::ok) return plan.deed != Deed::fail;
  if (status == TaskStatus::failed) return plan.deed == Deed::fail;
  if (status == TaskStatus::cancelled) return plan.cancelled || (plan.key != 0 && !plan.fair);
  if (plan.fair) return false;
  const bool shared = plan.key != 0;  // the outcome of another task, with other limits
  switch (status) {
    case TaskStatus::timed_out: return plan.timed || shared;
    case TaskStatus::engine_died: return !plan.direct;
    case TaskStatus::engine_lost: return plan.direct;
    case TaskStatus::payload_lost: return plan.value_kb > 0 || plan.large_args || shared;
    case TaskStatus::result_expired: return plan.value_kb > 0 || shared;  // it made room for others while its client was away
    case TaskStatus::payload_unreachable: return plan.direct && plan.large_args;
    case TaskStatus::outcome_unknown: return (plan.at_most_one_attempt && !plan.direct) || shared;
    case TaskStatus::dependency_failed: return plan.depends || shared;
    case TaskStatus::unschedulable: return plan.bound || shared;
    default: return false;
  }
}

std::string Ledger::ends(const wire::TaskId& task, TaskStatus status, std::uint32_t attempts, std::string_view value) {
  const Plan* plan = find(task);
  if (plan == nullptr) return fmt::format("task {} has a result, and nobody submitted it", wire::to_string(task));
  if (!allowed(*plan, status)) {
    return fmt::format("task {} ended as {}{}", describe(task), wire::to_string(status), plan->fair ? " in fair weather" : "");
  }
  if (attempts > plan->attempts && plan->key == 0) {
    return fmt::format("task {} took {} attempts, {} allowed", wire::to_string(task), attempts, plan->attempts);
  }
  if (status != TaskStatus::ok) return {};
  const std::size_t expected = plan->detached ? 0 : std::size_t{plan->value_kb} * 1'000;
  if (value.size() != expected || (expected > 0 && static_cast<std::uint8_t>(value.back()) != plan->value_kb)) {
    return fmt::format("task {} has a value of {} bytes, not of {}", wire::to_string(task), value.size(), expected);
  }
  return {};
}

std::string Ledger::told(const wire::TaskId& task, std::string_view status) {
  const Plan* plan = find(task);
  for (int value = 0; plan != nullptr && value <= static_cast<int>(wire::kLastTaskStatus); ++value) {
    const auto known = static_cast<TaskStatus>(value);
    if (wire::to_string(known) == status && allowed(*plan, known)) return {};
  }
  return fmt::format("the controller says that task {} ended as {}", wire::to_string(task), status);
}

std::string Ledger::fair_runs() const {
  std::map<std::uint64_t, std::uint32_t> by_key;
  for (const auto& [task, plan] : plans_) {
    if (!plan.fair) continue;
    if (plan.key != 0) {
      by_key[plan.key] += plan.runs;
    } else if (plan.cancelled ? plan.runs > 1 : plan.runs != 1) {
      return fmt::format("task {} ran {} times in fair weather", wire::to_string(task), plan.runs);
    }
  }
  for (const auto& [key, runs] : by_key) {
    if (runs != 1) return fmt::format("tasks with the key {} ran {} times in fair weather", key, runs);
  }
  return {};
}

}  // namespace covey::simulation

// What the simulated clients want while the weather is bad.
#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/world.hpp"

namespace covey::simulation {

void World::work() {
  if (clients_.empty()) return;
  auto& client = process<ClientProcess>(clients_[below(clients_.size())]);
  if (client.stopped_until > now_) return;
  if (client.room() > 0) one_in(5) ? submit_direct(client) : submit_some(client);
  if (one_in(10)) client.cancel_some();
  if (one_in(8)) ask_something(client);
  after_event(client);
}

wire::TaskSpec World::some_spec() {
  wire::TaskSpec spec;
  spec.function = "deed";
  const auto kind = below(100);
  spec.max_attempts = kind < 15 ? 1 : static_cast<std::uint32_t>(2 + below(3));
  spec.retries = kind % 5 == 0 ? static_cast<std::uint32_t>(below(3)) : 0;
  spec.retry_delay_ms = spec.retries > 0 ? below(20) : 0;
  spec.priority = static_cast<std::int32_t>(below(3));
  spec.timeout_ms = kind == 99 ? 200 : 0;
  spec.detached = kind >= 90 && kind < 97;
  const auto where = below(20);
  if (where == 0 && !engines_.empty()) {
    for (auto count = 1 + below(2); count > 0; --count) spec.targets.push_back(process<EngineProcess>(engines_[below(engines_.size())]).id);
  } else if (where == 1) {
    spec.labels = {one_in(2) ? "kind=a" : "kind=b"};
  }
  return spec;
}

Plan World::some_plan(const wire::TaskSpec& spec) {
  Plan plan;
  const auto roll = below(1'000);
  plan.deed = roll < 700 ? Deed::quick : roll < 930 ? Deed::brief : roll < 960 ? Deed::slow : roll < 998 ? Deed::fail : Deed::poison;
  plan.value_kb = static_cast<std::uint8_t>(one_in(50) ? 33 + below(100) : 0);
  plan.bound = !spec.targets.empty();
  return plan;
}

// Tasks with one key do the same, whoever submits them.
Plan World::keyed_plan(const wire::TaskSpec& spec, std::uint64_t key) {
  Plan plan;
  plan.key = key;
  plan.deed = key % 7 == 0 ? Deed::fail : key % 3 == 0 ? Deed::brief : Deed::quick;
  plan.value_kb = key % 5 == 0 ? 40 : 0;
  plan.bound = !spec.targets.empty();
  return plan;
}

wire::SubmitExtras World::some_extras(ClientProcess& client, std::uint64_t last, Plan& plan) {
  wire::SubmitExtras extras;
  if (last != 0 && one_in(20)) {
    const bool after = one_in(2);
    (after ? extras.after : extras.follow).tasks.push_back({client.core.id_of(last)});
    extras.after.failure = extras.follow.failure = one_in(2);
    plan.depends = true;
    plan.bound = plan.bound || !after;
  }
  return extras;
}

void World::submit_some(ClientProcess& client) {
  const auto spec = some_spec();
  const std::uint64_t count = 1 + below(one_in(10) ? 300 : 10);
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool keyed = one_in(40);
    if (keyed && one_in(2)) ++next_key_;
    Plan plan = keyed ? keyed_plan(spec, next_key_) : some_plan(spec);
    auto extras = some_extras(client, last, plan);
    if (keyed) extras.idempotency_key = std::to_string(plan.key);
    const auto task = client.submit(plan, spec, extras, one_in(50) ? 33'000 + below(300'000) : 0);
    last = task.sequence;
    if (one_in(200)) client.cancel(task);
  }
}

void World::submit_direct(ClientProcess& client) {
  wire::TaskSpec spec;
  spec.function = "deed";
  const std::uint64_t count = 1 + below(one_in(10) ? 300 : 10);
  for (std::uint64_t i = 0; i < count; ++i) {
    Plan plan = some_plan(spec);
    plan.direct = true;
    const auto task = client.submit(plan, spec, {}, one_in(50) ? 33'000 + below(300'000) : 0);
    if (one_in(100)) client.cancel(task);
  }
}

void World::ask_something(ClientProcess& client) {
  const auto about_engine = [&](std::string_view what) {
    if (engines_.empty()) return;
    const auto id = process<EngineProcess>(engines_[below(engines_.size())]).id;
    client.core.request(fmt::format(R"({{"what":"{}","engine":"{}"}})", what, wire::to_string(id)));
  };
  const auto roll = below(100);
  if (roll < 5) return about_engine("drain");
  if (roll < 20) return about_engine("resume");
  if (roll < 21) return about_engine("leave");
  if (roll < 24) return static_cast<void>(client.core.request(R"({"what":"status"})"));
  if (roll < 26) return static_cast<void>(client.core.request(R"({"what":"engines"})"));
  if (roll < 30 && !client.outstanding.empty()) {
    const auto task = client.outstanding.begin()->second;
    return static_cast<void>(client.core.request(fmt::format(R"({{"what":"explain","task":"{}"}})", wire::to_string(task))));
  }
  if (roll < 40 && !left_behind_.empty()) return client.ask_for_result(left_behind_[below(left_behind_.size())]);
  if (!client.kept.empty()) client.ask_for_result(std::next(client.kept.begin(), static_cast<std::ptrdiff_t>(below(client.kept.size())))->first);
}

}  // namespace covey::simulation

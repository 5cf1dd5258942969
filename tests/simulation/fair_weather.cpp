// The last act: nothing fails any more, so each task of whatever kind has to run once and end as it should.
#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/world.hpp"

namespace covey::simulation {

void World::resume_engines() {
  for (const auto serial : engines_) {
    const auto& engine = process<EngineProcess>(serial);
    if (!engine.core.draining() || engine.core.leaving()) continue;
    broker().ask(fmt::format(R"({{"what":"resume","engine":"{}"}})", wire::to_string(engine.id)), now_);
    after_event(*processes_.at(controller_));
  }
}

void World::submit_fair(ClientProcess& client, std::uint64_t keys) {
  const auto submit = [&](const wire::TaskSpec& spec, Plan plan, std::size_t args = 0) {
    plan.fair = true;
    wire::SubmitExtras extras;
    if (plan.key != 0) extras.idempotency_key = std::to_string(plan.key);
    return client.submit(plan, spec, extras, args);
  };
  const auto plan = [](Deed deed, std::uint8_t value_kb = 0, bool direct = false) {
    Plan made;
    made.deed = deed;
    made.value_kb = value_kb;
    made.direct = direct;
    return made;
  };
  wire::TaskSpec plain, once, bound, labelled, detached;
  for (auto* spec : {&plain, &once, &bound, &labelled, &detached}) spec->function = "deed";
  once.max_attempts = 1;
  bound.targets = {process<EngineProcess>(engines_[below(engines_.size())]).id};
  labelled.labels = {one_in(2) ? "kind=a" : "kind=b"};
  detached.detached = true;
  for (int i = 0; i < 30; ++i) {
    for (const bool direct : {false, true}) {
      submit(plain, plan(i % 5 == 0 ? Deed::brief : Deed::quick, 0, direct));
      if (i % 10 == 0) submit(plain, plan(Deed::brief, 50, direct), 40'000);
      if (i % 10 == 1) submit(plain, plan(Deed::fail, 0, direct));
      if (i % 10 == 2) client.cancel(submit(plain, plan(Deed::slow, 0, direct)));
    }
    submit(i % 3 == 0 ? once : i % 3 == 1 ? bound : labelled, plan(Deed::quick));
    if (i % 10 == 3) submit(detached, plan(Deed::quick, i % 20 == 3 ? 60 : 0));
  }
  for (std::uint64_t key = keys; key < keys + 5; ++key) {
    Plan keyed = keyed_plan(plain, key);
    submit(plain, keyed);
    submit(plain, keyed);
  }
}

// A client that goes while its detached tasks, some with large arguments, are still to run.
void World::leave_work_behind(ClientProcess& client) {
  wire::TaskSpec detached;
  detached.function = "deed";
  detached.detached = true;
  for (int i = 0; i < 20; ++i) {
    Plan plan;
    plan.fair = true;
    plan.deed = i % 4 == 0 ? Deed::slow : Deed::quick;
    left_behind_.push_back(client.submit(plan, detached, {}, i % 5 == 0 ? 50'000 : 0));
  }
  client.leave();
}

void World::ask_again(ClientProcess& client) {
  for (const auto& task : left_behind_) {
    if (!client.kept.contains(task) || !client.kept.at(task).answered) client.ask_for_result(task);
  }
  after_event(client);
}

void World::fair_weather() {
  left_behind_.clear();
  while (clients_.size() < kClients) start_client();
  const auto leaver = start_client();
  const auto ready = [&] {
    const bool clients = std::all_of(clients_.begin(), clients_.end(), [&](auto serial) { return process<ClientProcess>(serial).core.linked(); });
    return clients && broker().live_engines() == engines_.size() &&
           std::none_of(engines_.begin(), engines_.end(), [&](auto serial) { return process<EngineProcess>(serial).core.draining(); });
  };
  if (!run_until(ready, std::chrono::minutes(2))) return fail("in fair weather not everybody finds the controller");
  const auto keys = next_key_ + 1;
  for (const auto serial : clients_) {
    auto& client = process<ClientProcess>(serial);
    serial == leaver ? leave_work_behind(client) : submit_fair(client, keys);
    after_event(client);
  }
  auto& reader = process<ClientProcess>(clients_.front());
  wire::Time next_question = now_;
  const auto all_read = [&] {
    if (now_ >= next_question) {
      ask_again(reader);
      next_question = now_ + std::chrono::milliseconds(500);
    }
    return std::all_of(left_behind_.begin(), left_behind_.end(), [&](const auto& task) { return reader.kept.at(task).answered; });
  };
  if (!run_until(all_read, kResultTtl)) return fail("the results of a client that left in fair weather are not there");
  if (!run_until([&] { return settled(); }, std::chrono::minutes(2))) return fail("after fair weather " + what_is_left());
  check(ledger_.fair_runs());
}

}  // namespace covey::simulation

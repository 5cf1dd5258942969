// The simulation's loop and its end; bus.cpp, faults.cpp, work.cpp and fair_weather.cpp have what happens in it.
#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

namespace covey::simulation {

World::World(Options options) : options_(options), random_(options.seed) {}
World::~World() = default;

void World::fail(std::string what) {
  if (report_.failure.empty()) report_.failure = fmt::format("event {}: {}", report_.events, what);
}

void World::print(const std::string& line) const {
  fmt::print("{} {:.6f} {}\n", report_.events, std::chrono::duration<double>(now_.time_since_epoch()).count(), line);
}

void World::post(wire::Duration delay, std::uint64_t process, Event::Kind kind, std::uint64_t argument) {
  events_.push({now_ + delay, next_order_++, process, kind, wire::Role::controller, argument, nullptr});
}

void World::after_event(Process& process) {
  if (process.stopped_until > now_) return;
  process.end_turn();
  const wire::Time deadline = process.deadline();
  if (deadline < process.timer) {
    process.timer = deadline;
    post(std::max(deadline, now_) - now_, process.serial, Event::Kind::timer, ++process.timer_number);
  }
}

void World::handle(const Event& event) {
  const auto found = processes_.find(event.process);
  if (found == processes_.end()) return;
  Process& process = *found->second;
  switch (event.kind) {
    case Event::Kind::timer:
      if (event.argument != process.timer_number) return;  // an earlier one has been set since
      process.timer = wire::kNever;
      process.on_timer();
      break;
    case Event::Kind::frame:
      if (up_) process.on_frame(event.sender, wire::as_bytes(*event.frame));
      break;
    case Event::Kind::run_done: process.on_run_done(event.argument); break;
    case Event::Kind::direct_over: process.on_direct_over(); break;
  }
  if (!process.over) after_event(process);
  if (process.over) kill(event.process);
}

void World::step() {
  Event event = events_.top();
  events_.pop();
  if (!up_ && event.at >= up_at_) {
    now_ = std::max(now_, up_at_);
    bus_up(true);
  }
  now_ = std::max(now_, event.at);
  ++report_.events;
  const auto found = processes_.find(event.process);
  if (found != processes_.end() && found->second->stopped_until > now_) {
    event.at = found->second->stopped_until;
    events_.push(std::move(event));
  } else {
    handle(event);
  }
  inject_faults();
  if (!calm_ && chance(0.02)) work();
  if (report_.events % 256 == 0 && controller_ != 0) {
    broker().check();
    if (calm_) resume_engines();
    while (calm_ && engines_.size() < kEngines) start_engine();  // as whoever runs a cluster does when one leaves
  }
}

bool World::run_until(const std::function<bool()>& done, wire::Duration limit) {
  const wire::Time deadline = now_ + limit;
  while (!done()) {
    if (now_ >= deadline || !report_.failure.empty() || events_.empty()) return false;
    step();
  }
  return report_.failure.empty();
}

bool World::settled() {
  const bool clients = std::all_of(clients_.begin(), clients_.end(), [&](auto serial) {
    const auto& client = process<ClientProcess>(serial);
    return client.outstanding.empty() && client.core.unfinished() == 0 && !client.leaving;
  });
  const bool engines = std::all_of(engines_.begin(), engines_.end(), [&](auto serial) {
    const auto& core = process<EngineProcess>(serial).core;
    return core.held_values() == 0 && core.held_value_bytes() == 0 && core.held() == 0;
  });
  return clients && engines && broker().unfinished_tasks() == 0 && broker().spilled_bytes() == 0 && broker().result_bytes() == 0;
}

std::string World::what_is_left() {
  std::size_t results = 0, values = 0, runs = 0;
  for (const auto serial : clients_) {
    for (const auto& [cookie, task] : process<ClientProcess>(serial).outstanding) {
      ++results;
      tell([&] { return fmt::format("client {} has no result of {}", serial, ledger_.describe(task)); });
    }
  }
  for (const auto serial : engines_) {
    values += process<EngineProcess>(serial).core.held_values();
    runs += process<EngineProcess>(serial).core.held();
  }
  tell([&] { return "engines: " + broker().ask(R"({"what":"engines"})", now_); });
  for (std::string cursor = "u0"; options_.verbose && broker().unfinished_tasks() > 0 && cursor.starts_with('u');) {
    const auto page = boost::json::parse(broker().ask(fmt::format(R"({{"what":"tasks","cursor":"{}"}})", cursor), now_)).as_object();
    for (const auto& task : page.at("tasks").as_array()) tell([&] { return "unfinished: " + boost::json::serialize(task); });
    cursor = page.contains("next") ? std::string(page.at("next").as_string()) : "";
  }
  return fmt::format("{} results never came, {} tasks are unfinished in the controller ({} ready, {} engines), {} runs and {} values are "
                     "held by engines, {} bytes are spilled, and {} bytes of results are kept",
                     results, broker().unfinished_tasks(), broker().ready_tasks(), broker().live_engines(), runs, values,
                     broker().spilled_bytes(), broker().result_bytes());
}

// The weather clears.
void World::calm_down() {
  calm_ = true;
  bus_up(true);
  for (auto& [serial, process] : processes_) process->stopped_until = std::min(process->stopped_until, now_ + std::chrono::seconds(1));
  if (controller_ == 0) start_controller();
  while (engines_.size() < kEngines) start_engine();
}

Report World::run() {
  start_controller();
  for (std::size_t i = 0; i < kEngines; ++i) start_engine();
  for (std::size_t i = 0; i < kClients; ++i) start_client();
  while (report_.events < options_.events && report_.failure.empty()) {
    if (events_.empty()) {
      now_ += std::chrono::milliseconds(100);
      post(wire::Duration::zero(), 0, Event::Kind::timer);
    }
    step();
  }
  if (!report_.failure.empty()) return report_;
  calm_down();
  // Whatever has been promised has to come true within two minutes.
  if (!run_until([&] { return settled(); }, std::chrono::minutes(2))) fail(what_is_left());
  while (engines_.size() < kEngines) start_engine();
  if (report_.failure.empty()) fair_weather();
  broker().check();
  report_.late_results_used = broker().counters().late_results_used;
  report_.requeued = broker().counters().requeued;
  return report_;
}

}  // namespace covey::simulation

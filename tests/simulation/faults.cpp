// How simulated processes come, go, and stand still.
#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/world.hpp"

namespace covey::simulation {

void World::start_controller() {
  controller::Config config;
  config.seed = random_();
  config.policy = static_cast<controller::Policy>(below(5));
  config.max_tasks = 20'000;
  config.result_ttl = kResultTtl;
  config.payload_grace = std::chrono::seconds(10);
  if (one_in(3)) config.max_spill_bytes = 300'000;  // too little for all that may have to be taken over
  const auto serial = next_serial_++;
  auto process = std::make_unique<ControllerProcess>(*this, serial, static_cast<wire::Incarnation>(random_()), config);
  controller_ = serial;
  auto& started = *(processes_[serial] = std::move(process));
  if (up_) started.on_connected();
  after_event(started);
}

void World::start_engine() {
  engine::Config config;
  config.slots = static_cast<std::uint32_t>(1 + below(3));
  config.first_credit = 1 + below(16);
  if (one_in(3)) config.max_value_bytes = 300'000;
  // Of either kind there is always one in the end.
  const auto kinds = [&](std::string_view label) {
    return std::count_if(engines_.begin(), engines_.end(), [&](auto serial) { return process<EngineProcess>(serial).config.labels[0] == label; });
  };
  config.labels = {kinds("kind=a") <= kinds("kind=b") ? "kind=a" : "kind=b"};
  if (one_in(2)) config.labels.emplace_back("disk=large");
  const auto serial = next_serial_++;
  auto process = std::make_unique<EngineProcess>(*this, serial, static_cast<wire::Incarnation>(random_()), config);
  engines_.push_back(serial);
  auto& started = *(processes_[serial] = std::move(process));
  if (up_) started.on_connected();
  after_event(started);
}

std::uint64_t World::start_client() {
  const auto serial = next_serial_++;
  const auto id = static_cast<wire::Incarnation>(random_());
  auto process = std::make_unique<ClientProcess>(*this, serial, id, static_cast<wire::SessionId>(random_() | 1));
  clients_.push_back(serial);
  auto& started = *(processes_[serial] = std::move(process));
  if (up_) started.on_connected();
  after_event(started);
  return serial;
}

void World::kill(std::uint64_t serial) {
  ++report_.kills;
  tell([&] { return fmt::format("process {} ends", serial); });
  std::erase(engines_, serial);
  std::erase(clients_, serial);
  if (controller_ == serial) controller_ = 0;
  processes_.erase(serial);
}

// As under SIGSTOP, or on a machine that swaps: what comes for it meanwhile is read when it goes on.
void World::stop_some() {
  std::vector<std::uint64_t> all = engines_;
  all.insert(all.end(), clients_.begin(), clients_.end());
  if (controller_ != 0) all.push_back(controller_);
  if (all.empty()) return;
  const auto serial = all[below(all.size())];
  const auto duration = micros(1'000, one_in(2) ? 2'000'000 : 20'000'000);
  tell([&] { return fmt::format("process {} stands still for {} ms", serial, duration.count() / 1'000'000); });
  processes_.at(serial)->stopped_until = now_ + duration;
}

void World::inject_faults() {
  if (calm_) return;
  const Faults& faults = options_.faults;
  const auto any_client = [&]() -> ClientProcess& { return process<ClientProcess>(clients_[below(clients_.size())]); };
  if (chance(faults.kill_engine) && !engines_.empty()) kill(engines_[below(engines_.size())]);
  if (chance(faults.leave_engine) && !engines_.empty()) {
    process<EngineProcess>(engines_[below(engines_.size())]).core.drain(wire::DrainMode::leave);
  }
  if (chance(faults.kill_client) && !clients_.empty()) kill(any_client().serial);
  if (chance(faults.leave_client) && !clients_.empty()) {
    ClientProcess& leaver = any_client();
    for (const auto& [cookie, task] : leaver.outstanding) {
      if (ledger_.find(task)->detached) left_behind_.push_back(task);
    }
    leaver.leave();
  }
  if (chance(faults.kill_controller) && controller_ != 0) kill(controller_);
  if (chance(faults.stop_process)) stop_some();
  if (up_ && chance(faults.bus_outage)) {
    bus_up(false);
    up_at_ = now_ + micros(1'000, one_in(8) ? 40'000'000 : 6'000'000);
  }
  if (controller_ == 0 && chance(0.01)) start_controller();
  if (engines_.size() < kEngines && chance(0.005)) start_engine();
  if (clients_.size() < kClients && chance(0.005)) start_client();
}

}  // namespace covey::simulation

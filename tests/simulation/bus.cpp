// The simulated bus: subjects, one queue group, and what may happen to frames on their way.
#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/world.hpp"

namespace covey::simulation {

// Within a subject, frames keep their order, as NATS does; now and then one is late, and overtaken.
void World::deliver(std::uint64_t process, wire::Role sender, std::string_view subject, const std::shared_ptr<const std::string>& frame,
                    bool may_come_twice) {
  const bool bad = !calm_;
  if (bad && chance(options_.faults.loss)) {
    ++report_.lost_frames;
    return;
  }
  const int copies = bad && may_come_twice && chance(options_.faults.duplication) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    wire::Time at = now_ + micros(1'000, 80'000);
    if (!bad || !chance(options_.faults.long_delay)) {
      auto& last = last_arrival_[std::hash<std::string_view>{}(subject) ^ process];
      last = at = std::max(last, now_ + micros(40, 400));
    }
    events_.push({at, next_order_++, process, Event::Kind::frame, sender, 0, frame});
  }
}

void World::transmit(std::string_view subject, wire::ByteSpan frame) {
  if (!up_) return;
  ++report_.frames;
  const auto sender = subjects_.sender_role(subject);
  const auto shared = std::make_shared<const std::string>(wire::as_text(frame));
  if (subject == subjects_.announce()) {
    for (const auto& list : {engines_, clients_}) {
      for (const auto serial : list) deliver(serial, wire::Role::controller, subject, shared);
    }
  } else if (subject == subjects_.direct()) {
    // Not numbered by a link: nothing would notice a copy, and NATS makes none.
    std::vector<std::uint64_t> group;
    for (const auto serial : engines_) {
      if (process<EngineProcess>(serial).hears_direct) group.push_back(serial);
    }
    if (!group.empty()) deliver(group[below(group.size())], wire::Role::client, subject, shared, false);
  } else {
    for (const auto& [serial, process] : processes_) {
      if (process->hears(subject)) return deliver(serial, *sender, subject, shared);
    }
  }
}

void World::leave_group(std::uint64_t engine) {
  const auto last = last_arrival_.find(std::hash<std::string_view>{}(subjects_.direct()) ^ engine);
  wire::Time at = now_ + micros(40, 400);
  if (last != last_arrival_.end()) at = std::max(at, last->second);
  events_.push({at, next_order_++, engine, Event::Kind::direct_over, wire::Role::client, 0, nullptr});
}

void World::bus_up(bool up) {
  if (up == up_) return;
  up_ = up;
  tell([&] { return fmt::format("the bus is {}", up ? "up" : "down"); });
  std::vector<std::uint64_t> all;
  for (const auto& [serial, process] : processes_) all.push_back(serial);
  std::sort(all.begin(), all.end());
  for (const auto serial : all) {
    Process& process = *processes_.at(serial);
    up ? process.on_connected() : process.on_disconnected();
    after_event(process);
  }
}

}  // namespace covey::simulation

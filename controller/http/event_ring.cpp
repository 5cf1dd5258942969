#include "controller/http/event_ring.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "controller/http/target.hpp"

namespace covey::api {

std::string_view to_string(Event::Type type) {
  constexpr std::string_view kNames[] = {"engine", "map", "queues", "task", "skipped"};
  return kNames[static_cast<std::size_t>(type)];
}

bool EventFilter::passes(const Event& event) const {
  if (event.type == Event::Type::task || event.type == Event::Type::skipped) {
    if (!wants_tasks()) return false;
    if (event.type == Event::Type::skipped) return true;
    return (function.empty() || function == event.function) && (label.empty() || label == event.label) &&
           (status.empty() || status == event.status);
  }
  return names(event.type);
}

void EventRing::add(Event event) {
  event.number = ++total_;
  if (events_.size() == kKept) events_.pop_front();
  events_.push_back(std::move(event));
}

std::string EventRing::format(const Event& event) const {
  return fmt::format("id: {}-{}\nevent: {}\ndata: {}\n\n", era_, event.number, to_string(event.type), event.data);
}

std::optional<std::uint64_t> EventRing::resume_from(std::string_view id) const {
  const auto dash = id.rfind('-');
  if (dash == std::string_view::npos || id.substr(0, dash) != era_) return std::nullopt;
  const auto number = parse_number(id.substr(dash + 1));
  if (!number || *number > total_ || has_dropped_after(*number)) return std::nullopt;
  return *number;
}

const Event* EventRing::next(std::uint64_t& number, const EventFilter& filter) const {
  const std::uint64_t dropped = total_ - events_.size();
  for (number = std::max(number, dropped); number < total_;) {
    const Event& event = events_[number++ - dropped];
    if (filter.passes(event)) return &event;
  }
  return nullptr;
}

}  // namespace covey::api

// /v1/events: what happens, as a stream of server-sent events.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "controller/http/handlers.hpp"
#include "controller/http/requests.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

namespace {

constexpr auto kKeepAlive = std::chrono::seconds(15);
constexpr std::size_t kPiece = 64 * 1024;

Outcome<EventFilter> filter_of(const Query& query) {
  if (auto problem = query.check({"types", "function", "label", "status"})) return *problem;
  EventFilter filter;
  for (const auto& [name, into] : {std::pair{"function", &filter.function}, std::pair{"label", &filter.label}, std::pair{"status", &filter.status}}) {
    const auto* value = query.find(name);
    if (value == nullptr) continue;
    if (value->empty()) return Problem{Kind::invalid_parameter, fmt::format("'{}' is empty.", name), name, "a text"};
    *into = *value;
  }
  const auto* types = query.find("types");
  if (types == nullptr) return filter;
  filter.types = 0;
  for (std::string_view rest = *types; !rest.empty();) {
    const auto name = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    bool known = false;
    for (const auto type : {Event::Type::engine, Event::Type::map, Event::Type::queues, Event::Type::task}) {
      if (name != to_string(type)) continue;
      known = true;
      filter.types = static_cast<std::uint8_t>(filter.types | 1 << static_cast<int>(type));
    }
    if (!known) return Problem{Kind::invalid_parameter, fmt::format("There is no type '{}'.", name), "types", "some of engine, map, queues, task, with commas between"};
  }
  if (filter.names(Event::Type::task) && !filter.wants_tasks()) {
    return Problem{Kind::invalid_parameter, "Events of tasks come only with a filter.", "types", "function, label or status as well"};
  }
  return filter;
}

}  // namespace

Answer get_events(Exchange* exchange) {
  Services& services = exchange->services;
  EventHub& hub = services.events;
  const EventRing& ring = hub.ring();
  const auto filter = filter_of(exchange->target.query);
  if (!filter) co_return filter.error();
  if (exchange->is_head()) co_return Reply(200, {}, "text/event-stream");
  const StreamPlace place(services);
  if (!place.granted()) co_return place.problem();
  const EventHub::Listener listener(hub, *filter);
  co_await EventHub::look(&hub);  // what has happened before is not this stream's
  std::uint64_t number = ring.latest();
  std::string text = "retry: 1000\n\n";
  if (const auto last = exchange->header("Last-Event-ID"); !last.empty()) {
    if (const auto resumed = ring.resume_from(last)) {
      number = *resumed;
    } else {
      text += "event: reset\ndata: {\"reason\":\"what followed this id is not here any more: start again\"}\n\n";
    }
  }
  bool there = co_await exchange->begin("text/event-stream", false);
  while (there) {
    if (ring.has_dropped_after(number)) {
      text += "event: reset\ndata: {\"reason\":\"this stream was read too slowly, and events were dropped: start again\"}\n\n";
    }
    while (text.size() < kPiece) {
      const Event* event = ring.next(number, *filter);
      if (event == nullptr) break;
      text += ring.format(*event);
    }
    if (!text.empty()) {
      there = co_await exchange->write(text);
      text.clear();
      continue;
    }
    const bool news = co_await Signal::wait(hub.news(), kKeepAlive);
    if (!news) text = ": still here\n\n";
  }
  co_return Reply::done();
}

}  // namespace covey::api

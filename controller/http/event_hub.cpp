#include "controller/http/event_hub.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace covey::api {

namespace json = boost::json;

namespace {
constexpr auto kLookPause = std::chrono::milliseconds(250);  // every second look brings the queues' figures
constexpr std::uint64_t kTasksPerLook = 500;
}  // namespace

EventHub::EventHub(boost::asio::io_context& io, Gateway& gateway, MapStore& maps, std::string era)
    : io_(io), gateway_(gateway), maps_(maps), ring_(std::move(era)), news_(std::make_shared<Signal>(io)), woken_(std::make_shared<Signal>(io)) {}

void EventHub::publish(Event event) {
  ring_.add(std::move(event));
  news_->notify();
}

EventHub::Listener::Listener(EventHub& hub, const EventFilter& filter) : hub_(hub), tasks_(filter.wants_tasks()) {
  if (hub_.listeners_++ == 0) hub_.woken_->notify();
  if (tasks_) ++hub_.task_listeners_;
}
EventHub::Listener::~Listener() {
  --hub_.listeners_;
  if (tasks_) --hub_.task_listeners_;
}

// ---- looking for news ----

boost::asio::awaitable<void> EventHub::run(EventHub* hub) {
  for (std::uint64_t round = 0; !hub->stopping_; ++round) {
    const bool wanted = hub->listeners_ > 0;
    if (wanted || !hub->engine_after_) co_await look(hub);
    if (wanted && round % 2 == 0) co_await hub->tell_queues();
    if (round % 2 == 0) {
      hub->maps_.tick([hub](const Map& map) { hub->publish({0, Event::Type::map, map.describe(), {}, {}, {}}); });
    }
    if (!hub->stopping_) co_await Signal::wait(hub->woken_, kLookPause);
  }
}

// Two may ask at a time; what the second is told of either kind has been published by the first, unless the first did not ask for it.
boost::asio::awaitable<void> EventHub::look(EventHub* hub) {
  const auto engine_after = hub->engine_after_, task_after = hub->task_after_;
  const bool with_tasks = hub->task_listeners_ > 0;
  json::object request{{"what", "events"}};
  if (engine_after) request["engine_after"] = *engine_after;
  if (with_tasks) request["tasks"] = kTasksPerLook;
  if (with_tasks && task_after) request["task_after"] = *task_after;
  const auto answer = co_await hub->gateway_.ask(std::move(request));
  if (answer.failure != Gateway::Failure::none || answer.object.contains("error")) co_return;
  if (hub->engine_after_ == engine_after) hub->take_engines(answer.object);
  if (with_tasks && hub->task_after_ == task_after) hub->take_tasks(answer.object);
  if (hub->task_listeners_ == 0) hub->task_after_.reset();
}

void EventHub::take_engines(const json::object& answer) {
  engine_after_ = answer.at("engine_after").to_number<std::uint64_t>();
  for (const auto& engine : answer.at("engines").as_array()) publish({0, Event::Type::engine, json::serialize(engine), {}, {}, {}});
}

void EventHub::take_tasks(const json::object& answer) {
  task_after_ = answer.at("task_after").to_number<std::uint64_t>();
  if (const auto skipped = answer.at("skipped").to_number<std::uint64_t>(); skipped > 0) {
    publish({0, Event::Type::skipped, fmt::format(R"({{"tasks":{}}})", skipped), {}, {}, {}});
  }
  for (const auto& value : answer.at("tasks").as_array()) {
    const auto& task = value.as_object();
    const auto text = [&](const char* name) {
      const auto* found = task.if_contains(name);
      return found == nullptr ? std::string() : std::string(found->as_string());
    };
    publish({0, Event::Type::task, json::serialize(task), text("function"), text("label"), text("status")});
  }
}

boost::asio::awaitable<void> EventHub::tell_queues() {
  json::object request{{"what", "status"}};
  const auto answer = co_await gateway_.ask(std::move(request));
  if (answer.failure != Gateway::Failure::none || !answer.object.contains("tasks")) co_return;
  json::object figures;
  for (const auto* part : {"tasks", "engines", "results", "latency"}) figures[part] = answer.object.at(part);
  publish({0, Event::Type::queues, json::serialize(figures), {}, {}, {}});
}

}  // namespace covey::api

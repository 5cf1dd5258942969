// The events of a cluster, for streams of them: a ring of the latest, which each stream reads at its own pace. While somebody
// listens it asks the controller what is new; nobody listening costs nobody anything. Lives on the API's loop.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controller/http/gateway.hpp"
#include "controller/http/map_store.hpp"
#include "controller/http/signal.hpp"

namespace covey::api {

struct Event {
  enum class Type : std::uint8_t { engine, map, queues, task, skipped };
  std::uint64_t number = 0;
  Type type = Type::engine;
  std::string data;                       // JSON
  std::string function, label, status;    // of tasks
};
std::string_view to_string(Event::Type type);

// What a stream wants. Tasks come only where one of the last three is given.
struct EventFilter {
  std::uint8_t types = 0xff;  // bits of 1 << Type
  std::string function, label, status;
  bool wants_tasks() const { return !function.empty() || !label.empty() || !status.empty(); }
  bool passes(const Event& event) const;
};

class EventHub {
 public:
  static constexpr std::size_t kKept = 10'000;

  EventHub(boost::asio::io_context& io, Gateway& gateway, MapStore& maps, std::string era);

  // One event as a stream of server-sent events has it.
  std::string format(const Event& event) const;
  // The number that an id of ours stands for; nullopt: it is none, or what followed it has been dropped.
  std::optional<std::uint64_t> resume_from(std::string_view id) const;
  std::uint64_t latest() const { return total_; }
  bool has_dropped_after(std::uint64_t number) const { return number < total_ - ring_.size(); }
  // The next event after `number` that passes, up to the present; moves `number`.
  const Event* next(std::uint64_t& number, const EventFilter& filter) const;
  const std::shared_ptr<Signal>& news() const { return news_; }

  // As long as one of these is there, the controller is asked.
  class Listener {
   public:
    Listener(EventHub& hub, const EventFilter& filter);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

   private:
    EventHub& hub_;
    bool tasks_;
  };

  void publish(Event event);
  // Asks the controller what is new now.
  static boost::asio::awaitable<void> look(EventHub* hub);
  // Goes on until the service ends.
  static boost::asio::awaitable<void> run(EventHub* hub);
  void stop() { stopping_ = true; woken_->notify(); }

 private:
  boost::asio::awaitable<void> tell_queues();
  void take_engines(const boost::json::object& answer);
  void take_tasks(const boost::json::object& answer);

  boost::asio::io_context& io_;
  Gateway& gateway_;
  MapStore& maps_;
  const std::string era_;  // distinguishes the numbers of this process from those of others
  std::deque<Event> ring_;
  std::uint64_t total_ = 0;
  std::shared_ptr<Signal> news_, woken_;
  std::size_t listeners_ = 0, task_listeners_ = 0;
  std::optional<std::uint64_t> engine_after_, task_after_;
  bool stopping_ = false;
};

}  // namespace covey::api

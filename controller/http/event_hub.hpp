// The events of a cluster, for streams of them. While somebody listens it asks the controller what is new; nobody listening costs
// nobody anything. Lives on the API's loop.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "controller/http/event_ring.hpp"
#include "controller/http/gateway.hpp"
#include "controller/http/map_store.hpp"
#include "controller/http/signal.hpp"

namespace covey::api {

class EventHub {
 public:
  EventHub(boost::asio::io_context& io, Gateway& gateway, MapStore& maps, std::string era);

  const EventRing& ring() const { return ring_; }
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
  EventRing ring_;
  std::shared_ptr<Signal> news_, woken_;
  std::size_t listeners_ = 0, task_listeners_ = 0;
  std::optional<std::uint64_t> engine_after_, task_after_;
  bool stopping_ = false;
};

}  // namespace covey::api

// Opens a new NatsLink after the old one was lost, on a thread that lives until it has one: natsConnection_Connect
// blocks.
//
// Why nats.c's own reconnect is not used: with an event loop, nats.c 3.4 keeps its parser through a reconnect. If the
// loss came in the middle of a message, the parser takes the first bytes of the new connection for the rest of it, and
// delivers the mixture (fixed upstream in 2026, "destroy parser on disconnect"). It also holds its lock while it
// connects, so that publishing would block, and gives up for good on the second refusal of a password.
// Private to common/bus/.
#pragma once

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "common/bus/nats_link.hpp"

namespace covey::bus {

// What the reconnector tells, on the loop.
class ReconnectEvents {
 public:
  virtual ~ReconnectEvents() = default;
  virtual void on_reopened(std::unique_ptr<NatsLink> link) = 0;
  // An attempt failed in another way than the one before. Attempts go on.
  virtual void on_refused(Errc code) = 0;
};

class Reconnector {
 public:
  // Begins at once. `io` and `events` outlive this.
  Reconnector(boost::asio::io_context& io, ConnectOptions options, ReconnectEvents& events);
  // May be called from on_reopened. Otherwise it waits for an attempt under way, up to connect_timeout.
  ~Reconnector();
  Reconnector(const Reconnector&) = delete;
  Reconnector& operator=(const Reconnector&) = delete;

 private:
  void run();
  bool pause(Errc last);

  boost::asio::io_context& io_;
  ConnectOptions options_;
  ReconnectEvents& events_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for handlers on the loop; used there only
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;  // guarded
  std::thread thread_;
};

}  // namespace covey::bus

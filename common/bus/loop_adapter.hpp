// Lets nats.c wait for its socket on an Asio loop (natsOptions_SetEventLoop) instead of on threads of its own. nats.c
// calls the hooks from whichever thread it likes, with its connection locked, so they only take notes and post; the loop
// alone watches the socket and calls nats.c. Knows nothing of messages.
//
// nats.c closes its descriptor whenever it sees fit, and the kernel gives the number to somebody else: therefore the
// loop watches a duplicate. Every attach begins an epoch (odd) which the loss of the socket ends (even); what was posted
// in another epoch does nothing.
#pragma once

#include <nats/nats.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/bus/connection.hpp"

namespace covey::bus {

// What the adapter tells its owner, on the loop.
class LoopEvents {
 public:
  virtual ~LoopEvents() = default;
  virtual void on_readable() = 0;  // nats.c has read: its subscriptions may hold messages
  virtual void on_written() = 0;   // nothing waits to be written any more
  virtual void on_socket(State state) = 0;
  virtual void on_complaint(natsStatus status, const std::string& text) = 0;
};

class LoopAdapter : public std::enable_shared_from_this<LoopAdapter> {
 public:
  // `events` is called until shut().
  LoopAdapter(boost::asio::io_context& io, LoopEvents& events) : io_(&io), loop_(io), events_(&events) {}

  // nats.c keeps this object alive from the first attach to the detach.
  natsStatus install(natsOptions* options);

  // ---- on the loop ----

  // Takes over the socket that nats.c attached last.
  void adopt();
  // True from adopt() on, and false at once when nats.c has given up the socket, even before the loop heard of it.
  bool connected() const { return watched_ != 0 && watched_ == epoch_.load(std::memory_order_acquire); }
  bool has_unwritten() const { return write_wanted_.load(std::memory_order_acquire); }
  void write_now();
  // Nothing is called afterwards, and the loop may go.
  void shut();

  // ---- on any thread ----

  // Breaks the TCP connection, which wakes a thread that nats.c has blocked in reading or writing.
  void break_socket();
  void complain(natsStatus status, std::string text);

 private:
  struct Attached {
    natsConnection* connection;
    int descriptor;  // our duplicate
    std::uint64_t epoch;
  };

  static natsStatus attach(void** user, void* self, natsConnection* connection, natsSock socket);
  static natsStatus want_read(void* user, bool on);
  static natsStatus want_write(void* user, bool on);
  static natsStatus detach(void* user);
  void on_attach(natsConnection* connection, int socket);
  void on_want_write();
  template <class Handler>
  void post(Handler&& handler) {
    const std::lock_guard lock(gate_);
    if (io_ != nullptr) boost::asio::post(*io_, std::forward<Handler>(handler));
  }

  void on_lost(std::uint64_t epoch);
  void stop_watching();
  void watch_read();
  void read_turn();
  void watch_write();

  std::mutex gate_;
  boost::asio::io_context* io_;        // guarded; null when shut
  std::optional<Attached> attached_;   // guarded; until the loop adopts it
  int breakable_ = -1;                 // guarded; the watched descriptor
  boost::asio::io_context& loop_;
  LoopEvents* events_;
  std::shared_ptr<LoopAdapter> self_;  // attach sets it, detach clears it
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<bool> write_wanted_{false};
  std::atomic<bool> write_scheduled_{false};  // somebody will look at write_wanted_ before this turn of the loop ends

  // On the loop only.
  natsConnection* connection_ = nullptr;
  std::optional<boost::asio::posix::stream_descriptor> socket_;
  std::uint64_t watched_ = 0;  // the epoch of socket_, 0 if none
  bool write_watched_ = false;
};

}  // namespace covey::bus

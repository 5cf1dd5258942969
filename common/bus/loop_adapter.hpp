// Lets one natsConnection wait for its socket on an Asio loop (natsOptions_SetEventLoop) instead of on threads of its
// own. nats.c calls the hooks from whichever thread it likes, with its connection locked, so they only take notes and
// post; the loop alone watches the socket and calls nats.c. One adapter serves one connection, which attaches once:
// nats.c is not left to reconnect (reconnector.hpp says why). Knows nothing of messages.
//
// nats.c closes its descriptor whenever it sees fit, and the kernel gives the number to somebody else: therefore the
// loop watches a duplicate.
#pragma once

#include <nats/nats.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace covey::bus {

// What the adapter tells its owner, on the loop.
class LoopEvents {
 public:
  virtual ~LoopEvents() = default;
  virtual void on_readable() = 0;  // nats.c has read: its subscriptions may hold messages
  virtual void on_written() = 0;   // nothing waits to be written any more
  virtual void on_lost() = 0;      // the connection has ended; never called from inside nats.c
  virtual void on_complaint(natsStatus status, const std::string& text) = 0;
};

class LoopAdapter : public std::enable_shared_from_this<LoopAdapter> {
 public:
  explicit LoopAdapter(boost::asio::io_context& io) : io_(&io), loop_(io) {}
  ~LoopAdapter();

  // nats.c keeps this object alive from the attach to the detach. On any thread.
  natsStatus install(natsOptions* options);

  // ---- on the loop ----

  // Begins to watch the socket and to tell `events`, until shut(). False if the connection has ended already.
  bool adopt(natsConnection* connection, LoopEvents& events);
  // False at once when nats.c has given up the socket, even before the loop has heard of it.
  bool connected() const { return socket_.has_value() && attached_.load(std::memory_order_acquire); }
  bool has_unwritten() const { return write_wanted_.load(std::memory_order_acquire); }
  void write_now();
  // Nothing is called afterwards, and the loop may go.
  void shut();

  // ---- on any thread ----

  // Breaks the TCP connection, which wakes a thread that nats.c has blocked in reading or writing.
  void break_socket();
  void complain(natsStatus status, std::string text);

 private:
  static natsStatus attach(void** user, void* self, natsConnection* connection, natsSock socket);
  static natsStatus want_read(void* user, bool on);
  static natsStatus want_write(void* user, bool on);
  static natsStatus detach(void* user);
  void on_attach(int socket);
  void on_want_write();
  template <class Handler>
  void post(Handler&& handler) {
    const std::lock_guard lock(gate_);
    if (io_ != nullptr) boost::asio::post(*io_, std::forward<Handler>(handler));
  }

  void end();
  void watch_read();
  void read_turn();
  void watch_write();

  std::mutex gate_;
  boost::asio::io_context* io_;  // guarded; null when shut
  int descriptor_ = -1;          // guarded; our duplicate: first ours to close, then socket_'s
  boost::asio::io_context& loop_;
  std::shared_ptr<LoopAdapter> self_;  // attach sets it, detach clears it
  std::atomic<bool> attached_{false};
  std::atomic<bool> write_wanted_{false};
  std::atomic<bool> write_scheduled_{false};  // somebody will look at write_wanted_ before this turn of the loop ends

  // On the loop only.
  LoopEvents* events_ = nullptr;
  natsConnection* connection_ = nullptr;
  std::optional<boost::asio::posix::stream_descriptor> socket_;
  bool write_watched_ = false;
};

}  // namespace covey::bus

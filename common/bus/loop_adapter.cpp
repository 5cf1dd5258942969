#include "common/bus/loop_adapter.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <new>

namespace covey::bus {

namespace asio = boost::asio;

namespace {

// A host that vanishes is noticed by the kernel, which breaks the socket: the loop learns of it as of any other end.
void set_keepalive(int socket) {
  const int on = 1, idle_s = 20, interval_s = 5, probes = 4, unacknowledged_ms = 40'000;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
}

// No exception may reach nats.c.
template <class Action>
natsStatus guarded(Action&& action) noexcept {
  try {
    action();
    return NATS_OK;
  } catch (const std::bad_alloc&) {
    return NATS_NO_MEMORY;
  } catch (...) {
    return NATS_SYS_ERROR;
  }
}

}  // namespace

natsStatus LoopAdapter::install(natsOptions* options) {
  return natsOptions_SetEventLoop(options, this, &attach, &want_read, &want_write, &detach);
}

LoopAdapter::~LoopAdapter() {
  if (!socket_ && descriptor_ >= 0) ::close(descriptor_);
}

// ---- hooks, on any thread; nats.c's lock is held in all but detach ----

natsStatus LoopAdapter::attach(void** user, void* self, natsConnection*, natsSock socket) {
  *user = self;
  return guarded([&] { static_cast<LoopAdapter*>(self)->on_attach(static_cast<int>(socket)); });
}

void LoopAdapter::on_attach(int socket) {
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  set_keepalive(socket);
  const int descriptor = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) throw boost::system::system_error(errno, boost::system::system_category());
  {
    const std::lock_guard lock(gate_);
    descriptor_ = descriptor;
  }
  self_ = shared_from_this();
  attached_.store(true, std::memory_order_release);
}

// nats.c asks only to stop: the socket is at its end and about to be closed.
natsStatus LoopAdapter::want_read(void* user, bool on) {
  auto* adapter = static_cast<LoopAdapter*>(user);
  if (on || !adapter->attached_.exchange(false)) return NATS_OK;
  return guarded([&] { adapter->post([kept = adapter->shared_from_this()] { kept->end(); }); });
}

natsStatus LoopAdapter::want_write(void* user, bool on) {
  auto* adapter = static_cast<LoopAdapter*>(user);
  adapter->write_wanted_.store(on);
  return on ? guarded([&] { adapter->on_want_write(); }) : NATS_OK;
}

void LoopAdapter::on_want_write() {
  if (write_scheduled_.exchange(true)) return;
  post([kept = shared_from_this()] {
    kept->write_scheduled_.store(false);
    kept->write_now();
  });
}

// The last word of a connection, on whichever thread closed it. The end has been told by want_read.
natsStatus LoopAdapter::detach(void* user) {
  const auto last = std::move(static_cast<LoopAdapter*>(user)->self_);
  return NATS_OK;
}

void LoopAdapter::complain(natsStatus status, std::string text) {
  post([kept = shared_from_this(), status, text = std::move(text)] {
    if (kept->events_ != nullptr) kept->events_->on_complaint(status, text);
  });
}

void LoopAdapter::break_socket() {
  const std::lock_guard lock(gate_);
  if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

// ---- on the loop ----

bool LoopAdapter::adopt(natsConnection* connection, LoopEvents& events) {
  if (!attached_.load(std::memory_order_acquire)) return false;
  connection_ = connection;
  events_ = &events;
  socket_.emplace(loop_, descriptor_);
  watch_read();
  write_now();
  return true;
}

// Posted, so that the owner may destroy the connection in on_lost.
void LoopAdapter::end() {
  LoopEvents* const told = std::exchange(events_, nullptr);
  shut();
  if (told != nullptr) told->on_lost();
}

void LoopAdapter::shut() {
  events_ = nullptr;
  write_watched_ = false;
  const std::lock_guard lock(gate_);
  io_ = nullptr;
  if (!socket_) return;
  descriptor_ = -1;
  socket_.reset();  // closes our duplicate and cancels its waits
}

void LoopAdapter::watch_read() {
  socket_->async_wait(asio::posix::stream_descriptor::wait_read,
                      [kept = shared_from_this()](const boost::system::error_code& error) {
                        if (error || !kept->connected()) return;
                        kept->read_turn();
                        if (kept->connected()) kept->watch_read();
                      });
}

// One read event takes one buffer's worth; then the loop has its turn, and comes back if there is more. What the
// handlers publish is written at the end, without another pass through the loop.
void LoopAdapter::read_turn() {
  write_scheduled_.store(true);
  natsConnection_ProcessReadEvent(connection_);
  if (events_ != nullptr) events_->on_readable();
  write_scheduled_.store(false);
  write_now();
}

void LoopAdapter::write_now() {
  if (!connected() || write_watched_ || !write_wanted_.load()) return;
  natsConnection_ProcessWriteEvent(connection_);
  if (!connected()) return;
  if (write_wanted_.load()) return watch_write();
  if (events_ != nullptr) events_->on_written();
}

void LoopAdapter::watch_write() {
  write_watched_ = true;
  socket_->async_wait(asio::posix::stream_descriptor::wait_write,
                      [kept = shared_from_this()](const boost::system::error_code& error) {
                        if (error || !kept->connected()) return;
                        kept->write_watched_ = false;
                        kept->write_now();
                      });
}

}  // namespace covey::bus

// A Connection for TLS. With part of a TLS record in, nats.c blocks inside its read event until the rest has come, and
// a slow or hostile network can make that long. So a LoopConnection runs on a loop and a thread of its own, and this
// hands over in both directions: what blocks is that thread, never ours. One thread alone uses the TLS state, as
// OpenSSL wants. Private to common/bus/.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "common/bus/connection.hpp"
#include "common/bus/loop_connection.hpp"

namespace covey::bus {

class ThreadedConnection final : public Connection {
 public:
  static boost::system::result<std::unique_ptr<Connection>> connect(boost::asio::io_context& io,
                                                                    const ConnectOptions& options,
                                                                    const std::string& server_version);
  ~ThreadedConnection() override;

  SubscriptionId subscribe(std::string subject, Handler handler, std::string queue_group) override;
  void unsubscribe(SubscriptionId id) override;
  void drain(SubscriptionId id, std::function<void()> done) override;
  Errc publish(std::string_view subject, std::span<const std::byte> data, std::string_view reply) override;
  void flush(std::function<void(Errc)> done) override;
  std::size_t buffered() const override;
  void on_drained(std::function<void()> callback) override;
  void on_state(std::function<void(State)> callback) override;
  void on_error(std::function<void(Errc, std::string_view)> callback) override;
  State state() const override;
  std::size_t max_payload() const override;
  std::string server_version() const override;
  Counters counters() const override;
  void close() override;

 private:
  // Our side, with the callbacks; shared with handlers that are posted to our loop.
  struct Near;
  // The other thread's side.
  struct Far;
  ThreadedConnection(std::shared_ptr<Near> near, std::unique_ptr<Far> far);

  std::shared_ptr<Near> near_;
  std::unique_ptr<Far> far_;
};

}  // namespace covey::bus

// A wire inside one process, from one Asio loop to another: what a client that lives in the controller's process uses
// instead of NATS. Each direction is a mailbox of a limited size; what does not fit is lost, as it may be on NATS, and the
// links above send it again. put() may be called by the writing loop's thread, everything else by the reading loop's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/bus/connection.hpp"

namespace covey::bus {

class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  using Handler = std::function<void(std::string_view subject, std::span<const std::byte> data)>;

  Mailbox(boost::asio::io_context& reader, std::size_t limit_bytes) : reader_(reader), limit_bytes_(limit_bytes) {}

  // False: it is full, and the letter is lost. Wakes the reader if it has read everything before.
  bool put(std::string_view subject, std::span<const std::byte> data);
  // Begins to read: `handler` for each letter, then `drained` once for all that were there.
  void read(Handler handler, std::function<void()> drained);
  // The handlers are not called again.
  void stop();
  std::uint64_t lost() const;

 private:
  struct Letters {
    std::vector<std::byte> bytes;                               // subject, data, subject, data …
    std::vector<std::pair<std::uint32_t, std::uint32_t>> sizes;  // of each subject and data
  };
  void deliver();

  boost::asio::io_context& reader_;
  const std::size_t limit_bytes_;
  Handler handler_;
  std::function<void()> drained_;
  Letters reading_;

  mutable std::mutex mutex_;
  Letters written_;       // guarded by mutex_
  bool posted_ = false;   // likewise
  std::uint64_t lost_ = 0;  // likewise
};

// Both directions. Outlives the two loops' handlers by being shared.
struct LocalWire {
  LocalWire(boost::asio::io_context& controller, boost::asio::io_context& client, std::size_t limit_bytes)
      : to_controller(std::make_shared<Mailbox>(controller, limit_bytes)),
        to_client(std::make_shared<Mailbox>(client, limit_bytes)) {}
  std::shared_ptr<Mailbox> to_controller, to_client;
};

// The client's end as a Connection. The controller's own state on NATS is its state: a letter without a subject says
// so, with one byte, 1 for connected. What is published goes through in either state.
class LocalConnection final : public Connection {
 public:
  LocalConnection(boost::asio::io_context& io, std::shared_ptr<LocalWire> wire);
  ~LocalConnection() override { LocalConnection::close(); }

  SubscriptionId subscribe(std::string subject, Handler handler, std::string queue_group) override;
  void unsubscribe(SubscriptionId id) override;
  void drain(SubscriptionId id, std::function<void()> done) override;
  Errc publish(std::string_view subject, std::span<const std::byte> data, std::string_view reply) override;
  void flush(std::function<void(Errc)> done) override;
  std::size_t buffered() const override { return 0; }
  void on_drained(std::function<void()> callback) override { drained_ = std::move(callback); }
  void on_state(std::function<void(State)> callback) override { state_changed_ = std::move(callback); }
  void on_error(std::function<void(Errc, std::string_view)>) override {}
  State state() const override { return state_; }
  std::size_t max_payload() const override { return std::size_t{1} << 20; }
  std::string server_version() const override { return "local"; }
  Counters counters() const override { return {wire_->to_controller->lost(), 0}; }
  void close() override;

 private:
  struct Subscription {
    SubscriptionId id;
    std::string pattern;
    Handler handler;
  };
  void on_letter(std::string_view subject, std::span<const std::byte> data);

  boost::asio::io_context& io_;
  std::shared_ptr<LocalWire> wire_;
  std::vector<Subscription> subscriptions_;
  std::uint64_t last_subscription_ = 0;
  State state_ = State::connected;
  std::function<void()> drained_;
  std::function<void(State)> state_changed_;
  std::shared_ptr<bool> open_ = std::make_shared<bool>(true);  // for handlers that may come after its end
};

// Whether a NATS pattern, with `*` for a token and `>` for the rest, covers a subject.
bool covers(std::string_view pattern, std::string_view subject);

}  // namespace covey::bus

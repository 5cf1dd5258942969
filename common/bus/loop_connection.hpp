// A Connection whose nats.c runs wholly on the given loop: no thread of nats.c's reads, writes or delivers. Not for
// TLS, where nats.c blocks inside a read until the record is whole. Private to common/bus/.
#pragma once

#include <nats/nats.h>

#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "common/bus/connection.hpp"
#include "common/bus/nats_link.hpp"
#include "common/bus/reconnector.hpp"

namespace covey::bus {

// Throws std::invalid_argument unless it is tokens of visible characters with dots between, and `*` and `>` where they
// may stand.
void require_subscribable(std::string_view subject);

// nats.c pastes a subject into the protocol as it is: a space or a line break in it would be another command.
bool is_publishable(std::string_view subject);

class LoopConnection final : public Connection, private LoopEvents, private ReconnectEvents {
 public:
  static boost::system::result<std::unique_ptr<LoopConnection>> connect(boost::asio::io_context& io,
                                                                        const ConnectOptions& options,
                                                                        const std::string& server_version);
  ~LoopConnection() override {
    LoopConnection::close();
    *alive_ = false;
  }

  SubscriptionId subscribe(std::string subject, Handler handler, std::string queue_group) override;
  void unsubscribe(SubscriptionId id) override;
  void drain(SubscriptionId id, std::function<void()> done) override;
  Errc publish(std::string_view subject, std::span<const std::byte> data, std::string_view reply) override;
  void flush(std::function<void(Errc)> done) override;
  std::size_t buffered() const override;
  void on_drained(std::function<void()> callback) override { drained_ = std::move(callback); }
  void on_state(std::function<void(State)> callback) override { state_changed_ = std::move(callback); }
  void on_error(std::function<void(Errc, std::string_view)> callback) override { complained_ = std::move(callback); }
  State state() const override { return state_; }
  std::size_t max_payload() const override { return max_payload_; }
  std::string server_version() const override { return server_version_; }
  Counters counters() const override;
  void close() override;

  // For whoever must wake this loop's thread when nats.c blocks on it: LoopAdapter::break_socket. Null if disconnected;
  // another one after a reconnect.
  std::shared_ptr<LoopAdapter> adapter() const { return link_ ? link_->shared_adapter() : nullptr; }

 private:
  struct Subscription {
    SubscriptionId id;
    std::string subject, queue_group;
    Handler handler;
    natsSubscription* handle = nullptr;  // of the present link; null without one
    bool cancelled = false;
    std::uint64_t dropped = 0;  // by this handle
    std::function<void()> drained = nullptr;  // while it is being drained
  };

  LoopConnection(boost::asio::io_context& io, ConnectOptions options, std::string server_version)
      : io_(io), options_(std::move(options)), server_version_(std::move(server_version)), drain_timer_(io) {}

  void on_readable() override;
  void on_written() override;
  void on_lost() override;
  void on_complaint(natsStatus status, const std::string& text) override;
  void on_reopened(std::unique_ptr<NatsLink> link) override;
  void on_refused(Errc code) override;

  void begin(std::unique_ptr<NatsLink> link);
  bool hand_over(Subscription& subscription);
  Subscription* find(SubscriptionId id);
  void make(Subscription& subscription);
  void retire(Subscription& subscription);
  static void note_dropped(Subscription& subscription);
  void sweep();
  void watch_drains();
  void look_at_drains();
  void end_drain(SubscriptionId id);
  void finish_flushes(Errc outcome);
  bool usable() const { return link_ && link_->connected(); }
  Errc unusable() const { return state_ == State::closed ? Errc::closed : Errc::disconnected; }

  boost::asio::io_context& io_;
  ConnectOptions options_;
  std::string server_version_;
  std::unique_ptr<NatsLink> link_;
  std::unique_ptr<Reconnector> reconnector_;  // while there is no link
  State state_ = State::disconnected;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
  std::uint64_t last_subscription_ = 0;
  bool handing_over_ = false;
  bool any_cancelled_ = false;
  boost::asio::steady_timer drain_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for handlers that may come after its end
  std::size_t max_payload_ = 0;
  std::size_t appended_ = 0;  // bytes given to nats.c since it last had none; an upper bound of what it holds
  std::uint64_t connects_ = 0;
  std::uint64_t dropped_before_ = 0;  // by handles that are gone
  std::string subject_, reply_;       // with the final zero that nats.c wants
  std::vector<std::function<void(Errc)>> flushes_;
  std::function<void()> drained_;
  std::function<void(State)> state_changed_;
  std::function<void(Errc, std::string_view)> complained_;
};

}  // namespace covey::bus

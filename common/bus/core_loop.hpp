// Drives a pure state machine (Broker, EngineCore, ClientCore) on a NATS connection and an Asio loop: frames in, turns,
// timers. Everything happens on the loop's thread. The core has on_frame, on_connected, on_disconnected, on_timer,
// end_turn and next_deadline; its frames leave through send().
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "common/bus/connection.hpp"
#include "common/wire/subjects.hpp"
#include "common/wire/time.hpp"

namespace covey::bus {

template <class Core>
class CoreLoop {
 public:
  CoreLoop(boost::asio::io_context& io, Connection& connection, wire::Subjects subjects, Core& core)
      : io_(io), connection_(connection), subjects_(std::move(subjects)), core_(core), timer_(io) {}
  ~CoreLoop() { *alive_ = false; }
  CoreLoop(const CoreLoop&) = delete;
  CoreLoop& operator=(const CoreLoop&) = delete;

  // Subscribes and greets; call once, with the connection up.
  void start(const std::vector<std::string>& inboxes, const std::string& direct_subject = {}) {
    const auto handler = [this](Message& message) { on_message(message); };
    for (const auto& inbox : inboxes) connection_.subscribe(inbox, handler);
    if (!direct_subject.empty()) connection_.subscribe(direct_subject, handler, std::string(wire::kDirectGroup));
    connection_.on_drained([this] { turn(); });
    connection_.on_state([this](State state) {
      if (state == State::connected) {
        core_.on_connected(now());
      } else {
        core_.on_disconnected();
      }
      turn();
    });
    core_.on_connected(now());
    turn();
  }

  void send(std::string_view subject, wire::ByteSpan frame) { static_cast<void>(connection_.publish(subject, frame)); }

  // Ends the turn: lets the core send what has gathered, and sees to its next deadline.
  void turn() {
    core_.end_turn(now());
    arm();
  }
  // Asks for a turn once the handlers that are ready now have run; however often it is asked, there is one.
  void request_turn() {
    if (turn_requested_) return;
    turn_requested_ = true;
    boost::asio::post(io_, [this, alive = alive_] {
      if (!*alive) return;
      turn_requested_ = false;
      turn();
    });
  }
  static wire::Time now() { return std::chrono::steady_clock::now(); }

 private:
  void on_message(Message& message) {
    const auto role = subjects_.sender_role(message.subject);
    if (role) core_.on_frame(*role, message.data, now());
  }

  // A timer that is armed for too early a time fires and looks again: cheaper than arming it anew every turn.
  void arm() {
    const wire::Time deadline = core_.next_deadline();
    if (deadline >= armed_for_) return;
    armed_for_ = deadline;
    timer_.expires_at(deadline);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
      if (error || !*alive) return;
      armed_for_ = wire::kNever;
      core_.on_timer(now());
      turn();
    });
  }

  boost::asio::io_context& io_;
  Connection& connection_;
  wire::Subjects subjects_;
  Core& core_;
  boost::asio::steady_timer timer_;
  wire::Time armed_for_ = wire::kNever;
  bool turn_requested_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace covey::bus

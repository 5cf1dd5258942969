// Drives a pure state machine (Broker, EngineCore, ClientCore) on a NATS connection and an Asio loop: frames in, turns,
// timers. Everything happens on the loop's thread. The core has on_frame, on_connected, on_disconnected, on_timer,
// end_turn and next_deadline; its frames leave through send().
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <bit>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/bus/connection.hpp"
#include "common/wire/frame.hpp"
#include "common/wire/outlet.hpp"
#include "common/wire/subjects.hpp"
#include "common/wire/time.hpp"

namespace covey::bus {

template <class Core>
class CoreLoop {
 public:
  CoreLoop(boost::asio::io_context& io, Connection& connection, wire::Subjects subjects, Core& core, wire::Outlet& outlet)
      : io_(io), connection_(connection), subjects_(std::move(subjects)), core_(core), outlet_(outlet), timer_(io) {}
  ~CoreLoop() { *alive_ = false; }
  CoreLoop(const CoreLoop&) = delete;
  CoreLoop& operator=(const CoreLoop&) = delete;

  // Subscribes and greets; call once, with the connection up.
  boost::system::error_code start(const std::vector<std::string>& inboxes) {
    if (connection_.max_payload() < wire::kMaxFrameBytes) return Errc::small_payloads;
    for (const auto& inbox : inboxes) connection_.subscribe(inbox, [this](Message& message) { on_message(message); });
    connection_.on_drained([this] { turn(); });
    connection_.on_state([this](State state) {
      if (state == State::connected) {
        core_.on_connected(now());
      } else {
        core_.on_disconnected();
      }
      turn();
    });
    connection_.on_error([this](Errc code, std::string_view text) {
      outlet_.log("NATS: " + make_error_code(code).message() + (text.empty() ? "" : ": ") + std::string(text));
    });
    core_.on_connected(now());
    turn();
    return {};
  }

  // Joins the queue group that the tasks of the scheme direct are sent to.
  void join(const std::string& direct_subject) {
    direct_subscription_ = connection_.subscribe(
        direct_subject, [this](Message& message) { on_message(message); }, std::string(wire::kDirectGroup));
  }
  // Leaves it; what the group had given to us still comes, and then `left` is called.
  void leave(std::function<void()> left) {
    if (!direct_subscription_) return;
    connection_.drain(*std::exchange(direct_subscription_, std::nullopt), [left = std::move(left), alive = alive_] {
      if (*alive) left();
    });
  }

  // A frame that cannot be published is lost like one that NATS loses: the links send it again.
  void send(std::string_view subject, wire::ByteSpan frame) {
    const Errc outcome = connection_.publish(subject, frame);
    if (outcome == Errc::ok || outcome == Errc::disconnected) return;
    if (std::has_single_bit(++unpublished_)) {
      outlet_.log("could not publish " + std::to_string(unpublished_) + " frames so far: " + make_error_code(outcome).message());
    }
  }

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
  wire::Outlet& outlet_;
  boost::asio::steady_timer timer_;
  wire::Time armed_for_ = wire::kNever;
  std::optional<SubscriptionId> direct_subscription_;
  bool turn_requested_ = false;
  std::uint64_t unpublished_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace covey::bus

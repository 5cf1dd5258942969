// A peer's side of its link to the controller: finds one, greets it, keeps the link alive, and notices when the controller is
// gone or is another one. Engines and clients share it. Pure; not thread-safe.
#pragma once

#include <optional>
#include <string>

#include "common/wire/greeting.hpp"
#include "common/wire/link.hpp"
#include "common/wire/outlet.hpp"
#include "common/wire/subjects.hpp"

namespace covey::wire {

class Uplink {
 public:
  enum class Event {
    nothing,
    linked,   // a new link exists; what was said on an older one has to be said again
    records,  // link()->records() are to be handled
    lost,     // the link is gone; a new one is being sought
    refused,  // for good; refusal() says why
  };

  // Throws std::length_error for a hello that is longer than a frame.
  Uplink(Incarnation self, const Subjects& subjects, Hello hello, Outlet& outlet);

  void on_connected(Time now);
  void on_disconnected() { connected_ = false; }
  // A frame from the controller, or its announcement.
  Event on_frame(const Frame& frame, Time now);
  Event on_timer(Time now);
  Time next_deadline() const;

  // Null unless linked. The link of a lost controller is kept, for what it still holds, until take_old_link().
  Link* link() { return linked_ ? &*link_ : nullptr; }
  const Link* link() const { return linked_ ? &*link_ : nullptr; }
  std::optional<Link> take_old_link() { return std::exchange(old_link_, std::nullopt); }
  const Welcome& terms() const { return terms_; }
  const std::string& refusal() const { return refusal_; }
  Incarnation controller() const { return linked_ ? link_->peer() : Incarnation::none; }

  void flush();
  void say_goodbye();

  static constexpr Duration kSilence = std::chrono::seconds(3);
  static constexpr Duration kReconnectGrace = std::chrono::seconds(2);

 private:
  void seek(Time now);
  void send_hello(Time now);
  Event on_welcome(const Frame& frame, Time now);
  Event on_refuse(const Frame& frame, Time now);
  Event lose(Time now);

  Incarnation self_;
  std::string subject_;
  Hello hello_;
  Outlet& outlet_;
  bool connected_ = false;
  bool linked_ = false;
  std::uint32_t link_id_ = 0;
  std::optional<Link> link_, old_link_;
  Welcome terms_;
  std::string refusal_;
  Time connected_since_{};
  Time last_heard_{};
  Time next_hello_ = kNever;
  Duration hello_pause_{};
  Time next_heartbeat_ = kNever;
};

}  // namespace covey::wire

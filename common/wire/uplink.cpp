#include "common/wire/uplink.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace covey::wire {

namespace {
constexpr Duration kFirstHelloPause = std::chrono::milliseconds(20);
constexpr Duration kLongestHelloPause = std::chrono::milliseconds(500);
}  // namespace

Uplink::Uplink(Incarnation self, const Subjects& subjects, Hello hello, Outlet& outlet)
    : self_(self), subject_(subjects.to_controller(hello.role, self)), hello_(std::move(hello)), outlet_(outlet) {
  Writer encoded;
  encode(encoded, hello_);
  if (encoded.size() + kHeaderBytes > kMaxFrameBytes) {
    throw std::length_error("the names of this engine's functions and labels have " + std::to_string(encoded.size()) +
                            " bytes together, and at most " + std::to_string(kMaxFrameBytes - kHeaderBytes) + " can be announced");
  }
}

void Uplink::on_connected(Time now) {
  connected_ = true;
  connected_since_ = now;
  if (!linked_) return seek(now);
  link_->rewind();
  next_heartbeat_ = now;
  flush();
}

void Uplink::seek(Time now) {
  if (link_id_ == 0 || linked_ || old_link_) ++link_id_;
  linked_ = false;
  hello_pause_ = kFirstHelloPause;
  next_hello_ = now;
  if (connected_) send_hello(now);
}

void Uplink::send_hello(Time now) {
  Writer out;
  out.skip(kHeaderBytes);
  encode(out, hello_);
  write_header(out.data(), {FrameKind::hello, link_id_, self_, Incarnation::none, 0, 0});
  outlet_.send(subject_, out.span());
  next_hello_ = now + hello_pause_;
  hello_pause_ = std::min(hello_pause_ * 2, kLongestHelloPause);
}

Uplink::Event Uplink::lose(Time now) {
  const bool had = linked_;
  if (had) {
    old_link_ = std::move(link_);
    link_.reset();
  }
  seek(now);
  return had ? Event::lost : Event::nothing;
}

Uplink::Event Uplink::on_frame(const Frame& frame, Time now) {
  const Header& header = frame.header;
  switch (header.kind) {
    case FrameKind::announce:
      // A controller has started. If it is not ours, ours is gone: there is one at a time.
      return linked_ && header.from == link_->peer() ? Event::nothing : lose(now);
    case FrameKind::welcome: return on_welcome(frame, now);
    case FrameKind::refuse: return on_refuse(frame, now);
    case FrameKind::data:
    case FrameKind::heartbeat:
    case FrameKind::resend:
    case FrameKind::part: break;
    default: return Event::nothing;
  }
  if (!linked_ || !link_->matches(header)) return Event::nothing;
  last_heard_ = now;
  return link_->receive(frame, now) ? Event::records : Event::nothing;
}

Uplink::Event Uplink::on_welcome(const Frame& frame, Time now) {
  if (linked_ || frame.header.to != self_ || frame.header.link != link_id_) return Event::nothing;
  const auto terms = decode_welcome(frame.body);
  if (!terms) return Event::nothing;
  terms_ = *terms;
  link_.emplace(self_, frame.header.from, link_id_);
  linked_ = true;
  last_heard_ = now;
  next_hello_ = kNever;
  next_heartbeat_ = now + std::chrono::milliseconds(terms_.heartbeat_ms);
  return Event::linked;
}

Uplink::Event Uplink::on_refuse(const Frame& frame, Time now) {
  if (frame.header.to != self_ || frame.header.link != link_id_) return Event::nothing;
  const auto refuse = decode_refuse(frame.body);
  if (!refuse) return Event::nothing;
  if (refuse->reason == RefuseReason::unknown_link) {  // the controller has been started again, or has given us up
    if (linked_) return lose(now);
    ++link_id_;
    send_hello(now);
    return Event::nothing;
  }
  refusal_ = refuse->text;
  next_hello_ = kNever;
  return Event::refused;
}

Uplink::Event Uplink::on_timer(Time now) {
  if (!connected_) return Event::nothing;
  if (!linked_) {
    if (now >= next_hello_) send_hello(now);
    return Event::nothing;
  }
  link_->flush_control(now, [this](ByteSpan frame) { outlet_.send(subject_, frame); });
  if (now < next_heartbeat_) return Event::nothing;
  const Duration pause = std::chrono::milliseconds(terms_.heartbeat_ms);
  // We may have been stopped ourselves, with the controller's heartbeats unread.
  if (now - next_heartbeat_ > kSilence / 3) connected_since_ = now;
  next_heartbeat_ = now + pause;
  link_->heartbeat([this](ByteSpan frame) { outlet_.send(subject_, frame); });
  return now - std::max(last_heard_, connected_since_ + kReconnectGrace) > kSilence ? lose(now) : Event::nothing;
}

Time Uplink::next_deadline() const {
  if (!connected_) return kNever;
  return linked_ ? std::min(next_heartbeat_, link_->control_deadline()) : next_hello_;
}

void Uplink::flush() {
  if (linked_) link_->flush([this](ByteSpan frame) { outlet_.send(subject_, frame); });
}

void Uplink::say_goodbye() {
  if (!linked_) return;
  flush();
  std::byte frame[kHeaderBytes];
  write_header(frame, {FrameKind::goodbye, link_id_, self_, link_->peer(), 0, 0});
  outlet_.send(subject_, frame);
}

}  // namespace covey::wire

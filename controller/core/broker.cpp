// Peers and links: who is there, what is owed to them, who has fallen silent. See broker.hpp.
#include "controller/core/broker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace covey::controller {

namespace {
constexpr wire::Duration kEndedLinksKept = std::chrono::minutes(10);  // NATS lets no connection stand still for that long
}

Broker::Broker(wire::Incarnation self, wire::Subjects subjects, Config config, wire::Outlet& port)
    : self_(self),
      subjects_(std::move(subjects)),
      config_(config),
      port_(port),
      random_(config.seed),
      fetcher_({self, wire::Role::controller, &subjects_}, port, *this),
      history_(config.history) {}

// ---- connection ----

void Broker::on_connected(wire::Time now) {
  if (started_ == wire::Time{}) started_ = now;
  connected_ = true;
  connected_since_ = now;
  next_sweep_ = now;
  fetcher_.on_connected(now);
  for (auto& [id, peer] : peers_) {
    peer->link.rewind();
    touch(*peer);
  }
  std::byte announcement[wire::kHeaderBytes];
  wire::write_header(announcement, {wire::FrameKind::announce, 0, self_, wire::Incarnation::none, 0, 0});
  port_.send(subjects_.announce(), announcement);
}

void Broker::on_disconnected() {
  connected_ = false;
  fetcher_.on_disconnected();
}

// Silence counts only while we were able to hear.
wire::Time Broker::silent_since(const Peer& peer) const {
  return std::max(peer.last_heard, connected_since_ + config_.reconnect_grace);
}

// ---- frames ----

void Broker::on_frame(wire::Role sender, wire::ByteSpan message, wire::Time now) {
  wire::Frame frame;
  switch (wire::read_frame(message, frame)) {
    case wire::FrameError::none: break;
    case wire::FrameError::other_version:
      ++counters_.other_version_frames;
      if (frame.header.kind == wire::FrameKind::hello) {
        refuse(sender, frame.header, wire::RefuseReason::other_version,
               fmt::format("this controller speaks protocol version {}, and you another", wire::kProtocolVersion));
        port_.log(fmt::format("refused {}: other protocol version", to_string(frame.header.from)));
      }
      return;
    default: ++counters_.foreign_frames; return;
  }
  if (frame.header.kind == wire::FrameKind::hello) return on_hello(sender, frame, now);
  if (frame.header.kind == wire::FrameKind::payload) return on_payload_frame(sender, frame, now);
  Peer* peer = find_peer(frame.header);
  if (peer == nullptr || peer->role != sender) {
    ++counters_.stale_frames;
    if (frame.header.kind != wire::FrameKind::goodbye) {
      refuse(sender, frame.header, wire::RefuseReason::unknown_link, "no such link here: say hello again");
    }
    return;
  }
  peer->last_heard = now;
  if (frame.header.kind == wire::FrameKind::goodbye) return on_goodbye(frame.header, now);
  if (!wire::is_of_link(frame.header.kind)) {
    ++counters_.foreign_frames;
    return;
  }
  const bool fresh = peer->link.receive(frame, now);
  if (peer->link.has_unsent()) touch(*peer);
  if (!peer->ack_owed && peer->link.control_deadline() != wire::kNever) {
    peer->ack_owed = true;
    acks_owed_.push_back(peer->link.peer());
    control_deadline_ = std::min(control_deadline_, peer->link.control_deadline());
  }
  if (peer->role == wire::Role::client) pump_results(*sessions_[peer->index]);
  if (!fresh) return;
  wire::Reader in(peer->link.records());
  if (peer->role == wire::Role::client) {
    on_client_records(*sessions_[peer->index], in, now);
  } else {
    on_engine_records(*engines_[peer->index], in, now);
  }
  if (!in.ok()) {
    ++counters_.malformed_frames;
    port_.log(fmt::format("malformed frame from {}: the rest of it was dropped", to_string(frame.header.from)));
  }
}

void Broker::on_hello(wire::Role sender, const wire::Frame& frame, wire::Time now) {
  const auto hello = wire::decode_hello(frame.body);
  if (!hello || hello->role != sender) {
    ++counters_.malformed_frames;
    return refuse(sender, frame.header, wire::RefuseReason::malformed, "malformed hello");
  }
  if (peers_.size() >= config_.max_peers && !peers_.contains(frame.header.from)) {
    return refuse(sender, frame.header, wire::RefuseReason::too_many,
                  fmt::format("{} peers are connected, and that is the limit", peers_.size()));
  }
  // A hello that was asked twice, or delivered twice, keeps the link that the first one began.
  if (Peer* peer = find_peer(frame.header)) {
    return welcome(*peer, peer->role == wire::Role::client ? sessions_[peer->index]->window : 0);
  }
  // This one was said before the link ended, and frames of that link may still be on their way to the peer.
  if (const auto ended = ended_links_.find(frame.header.from); ended != ended_links_.end() && frame.header.link <= ended->second.id) {
    ++counters_.stale_frames;
    return refuse(sender, frame.header, wire::RefuseReason::unknown_link, "that link has ended: say hello for another");
  }
  if (sender == wire::Role::client) {
    on_client_hello(*hello, frame.header, now);
  } else {
    on_engine_hello(*hello, frame.header, now);
  }
}

void Broker::on_goodbye(const wire::Header& header, wire::Time now) {
  Peer& peer = *peers_.at(header.from);
  if (peer.role == wire::Role::client) {
    client_left(*sessions_[peer.index], now);
  } else {
    engine_lost(peer.index, true, now);
  }
}

void Broker::refuse(wire::Role role, const wire::Header& header, wire::RefuseReason reason, std::string_view text) {
  wire::Writer out;
  out.skip(wire::kHeaderBytes);
  wire::encode(out, wire::Refuse{reason, std::string(text)});
  wire::write_header(out.data(), {wire::FrameKind::refuse, header.link, self_, header.from, 0, 0});
  port_.send(role == wire::Role::client ? subjects_.to_client(header.from, wire::Role::controller)
                                        : subjects_.to_engine(header.from, wire::Role::controller),
             out.span());
}

void Broker::welcome(Peer& peer, std::uint64_t window) {
  wire::Writer out;
  out.skip(wire::kHeaderBytes);
  const auto heartbeat_ms = std::chrono::duration_cast<std::chrono::milliseconds>(config_.heartbeat).count();
  wire::encode(out, wire::Welcome{window, config_.max_payload_bytes, static_cast<std::uint64_t>(heartbeat_ms)});
  wire::write_header(out.data(), {wire::FrameKind::welcome, peer.link.id(), self_, peer.link.peer(), 0, 0});
  port_.send(peer.subject, out.span());
}

std::unique_ptr<Peer> Broker::make_peer(wire::Role role, std::uint32_t index, const wire::Header& header, wire::Time now) {
  auto subject = role == wire::Role::client ? subjects_.to_client(header.from, wire::Role::controller)
                                            : subjects_.to_engine(header.from, wire::Role::controller);
  auto peer = std::make_unique<Peer>(
      Peer{role, index, std::move(subject), wire::Link(self_, header.from, header.link), now, false, false});
  peers_[header.from] = peer.get();
  return peer;
}

// Nothing more comes from it or goes to it.
void Broker::end_link(Peer& peer, wire::Time now) {
  std::replace(dirty_.begin(), dirty_.end(), &peer, static_cast<Peer*>(nullptr));
  peers_.erase(peer.link.peer());
  ended_links_[peer.link.peer()] = {peer.link.id(), now};
}

Peer* Broker::find_peer(const wire::Header& header) {
  const auto found = peers_.find(header.from);
  if (found == peers_.end()) return nullptr;
  Peer* peer = found->second;
  const bool hello = header.kind == wire::FrameKind::hello;  // which does not know us yet
  return peer->link.id() == header.link && (hello || header.to == self_) ? peer : nullptr;
}

// ---- sending ----

void Broker::touch(Peer& peer) {
  if (peer.dirty) return;
  peer.dirty = true;
  dirty_.push_back(&peer);
}

void Broker::flush(Peer& peer) {
  peer.dirty = false;
  peer.link.flush([&](wire::ByteSpan frame) { port_.send(peer.subject, frame); });
}

void Broker::end_turn(wire::Time now) {
  dispatch(now);
  fetcher_.flush(now);
  for (Peer* peer : std::exchange(dirty_, {})) {
    if (peer != nullptr) flush(*peer);
  }
}

// ---- time ----

wire::Time Broker::next_deadline() const {
  auto deadline = connected_ ? std::min(next_sweep_, control_deadline_) : wire::kNever;
  deadline = std::min(deadline, fetcher_.next_deadline());
  if (!timers_.empty()) deadline = std::min(deadline, timers_.top().at);
  return deadline;
}

void Broker::on_timer(wire::Time now) {
  if (now >= control_deadline_) {
    control_deadline_ = wire::kNever;
    std::erase_if(acks_owed_, [&](wire::Incarnation id) {
      const auto found = peers_.find(id);
      if (found == peers_.end()) return true;
      Peer& peer = *found->second;
      peer.link.flush_control(now, [&](wire::ByteSpan frame) { port_.send(peer.subject, frame); });
      peer.ack_owed = peer.link.control_deadline() != wire::kNever;
      if (peer.ack_owed) control_deadline_ = std::min(control_deadline_, peer.link.control_deadline());
      return !peer.ack_owed;
    });
  }
  while (!timers_.empty() && timers_.top().at <= now) {
    const TaskIndex index = tasks_.find(timers_.top().task);
    timers_.pop();
    if (index != kNone) on_task_timer(index, now);
  }
  fetcher_.on_timer(now);
  if (connected_ && now >= next_sweep_) sweep(now);
}

// Every heartbeat interval: tell everybody that we live, find out who does not, let go of what has expired.
void Broker::sweep(wire::Time now) {
  // We may have been stopped ourselves, with everybody's heartbeats unread: then nobody has been silent.
  if (now - next_sweep_ > config_.silence / 3) connected_since_ = now;
  next_sweep_ = now + config_.heartbeat;
  std::vector<wire::Incarnation> silent;
  for (auto& [id, peer] : peers_) {
    peer->link.heartbeat([&, to = peer](wire::ByteSpan frame) { port_.send(to->subject, frame); });
    if (now - silent_since(*peer) > config_.silence) silent.push_back(id);
  }
  for (const auto id : silent) {
    Peer& peer = *peers_.at(id);
    if (peer.role == wire::Role::client) {
      client_left(*sessions_[peer.index], now);
    } else {
      engine_lost(peer.index, false, now);
    }
  }
  note_engines(now);
  grant_windows();
  relieve_full_engines();
  expire_results(now);
  idempotency_.expire(now - config_.idempotency_ttl);
  std::erase_if(ended_links_, [&](const auto& item) { return now - item.second.at > kEndedLinksKept; });
  std::erase_if(orphans_, [&](const auto& item) {
    const bool old = !item.second.report.empty() && now - item.second.since > config_.result_ttl;
    if (old) {
      orphan_bytes_ -= item.second.report.size();
      release_unused(wire::as_bytes(item.second.report));
    }
    return old;
  });
  if (now - started_ > config_.adoption_grace) fail_unschedulable(now);
}

// Which engines are busy, and since when others are not.
void Broker::note_engines(wire::Time now) {
  totals_ = {};
  for (const auto& engine : engines_) {
    if (!engine) continue;
    totals_.add(*engine);
    if (engine->load > 0 || engine->completed != engine->completed_then) engine->last_busy = now;
    engine->completed_then = engine->completed;
  }
}

// ---- look-ups ----

Engine* Broker::find_engine(wire::Incarnation id) {
  const auto found = peers_.find(id);
  return found == peers_.end() || found->second->role != wire::Role::engine ? nullptr
                                                                             : engines_[found->second->index].get();
}

Session* Broker::find_session(wire::SessionId id) {
  const auto found = session_by_id_.find(id);
  return found == session_by_id_.end() ? nullptr : sessions_[found->second].get();
}

TaskIndex Broker::find_task(const wire::TaskId& id) {
  const Session* session = find_session(id.session);
  return session == nullptr ? kNone : session->tasks.find(id.sequence);
}

}  // namespace covey::controller

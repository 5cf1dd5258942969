// One end of a link between two processes: batches records into numbered frames, acknowledges what arrives, and sends
// again on evidence (a gap, a reconnect) what NATS lost. Pure: bytes and time go in, frames come out through `send`.
// Delivers every record once and in order as long as both ends live; not thread-safe.
//
// Algorithm: go-back-N with cumulative acknowledgements. NATS keeps order within a connection, so a gap means loss;
// there is no retransmission timer, because a busy peer is not a lossy one. The tail of a stream is protected by the
// heartbeat, which names the highest number sent.
#pragma once

#include <cstdint>
#include <algorithm>
#include <deque>
#include <vector>

#include "common/wire/frame.hpp"
#include "common/wire/time.hpp"

namespace covey::wire {

class Link {
 public:
  struct Options {
    std::size_t batch_bytes = 8 * 1024;       // an open frame leaves when it has grown to this
    std::size_t window_bytes = 1024 * 1024;   // sent and not acknowledged
    Duration ack_delay = std::chrono::milliseconds(5);      // how long an acknowledgement waits for reverse traffic
    Duration resend_pause = std::chrono::milliseconds(20);  // between two requests for the same gap
  };
  // The longest record. One that does not fit a frame travels in parts; the other end drops what is longer than this.
  static constexpr std::size_t kMaxRecordBytes = 8 * 1024 * 1024;
  // The longest part of a record that still fits the record in which it is passed on.
  static constexpr std::size_t kMaxPartBytes = kMaxRecordBytes - 1024;

  Link(Incarnation self, Incarnation peer, std::uint32_t id, Options options);
  Link(Incarnation self, Incarnation peer, std::uint32_t id) : Link(self, peer, id, Options{}) {}

  Incarnation peer() const { return peer_; }
  std::uint32_t id() const { return id_; }
  bool matches(const Header& header) const {
    return header.from == peer_ && header.to == self_ && header.link == id_;
  }

  // ---- sending ----

  // Where to encode the next record, one record per call, of at most kMaxRecordBytes.
  Writer& record();
  // Bytes that are open, sealed or unacknowledged.
  std::size_t held_bytes() const { return held_bytes_ + open_.size(); }
  // False: the upper layer should keep further records to itself until acknowledgements come.
  bool has_room() const { return held_bytes() < options_.window_bytes; }
  bool has_unsent() const { return !open_.empty() || cursor_ < frames_.size(); }

  // Sends what the window allows; acknowledgements ride along. `send` is called with whole messages.
  template <class Send>
  void flush(Send&& send) {
    seal();
    while (cursor_ < frames_.size() && in_flight_bytes_ < options_.window_bytes) send(prepare_next());
  }
  // An unnumbered frame that says what has been sent and received.
  template <class Send>
  void heartbeat(Send&& send) {
    send(prepare_control(FrameKind::heartbeat));
  }
  // Sends an acknowledgement or a resend request where one is due.
  template <class Send>
  void flush_control(Time now, Send&& send) {
    if (gap_ && now >= next_resend_request_) {
      next_resend_request_ = now + options_.resend_pause;
      send(prepare_control(FrameKind::resend));
    } else if (now >= ack_deadline_) {
      send(prepare_control(FrameKind::heartbeat));
    }
  }
  // When flush_control has something to do; kNever where nothing is owed.
  Time control_deadline() const { return gap_ ? std::min(next_resend_request_, ack_deadline_) : ack_deadline_; }

  // The connection was lost and is back: everything unacknowledged is to be sent again at the next flush.
  void rewind();

  // The bodies of all frames that are not acknowledged, oldest first; without records that travel in parts, of which some
  // may be gone already.
  template <class Visit>
  void for_each_unacknowledged(Visit&& visit) const {
    for (const auto& frame : frames_) {
      if (!frame.of_long_record) visit(frame.bytes.span().subspan(kHeaderBytes));
    }
    const auto open = open_.size() <= kMaxFrameBytes ? open_.span() : open_.span().first(record_start_);
    if (!open.empty()) visit(open.subspan(kHeaderBytes));
  }

  // ---- receiving ----

  // Takes note of a frame that matches() and is_of_link(). True: records() are to be handled.
  bool receive(const Frame& frame, Time now);
  // Of the last receive(); valid until the next, and only as long as the frame's own bytes.
  ByteSpan records() const { return records_; }

  std::uint64_t received() const { return received_; }
  std::uint64_t acknowledged() const { return first_ - 1; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t resent() const { return resent_; }

 private:
  struct Sealed {
    Writer bytes;
    FrameKind kind = FrameKind::data;
    bool of_long_record = false;
  };

  void seal();
  void push_frame(Writer&& bytes, FrameKind kind, bool of_long_record);
  void push_long_record(ByteSpan record);
  bool take_records(const Frame& frame);
  Writer fresh_buffer();
  ByteSpan prepare_next();
  ByteSpan prepare_control(FrameKind kind);
  void on_ack(std::uint64_t ack);
  std::uint64_t highest_sent() const { return sent_; }

  Incarnation self_, peer_;
  std::uint32_t id_;
  Options options_;

  Writer open_;                 // header room and the records of the frame being filled; empty if none
  std::size_t record_start_ = 0;  // of the last record in open_
  std::deque<Sealed> frames_;   // sealed, unacknowledged; frames_[0] has number first_
  std::vector<Writer> spare_;   // buffers to use again
  std::uint64_t first_ = 1;
  std::size_t cursor_ = 0;      // frames_[cursor_] is the next to send
  std::uint64_t sent_ = 0;      // the highest number ever sent
  std::size_t held_bytes_ = 0;  // of frames_
  std::size_t in_flight_bytes_ = 0;  // of frames_[0, cursor_)

  std::uint64_t received_ = 0;  // every number up to this one has arrived
  bool gap_ = false;
  ByteSpan records_;
  Writer parts_;            // of a long record that is arriving, or has been handed out by the last receive()
  bool too_long_ = false;   // it has outgrown kMaxRecordBytes, and is being dropped
  Time ack_deadline_ = kNever;
  Time next_resend_request_{};
  std::byte control_[kHeaderBytes] = {};

  std::uint64_t duplicates_ = 0;
  std::uint64_t resent_ = 0;
};

}  // namespace covey::wire

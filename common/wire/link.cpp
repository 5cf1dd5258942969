#include "common/wire/link.hpp"

#include <algorithm>
#include <utility>

namespace covey::wire {

namespace {
constexpr std::size_t kSpareBuffers = 64;
}

Link::Link(Incarnation self, Incarnation peer, std::uint32_t id, Options options)
    : self_(self), peer_(peer), id_(id), options_(options) {}

Writer& Link::record() {
  if (open_.size() >= options_.batch_bytes) seal();
  if (open_.empty()) open_.skip(kHeaderBytes);
  return open_;
}

void Link::seal() {
  if (open_.empty()) return;
  held_bytes_ += open_.size();
  frames_.push_back(std::move(open_));
  open_ = Writer();
  if (!spare_.empty()) {
    open_ = std::move(spare_.back());
    spare_.pop_back();
  }
}

ByteSpan Link::prepare_next() {
  Writer& frame = frames_[cursor_];
  const std::uint64_t sequence = first_ + cursor_;
  if (sequence <= sent_) ++resent_;
  sent_ = std::max(sent_, sequence);
  write_header(frame.data(), {FrameKind::data, id_, self_, peer_, sequence, received_});
  ++cursor_;
  in_flight_bytes_ += frame.size();
  ack_deadline_ = kNever;
  return frame.span();
}

ByteSpan Link::prepare_control(FrameKind kind) {
  write_header(control_, {kind, id_, self_, peer_, sent_, received_});
  ack_deadline_ = kNever;
  return {control_, kHeaderBytes};
}

void Link::rewind() {
  cursor_ = 0;
  in_flight_bytes_ = 0;
}

void Link::on_ack(std::uint64_t ack) {
  if (ack > sent_) return;  // a frame of another time, or a liar
  while (first_ <= ack) {
    Writer& frame = frames_.front();
    held_bytes_ -= frame.size();
    if (cursor_ > 0) {
      in_flight_bytes_ -= frame.size();
      --cursor_;
    }
    frame.clear();
    if (spare_.size() < kSpareBuffers) spare_.push_back(std::move(frame));
    frames_.pop_front();
    ++first_;
  }
}

bool Link::receive(const Header& header, Time now) {
  on_ack(header.ack);
  if (header.kind == FrameKind::resend) {
    rewind();
    return false;
  }
  if (header.kind == FrameKind::heartbeat) {
    gap_ = header.sequence > received_;
    return false;
  }
  if (header.sequence > received_ + 1) {
    gap_ = true;
    return false;
  }
  if (ack_deadline_ == kNever) ack_deadline_ = now + options_.ack_delay;
  if (header.sequence <= received_) {
    ++duplicates_;
    return false;
  }
  ++received_;
  gap_ = false;
  return true;
}

}  // namespace covey::wire

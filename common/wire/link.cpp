#include "common/wire/link.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace covey::wire {

namespace {
constexpr std::size_t kSpareBuffers = 64;
constexpr std::size_t kPartBytes = 60 * 1024;
}

Link::Link(Incarnation self, Incarnation peer, std::uint32_t id, Options options)
    : self_(self), peer_(peer), id_(id), options_(options) {}

Writer& Link::record() {
  if (open_.size() >= options_.batch_bytes) seal();
  if (open_.empty()) open_.skip(kHeaderBytes);
  record_start_ = open_.size();
  return open_;
}

Writer Link::fresh_buffer() {
  if (spare_.empty()) return Writer();
  Writer buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void Link::push_frame(Writer&& bytes, FrameKind kind, bool of_long_record) {
  held_bytes_ += bytes.size();
  frames_.push_back({std::move(bytes), kind, of_long_record});
}

// Only the last record can have made the frame too long, since a full frame is sealed before the next one begins.
void Link::seal() {
  if (open_.empty()) return;
  Writer sealed = std::exchange(open_, fresh_buffer());
  if (sealed.size() <= kMaxFrameBytes) return push_frame(std::move(sealed), FrameKind::data, false);
  const ByteSpan all = sealed.span();
  if (record_start_ > kHeaderBytes) {
    Writer before = fresh_buffer();
    before.raw(all.first(record_start_));
    push_frame(std::move(before), FrameKind::data, false);
  }
  push_long_record(all.subspan(record_start_));
}

void Link::push_long_record(ByteSpan record) {
  assert(record.size() <= kMaxRecordBytes);
  while (!record.empty()) {
    const auto part = record.first(std::min(record.size(), kPartBytes));
    record = record.subspan(part.size());
    Writer frame = fresh_buffer();
    frame.skip(kHeaderBytes);
    frame.raw(part);
    push_frame(std::move(frame), record.empty() ? FrameKind::data : FrameKind::part, true);
  }
}

ByteSpan Link::prepare_next() {
  Writer& frame = frames_[cursor_].bytes;
  const std::uint64_t sequence = first_ + cursor_;
  if (sequence <= sent_) ++resent_;
  sent_ = std::max(sent_, sequence);
  write_header(frame.data(), {frames_[cursor_].kind, id_, self_, peer_, sequence, received_});
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
    Writer& frame = frames_.front().bytes;
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

bool Link::receive(const Frame& frame, Time now) {
  const Header& header = frame.header;
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
  return take_records(frame);
}

bool Link::take_records(const Frame& frame) {
  if (records_.data() != nullptr && records_.data() == parts_.data()) parts_.clear();  // handed out last time
  if (frame.header.kind == FrameKind::data && parts_.empty() && !too_long_) {
    records_ = frame.body;
    return true;
  }
  too_long_ = too_long_ || parts_.size() + frame.body.size() > kMaxRecordBytes;
  if (too_long_) {
    parts_ = Writer();
  } else {
    parts_.raw(frame.body);
  }
  records_ = {};
  if (frame.header.kind == FrameKind::part) return false;
  if (!std::exchange(too_long_, false)) records_ = parts_.span();
  return !records_.empty();
}

}  // namespace covey::wire

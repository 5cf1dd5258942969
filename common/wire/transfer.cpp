#include "common/wire/transfer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace covey::wire {

namespace {
constexpr std::size_t kPieceBytes = 16 * 1024;  // about where NATS moves the most bytes a second both ways
}

void encode(Writer& out, const PayloadFrame& frame) {
  out.u8(static_cast<std::uint8_t>(frame.kind));
  if (frame.kind == PayloadFrame::Kind::want) {
    out.varint(frame.blob);
    out.varint(frame.from);
    out.varint(frame.until);
  } else if (frame.kind == PayloadFrame::Kind::piece) {
    out.varint(frame.from);
    out.raw(frame.bytes);
  }
}

std::optional<PayloadFrame> decode_payload_frame(ByteSpan body) {
  Reader in(body);
  PayloadFrame frame;
  frame.kind = static_cast<PayloadFrame::Kind>(in.u8());
  switch (frame.kind) {
    case PayloadFrame::Kind::want:
      frame.blob = in.varint();
      frame.from = in.varint();
      frame.until = in.varint();
      break;
    case PayloadFrame::Kind::piece:
      frame.from = in.varint();
      frame.bytes = in.raw(in.remaining());
      break;
    case PayloadFrame::Kind::gone: break;
    default: in.fail();
  }
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return frame;
}

std::string TransferEnd::subject_of(Incarnation peer, Role peer_role) const {
  switch (peer_role) {
    case Role::controller: return subjects->to_controller(role, self);
    case Role::engine: return subjects->to_engine(peer, role);
    case Role::client: break;
  }
  return subjects->to_client(peer, role);
}

void answer_want(const TransferEnd& self, Role reader, const Frame& frame, const PayloadFrame& want, const Buffer* blob,
                 Outlet& outlet) {
  const std::string subject = self.subject_of(frame.header.from, reader);
  Writer out;
  const auto send = [&](const PayloadFrame& answer) {
    out.clear();
    out.skip(kHeaderBytes);
    encode(out, answer);
    write_header(out.data(), {FrameKind::payload, 0, self.self, frame.header.from, frame.header.sequence, 0});
    outlet.send(subject, out.span());
  };
  if (blob == nullptr || want.from >= want.until || want.until > blob->size()) {
    return send({PayloadFrame::Kind::gone, 0, 0, 0, {}});
  }
  for (std::uint64_t at = want.from; at < want.until; at += kPieceBytes) {
    const auto length = std::min<std::uint64_t>(kPieceBytes, want.until - at);
    send({PayloadFrame::Kind::piece, 0, at, 0, blob->span().subspan(at, length)});
  }
}

// ---- the reader ----

Fetcher::Fetcher(TransferEnd self, Outlet& outlet, Taker& taker, Limits limits)
    : self_(self), outlet_(outlet), taker_(taker), limits_(limits) {}

void Fetcher::fetch(std::uint64_t cookie, const BlobReference& blob) {
  by_cookie_.emplace(cookie, 0);
  waiting_.emplace_back(cookie, blob);
}

void Fetcher::forget(std::uint64_t cookie) {
  const auto found = by_cookie_.find(cookie);
  if (found == by_cookie_.end()) return;
  if (const auto at = active_.find(found->second); at != active_.end()) {
    take(at);
  } else {
    std::erase_if(waiting_, [&](const auto& one) { return one.first == cookie; });
    by_cookie_.erase(found);
  }
}

void Fetcher::on_connected(Time now) {
  connected_ = true;
  connected_since_ = now;
  next_check_ = now + kRetry;
  for (auto& [number, transfer] : active_) ask_again(transfer);
  flush(now);
}

// Every active transfer keeps its window open; new ones begin while the windows of all are not.
void Fetcher::flush(Time now) {
  if (!connected_) return;
  for (auto& [number, transfer] : active_) ask(number, transfer);
  begin_next(now);
}

void Fetcher::begin_next(Time now) {
  while (!waiting_.empty() && asked_bytes_ < limits_.all_windows) {
    const auto [cookie, blob] = waiting_.front();
    if (!active_.empty() && active_bytes_ + blob.size > limits_.bytes) return;
    waiting_.pop_front();
    if (active_.empty()) next_check_ = now + kRetry;
    const std::uint64_t number = next_number_++;
    by_cookie_[cookie] = number;
    active_bytes_ += blob.size;
    Transfer& transfer = active_[number];
    transfer.cookie = cookie;
    transfer.blob = blob;
    transfer.subject = self_.subject_of(blob.holder, static_cast<Role>(blob.holder_role));
    transfer.bytes = std::make_shared_for_overwrite<std::byte[]>(blob.size);
    transfer.last_word = now;
    ask(number, transfer);
  }
}

void Fetcher::ask(std::uint64_t number, Transfer& transfer) {
  if (transfer.asked == transfer.blob.size || transfer.asked - transfer.received > limits_.window / 2) return;
  const std::uint64_t until = std::min(transfer.blob.size, transfer.received + limits_.window);
  scratch_.clear();
  scratch_.skip(kHeaderBytes);
  encode(scratch_, PayloadFrame{PayloadFrame::Kind::want, transfer.blob.blob, transfer.asked, until, {}});
  write_header(scratch_.data(), {FrameKind::payload, 0, self_.self, transfer.blob.holder, number, 0});
  asked_bytes_ += until - transfer.asked;
  transfer.asked = until;
  outlet_.send(transfer.subject, scratch_.span());
}

// What was asked for and has not come is taken for lost.
void Fetcher::ask_again(Transfer& transfer) {
  asked_bytes_ -= transfer.asked - transfer.received;
  transfer.asked = transfer.received;
}

void Fetcher::on_frame(const Frame& frame, const PayloadFrame& content, Time now) {
  const auto at = active_.find(frame.header.sequence);
  if (at == active_.end() || frame.header.from != at->second.blob.holder || frame.header.to != self_.self) return;
  at->second.last_word = now;
  if (content.kind == PayloadFrame::Kind::gone) return fail(at, FetchError::gone);
  if (content.kind == PayloadFrame::Kind::piece) on_piece(at, content, now);
}

void Fetcher::on_piece(Active::iterator at, const PayloadFrame& piece, Time now) {
  Transfer& transfer = at->second;
  if (piece.from > transfer.received) {  // one before it was lost
    if (now < transfer.next_gap_request) return;
    transfer.next_gap_request = now + kGapPause;
    ask_again(transfer);
    return ask(at->first, transfer);
  }
  if (piece.from < transfer.received || piece.bytes.empty() || piece.bytes.size() > transfer.asked - transfer.received) return;
  std::memcpy(transfer.bytes.get() + transfer.received, piece.bytes.data(), piece.bytes.size());
  transfer.received += piece.bytes.size();
  asked_bytes_ -= piece.bytes.size();
  if (transfer.received == transfer.blob.size) return finish(at);
  ask(at->first, transfer);
}

Fetcher::Transfer Fetcher::take(Active::iterator at) {
  Transfer transfer = std::move(at->second);
  asked_bytes_ -= transfer.asked - transfer.received;
  active_bytes_ -= transfer.blob.size;
  active_.erase(at);
  by_cookie_.erase(transfer.cookie);
  return transfer;
}

void Fetcher::finish(Active::iterator at) {
  const Transfer transfer = take(at);
  const std::span<const std::byte> bytes(transfer.bytes.get(), transfer.blob.size);
  taker_.on_fetched(transfer.cookie, Buffer(transfer.bytes, bytes));
}

void Fetcher::fail(Active::iterator at, FetchError error) { taker_.on_fetch_failed(take(at).cookie, error); }

void Fetcher::on_timer(Time now) {
  if (!connected_ || now < next_check_) return;
  // We may have been stopped ourselves, with the answers unread.
  if (now - next_check_ > kSilence / 3) connected_since_ = now;
  next_check_ = now + kRetry;
  std::vector<std::uint64_t> silent;
  for (auto& [number, transfer] : active_) {
    if (now - std::max(transfer.last_word, connected_since_ + kReconnectGrace) > kSilence) {
      silent.push_back(number);
    } else if (now - transfer.last_word >= kRetry) {
      ask_again(transfer);
      ask(number, transfer);
    }
  }
  for (const auto number : silent) {
    if (const auto at = active_.find(number); at != active_.end()) fail(at, FetchError::unreachable);
  }
  flush(now);
}

}  // namespace covey::wire

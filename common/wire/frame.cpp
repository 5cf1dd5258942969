#include "common/wire/frame.hpp"

namespace covey::wire {
namespace {
constexpr std::uint8_t kMagic0 = 0xC0, kMagic1 = 0x7E;
}

// Offsets: magic 0, version 2, kind 3, link 4, from 8, to 16, sequence 24, ack 32.
void write_header(std::byte* target, const Header& header) {
  target[0] = std::byte{kMagic0};
  target[1] = std::byte{kMagic1};
  target[2] = std::byte{kProtocolVersion};
  target[3] = static_cast<std::byte>(header.kind);
  std::memcpy(target + 4, &header.link, 4);
  std::memcpy(target + 8, &header.from, 8);
  std::memcpy(target + 16, &header.to, 8);
  std::memcpy(target + 24, &header.sequence, 8);
  std::memcpy(target + 32, &header.ack, 8);
}

FrameError read_frame(ByteSpan message, Frame& frame) {
  if (message.size() < kHeaderBytes) return FrameError::too_short;
  if (message.size() > kMaxFrameBytes) return FrameError::too_long;
  const std::byte* p = message.data();
  if (p[0] != std::byte{kMagic0} || p[1] != std::byte{kMagic1}) return FrameError::foreign;
  Header& header = frame.header;
  header.kind = static_cast<FrameKind>(p[3]);
  std::memcpy(&header.link, p + 4, 4);
  std::memcpy(&header.from, p + 8, 8);
  std::memcpy(&header.to, p + 16, 8);
  std::memcpy(&header.sequence, p + 24, 8);
  std::memcpy(&header.ack, p + 32, 8);
  frame.body = message.subspan(kHeaderBytes);
  if (p[2] != std::byte{kProtocolVersion}) return FrameError::other_version;
  if (header.kind < FrameKind::hello || header.kind > kLastFrameKind) return FrameError::unknown_kind;
  return FrameError::none;
}

}  // namespace covey::wire

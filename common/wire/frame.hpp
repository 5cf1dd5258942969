// The frame: every Covey message on NATS is a 40-byte header and a body. docs/protocol.md is its description for readers.
#pragma once

#include <cstdint>
#include <optional>

#include "common/wire/bytes.hpp"
#include "common/wire/ids.hpp"

namespace covey::wire {

inline constexpr std::uint8_t kProtocolVersion = 1;
inline constexpr std::size_t kMaxFrameBytes = 64 * 1024;   // never more, whatever the server's max_payload
inline constexpr std::size_t kInlinePayloadBytes = 32 * 1024;  // beyond this a payload travels as a reference

enum class FrameKind : std::uint8_t {
  hello = 1,      // peer → controller: who I am; asks for a link
  welcome = 2,    // controller → peer: the link exists, and its terms
  refuse = 3,     // controller → peer: no link, and why
  data = 4,       // numbered: records
  heartbeat = 5,  // unnumbered: I live; `sequence` is the highest sent, `ack` the highest received
  resend = 6,     // a heartbeat that says: a gap was seen, send again from `ack` + 1
  goodbye = 7,    // the sender leaves in good order
  announce = 8,   // controller → everybody: a controller has started
  direct = 9,     // client → any engine: tasks of the scheme direct; `sequence` numbers the client's direct frames
  part = 10,      // numbered like data: a piece of a record that is longer than a frame; the next data frame ends it
  payload = 11,   // between holders and readers of referenced payloads
};
inline constexpr auto kLastFrameKind = FrameKind::payload;

// A link is (from, to, link) and numbers its data frames from 1 in each direction.
struct Header {
  FrameKind kind = FrameKind::heartbeat;
  std::uint32_t link = 0;  // chosen by the peer at each hello, so that a link begun again is never mistaken for its past
  Incarnation from = Incarnation::none;
  Incarnation to = Incarnation::none;
  std::uint64_t sequence = 0;
  std::uint64_t ack = 0;  // every data frame up to this one has arrived
};
inline constexpr std::size_t kHeaderBytes = 40;

// The kinds that a link sends and receives.
constexpr bool is_of_link(FrameKind kind) {
  return kind == FrameKind::data || kind == FrameKind::heartbeat || kind == FrameKind::resend || kind == FrameKind::part;
}

void write_header(std::byte* target, const Header& header);

enum class FrameError : std::uint8_t { none, too_short, foreign, other_version, unknown_kind, too_long };

struct Frame {
  Header header;
  ByteSpan body;
};

// Splits a message; the body points into `message`. On another protocol version the header is still read.
FrameError read_frame(ByteSpan message, Frame& frame);

}  // namespace covey::wire

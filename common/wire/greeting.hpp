// The bodies of the frames that begin and end a link: hello, welcome, refuse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/wire/bytes.hpp"
#include "common/wire/ids.hpp"

namespace covey::wire {

enum class Role : std::uint8_t { controller = 0, engine = 1, client = 2 };

struct Hello {
  Role role = Role::client;
  SessionId session = SessionId::none;  // clients
  std::string name;                     // for people: host and process
  std::uint32_t slots = 1;              // engines
  std::vector<std::string> labels;      // engines, "name=value"
  std::vector<std::string> functions;   // engines
  bool operator==(const Hello&) const = default;
};

struct Welcome {
  std::uint64_t window = 0;          // clients: how many unfinished tasks they may have
  std::uint64_t max_payload = 1ULL << 30;  // bytes of one payload, inline or referenced
  std::uint64_t heartbeat_ms = 500;  // how often the controller wants to hear something
  bool operator==(const Welcome&) const = default;
};

enum class RefuseReason : std::uint8_t {
  unknown_link = 1,   // say hello again
  other_version = 2,  // another protocol version
  too_many = 3,       // a limit on peers is reached
  malformed = 4,
};

struct Refuse {
  RefuseReason reason = RefuseReason::unknown_link;
  std::string text;
  bool operator==(const Refuse&) const = default;
};

void encode(Writer& out, const Hello& hello);
void encode(Writer& out, const Welcome& welcome);
void encode(Writer& out, const Refuse& refuse);
std::optional<Hello> decode_hello(ByteSpan body);
std::optional<Welcome> decode_welcome(ByteSpan body);
std::optional<Refuse> decode_refuse(ByteSpan body);

}  // namespace covey::wire

#include "common/wire/greeting.hpp"

namespace covey::wire {
namespace {

void texts(Writer& out, const std::vector<std::string>& values) {
  out.varint(values.size());
  for (const auto& value : values) out.text(value);
}

std::vector<std::string> texts(Reader& in) {
  std::vector<std::string> values;
  for (auto left = in.count(); left > 0 && in.ok(); --left) values.emplace_back(in.text());
  return values;
}

}  // namespace

void encode(Writer& out, const Hello& hello) {
  out.u8(static_cast<std::uint8_t>(hello.role));
  out.fixed(static_cast<std::uint64_t>(hello.session));
  out.text(hello.name);
  out.varint(hello.slots);
  texts(out, hello.labels);
  texts(out, hello.functions);
}

std::optional<Hello> decode_hello(ByteSpan body) {
  Reader in(body);
  Hello hello;
  const auto role = in.u8();
  hello.role = static_cast<Role>(role);
  hello.session = static_cast<SessionId>(in.fixed<std::uint64_t>());
  hello.name = in.text();
  hello.slots = static_cast<std::uint32_t>(in.varint());
  hello.labels = texts(in);
  hello.functions = texts(in);
  const bool valid = (role == 1 && hello.slots >= 1 && hello.slots <= 4096) || (role == 2 && hello.session != SessionId::none);
  if (!in.ok() || !in.at_end() || !valid) return std::nullopt;
  return hello;
}

void encode(Writer& out, const Welcome& welcome) {
  out.varint(welcome.window);
  out.varint(welcome.max_payload);
  out.varint(welcome.heartbeat_ms);
}

std::optional<Welcome> decode_welcome(ByteSpan body) {
  Reader in(body);
  Welcome welcome;
  welcome.window = in.varint();
  welcome.max_payload = in.varint();
  welcome.heartbeat_ms = in.varint();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return welcome;
}

void encode(Writer& out, const Refuse& refuse) {
  out.u8(static_cast<std::uint8_t>(refuse.reason));
  out.text(refuse.text);
}

std::optional<Refuse> decode_refuse(ByteSpan body) {
  Reader in(body);
  Refuse refuse;
  const auto reason = in.u8();
  refuse.reason = static_cast<RefuseReason>(reason);
  refuse.text = in.text();
  if (!in.ok() || !in.at_end() || reason < 1 || reason > 4) return std::nullopt;
  return refuse;
}

}  // namespace covey::wire

#include "engine/exec/text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace covey::engine {

namespace {

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }
bool is_continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

// How many bytes a character has that begins with this one; 0: none begins so.
std::size_t length_of(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Some leads narrow what may follow.
bool second_byte_fits(std::uint8_t lead, std::uint8_t second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

bool is_character(std::string_view bytes, std::size_t at, std::size_t length) {
  if (length == 0 || at + length > bytes.size()) return false;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(byte_at(bytes, at + i))) return false;
  }
  return length == 1 || second_byte_fits(byte_at(bytes, at), byte_at(bytes, at + 1));
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = length_of(byte_at(bytes, at));
    if (!is_character(bytes, at, length)) return false;
    at += length;
  }
  return true;
}

std::string_view without_cut_character(std::string_view bytes) {
  std::size_t begin = bytes.size();
  while (begin > 0 && bytes.size() - begin < 3 && is_continuation(byte_at(bytes, begin - 1))) --begin;
  if (begin == 0 || length_of(byte_at(bytes, begin - 1)) <= bytes.size() - begin + 1) return bytes;
  return bytes.substr(0, begin - 1);
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < count ? byte_at(bytes, at + i) : 0U);
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? kDigits[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

std::string last_line(std::string_view text, std::size_t most) {
  const auto end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  if (const auto newline = text.find_last_of('\n'); newline != std::string_view::npos) text.remove_prefix(newline + 1);
  std::string line(without_cut_character(text.substr(0, most)));
  if (!is_utf8(line)) return {};
  for (auto& c : line) c = static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return line;
}

}  // namespace covey::engine

#include "common/wire/ids.hpp"

#include <charconv>

namespace covey::wire {
namespace {

std::string hex64(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) text[i] = kDigits[value & 15];
  return text;
}

}  // namespace

std::string to_string(Incarnation incarnation) { return hex64(static_cast<std::uint64_t>(incarnation)); }
std::string to_string(SessionId session) { return hex64(static_cast<std::uint64_t>(session)); }

std::optional<std::uint64_t> parse_hex64(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 16 || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string to_string(const TaskId& id) { return to_string(id.session) + "-" + std::to_string(id.sequence); }

std::optional<TaskId> parse_task_id(std::string_view text) {
  if (text.size() < 18 || text[16] != '-') return std::nullopt;
  const auto session = parse_hex64(text.substr(0, 16));
  const auto digits = text.substr(17);
  std::uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  if (!session || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return TaskId{static_cast<SessionId>(*session), sequence};
}

}  // namespace covey::wire

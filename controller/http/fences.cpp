#include "controller/http/fences.hpp"

#include <charconv>

namespace covey::api {

namespace {

constexpr std::size_t kLongestLease = 64;

bool names(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; }

}  // namespace

std::optional<FencingToken> read_fencing_token(std::string_view text) {
  const auto colon = text.find(':');
  const bool named = colon != std::string_view::npos;
  if (named && (colon == 0 || colon > kLongestLease)) return std::nullopt;
  FencingToken token{text.substr(0, named ? colon : 0)};
  if (!std::all_of(token.lease.begin(), token.lease.end(), names)) return std::nullopt;
  const auto digits = named ? text.substr(colon + 1) : text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), token.epoch);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return token;
}

}  // namespace covey::api

#include "controller/http/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace covey::api {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Problem wrong_target(std::string detail) { return {Kind::invalid_parameter, std::move(detail), {}, {}}; }

}  // namespace

std::string percent_decode(std::string_view text, bool plus_is_space, bool& ok) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        ok = false;
        return {};
      }
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

Outcome<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) {
    const auto scheme = text.find("://");
    const auto slash = scheme == std::string_view::npos ? scheme : text.find('/', scheme + 3);
    if (slash == std::string_view::npos) return wrong_target("The request's target is neither a path nor a URL with one.");
    text.remove_prefix(slash);
  }
  text = text.substr(0, text.find('#'));
  const auto mark = text.find('?');
  std::string_view path = text.substr(0, mark);
  Target target;
  bool ok = true;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    if (target.segments.size() == kMaxSegments) return wrong_target(fmt::format("The path has more than {} parts.", kMaxSegments));
    target.segments.push_back(percent_decode(segment, false, ok));
    path.remove_prefix(segment.size());
  }
  std::string_view query = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    if (target.query.all().size() == kMaxParameters) {
      return wrong_target(fmt::format("The query has more than {} parameters.", kMaxParameters));
    }
    const auto equals = pair.find('=');
    target.query.add(percent_decode(pair.substr(0, equals), true, ok),
                     equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1), true, ok));
  }
  if (!ok) return wrong_target("A '%' in the target is not followed by two hexadecimal digits.");
  return target;
}

const std::string* Query::find(std::string_view name) const {
  const auto found = std::find_if(values_.begin(), values_.end(), [&](const auto& pair) { return pair.first == name; });
  return found == values_.end() ? nullptr : &found->second;
}

std::optional<Problem> Query::check(std::initializer_list<std::string_view> names) const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const auto& name = values_[i].first;
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      auto expected = names.size() == 0 ? std::string("no parameters") : fmt::format("one of {}", fmt::join(names, ", "));
      return Problem{Kind::invalid_parameter, fmt::format("There is no parameter '{}' here.", name), name, std::move(expected)};
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (values_[j].first == name) {
        return Problem{Kind::invalid_parameter, fmt::format("The parameter '{}' is given twice.", name), name, "one value"};
      }
    }
  }
  return std::nullopt;
}

// ---- values ----

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
  std::size_t most_digits;  // so that no time is beyond a year
};
constexpr Unit kUnits[] = {{"ms", 1, 9}, {"s", 1000, 7}, {"", 1000, 7}, {"m", 60'000, 5}, {"h", 3'600'000, 3}};

std::size_t digits_at(std::string_view text) {
  const auto end = text.find_first_not_of("0123456789");
  return end == std::string_view::npos ? text.size() : end;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::size_t whole = digits_at(text);
  std::size_t end = whole;
  if (end < text.size() && text[end] == '.') end += 1 + digits_at(text.substr(end + 1));
  const auto unit = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& one) { return one.name == text.substr(end); });
  const bool has_fraction = end > whole;
  if (unit == std::end(kUnits) || whole == 0 || whole > unit->most_digits) return std::nullopt;
  if (has_fraction && (unit->ms != 1000 || end < whole + 2 || end > whole + 4)) return std::nullopt;
  std::int64_t ms = static_cast<std::int64_t>(*parse_number(text.substr(0, whole))) * unit->ms;
  std::int64_t place = 100;
  for (std::size_t i = whole + 1; i < end; ++i, place /= 10) ms += (text[i] - '0') * place;
  return std::chrono::milliseconds(ms);
}

Outcome<std::chrono::milliseconds> duration_parameter(const Query& query, std::string_view name,
                                                      std::chrono::milliseconds otherwise, std::chrono::milliseconds most) {
  const auto* text = query.find(name);
  if (text == nullptr) return otherwise;
  const auto value = parse_duration(*text);
  if (value && *value <= most) return *value;
  return Problem{Kind::invalid_parameter, fmt::format("'{}' is not a time that '{}' can have.", *text, name), std::string(name),
                 fmt::format("a time such as 500ms, 30s or 2m, at most {}s", most.count() / 1000)};
}

Outcome<std::uint64_t> number_parameter(const Query& query, std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                                        std::uint64_t most) {
  const auto* text = query.find(name);
  if (text == nullptr) return otherwise;
  const auto value = parse_number(*text);
  if (value && *value >= least && *value <= most) return *value;
  return Problem{Kind::invalid_parameter, fmt::format("'{}' is not a number that '{}' can have.", *text, name), std::string(name),
                 fmt::format("an integer from {} to {}", least, most)};
}

Outcome<bool> bool_parameter(const Query& query, std::string_view name, bool otherwise) {
  const auto* text = query.find(name);
  if (text == nullptr) return otherwise;
  if (*text == "true" || *text == "1" || text->empty()) return true;
  if (*text == "false" || *text == "0") return false;
  return Problem{Kind::invalid_parameter, fmt::format("'{}' is neither true nor false.", *text), std::string(name), "true or false"};
}

}  // namespace covey::api

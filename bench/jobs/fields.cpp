#include "bench/jobs/fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>

#include "bench/jobs/json_text.hpp"

namespace covey::jobs {

namespace {

constexpr std::size_t kLongestName = 100;
constexpr double kLongestDurationMs = 365.0 * 24 * 3600 * 1000;

std::optional<double> to_double(std::string_view text) {
  if (!is_json_number(text)) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> words) {
  if (word.size() > kLongestName) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const auto& one : words) {
    const auto here = distance(word, one);
    if (here < least) {
      least = here;
      best = one;
    }
  }
  return best;
}

std::optional<Milliseconds> parse_duration(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}};
  for (const auto& [unit, ms] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const auto value = to_double(text.substr(0, text.size() - unit.size()));
    if (!value || *value < 0 || *value * ms > kLongestDurationMs) return std::nullopt;
    return Milliseconds(static_cast<std::int64_t>(std::ceil(*value * ms - 1e-9)));
  }
  return std::nullopt;
}

bool Field::is_map(const KnownKeys& known) const {
  if (!node_->is_map()) {
    wanted(fmt::format("a map with the keys {}", fmt::join(known.keys, ", ")));
    return false;
  }
  for (const auto& member : node_->members) {
    if (std::find(known.keys.begin(), known.keys.end(), member.name) != known.keys.end()) continue;
    const auto meant = nearest(member.name, known.keys);
    problems_->push_back(
        {member.mark, key_.empty() ? member.name : key_ + "." + member.name,
         fmt::format("unknown key; {}there are {}", meant ? fmt::format("did you mean '{}'? ", *meant) : "",
                     fmt::join(known.keys, ", "))});
  }
  return true;
}

bool Field::is_list(const std::string& of_what) const {
  if (node_->is_list() && !node_->items.empty()) return true;
  if (node_->is_list()) {
    wrong("must be a list of " + of_what + ", got an empty one");
  } else {
    wanted("a list of " + of_what);
  }
  return false;
}

std::optional<Field> Field::find(std::string_view name) const {
  const Node* member = node_->find(name);
  if (member == nullptr) return std::nullopt;
  return Field(*member, key_.empty() ? std::string(name) : key_ + "." + std::string(name), *problems_);
}

std::optional<Field> Field::required(std::string_view name, const std::string& what) const {
  auto found = find(name);
  if (!found) wrong(fmt::format("'{}' is missing: {}", name, what));
  return found;
}

std::vector<Field> Field::items() const {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    fields.emplace_back(node_->items[i], key_ + "." + name_of_item(*node_, i), *problems_);
  }
  return fields;
}

std::optional<std::int64_t> Field::whole(std::int64_t least, std::int64_t most) const {
  std::int64_t value = 0;
  const auto& text = node_->text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (node_->is_scalar() && !node_->quoted && error == std::errc() && end == text.data() + text.size() &&
      value >= least && value <= most) {
    return value;
  }
  const bool bounded = most != std::numeric_limits<std::int64_t>::max();
  wanted(bounded ? fmt::format("a whole number from {} to {}", least, most)
                 : fmt::format("a whole number, at least {}", least));
  return std::nullopt;
}

std::optional<double> Field::number(double least, double most) const {
  const auto value = node_->is_scalar() && !node_->quoted ? to_double(node_->text) : std::nullopt;
  if (value && *value >= least && *value <= most) return value;
  wanted(fmt::format("a number from {} to {}", least, most));
  return std::nullopt;
}

std::optional<bool> Field::flag() const {
  if (node_->is_scalar() && !node_->quoted && (node_->text == "true" || node_->text == "false"))
    return node_->text == "true";
  wanted("true or false");
  return std::nullopt;
}

std::optional<std::string> Field::text(const std::string& what) const {
  if (node_->is_scalar() && !node_->text.empty() && node_->text.find('\0') == std::string::npos) return node_->text;
  wanted(what);
  return std::nullopt;
}

std::optional<std::string> Field::word() const {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  const auto& text = node_->text;
  const bool fits =
      node_->is_scalar() && !text.empty() && text.size() <= kLongestName && text[0] != '.' && text[0] != '-';
  if (fits && std::all_of(text.begin(), text.end(), allowed)) return text;
  wanted(
      fmt::format("a name of up to {} letters, digits and ._- that begins with a letter, a digit or _", kLongestName));
  return std::nullopt;
}

std::optional<std::string> Field::one_of(std::initializer_list<std::string_view> words) const {
  if (node_->is_scalar() && std::find(words.begin(), words.end(), node_->text) != words.end()) return node_->text;
  wanted(fmt::format("one of {}", fmt::join(words, ", ")));
  return std::nullopt;
}

std::optional<Milliseconds> Field::duration() const {
  const auto value = node_->is_scalar() ? parse_duration(node_->text) : std::nullopt;
  if (!value) wanted("a duration such as 500ms, 30s, 10m or 2h");
  return value;
}

}  // namespace covey::jobs

#include "controller/http/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace covey::api {

namespace json = boost::json;

namespace {
constexpr double kMostSeconds = 9'999'999;
}

// All bytes but those that continue a character.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string Fields::path(std::string_view name) const {
  return prefix_.empty() ? std::string(name) : fmt::format("{}.{}", prefix_, name);
}

void Fields::wrong(std::string_view name, std::string detail, std::string expected) {
  if (!problem_) problem_ = Problem{Kind::invalid_field, std::move(detail), path(name), std::move(expected)};
}

const json::value* Fields::any(std::string_view name) {
  asked_.push_back(name);
  return object_.if_contains(json::string_view(name.data(), name.size()));
}

std::string Fields::text(std::string_view name, std::size_t most) {
  const json::value* value = any(name);
  if (value == nullptr) return {};
  if (!value->is_string() || characters(value->get_string()) > most) {
    wrong(name, fmt::format("'{}' is no text, or too long a one.", name), fmt::format("a text of up to {} characters", most));
    return {};
  }
  return std::string(value->get_string());
}

std::string Fields::required_text(std::string_view name, std::size_t most) {
  auto value = text(name, most);
  if (value.empty()) wrong(name, fmt::format("'{}' is missing or empty.", name), fmt::format("a text of 1 to {} characters", most));
  return value;
}

std::int64_t Fields::integer(std::string_view name, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const json::value* value = any(name);
  if (value == nullptr) return otherwise;
  boost::system::error_code error;
  const auto number = value->is_number() ? value->to_number<std::int64_t>(error) : 0;
  if (!value->is_number() || error || number < least || number > most) {
    wrong(name, fmt::format("'{}' is no integer that is possible here.", name), fmt::format("an integer from {} to {}", least, most));
    return otherwise;
  }
  return number;
}

bool Fields::boolean(std::string_view name, bool otherwise) {
  const json::value* value = any(name);
  if (value == nullptr) return otherwise;
  if (!value->is_bool()) {
    wrong(name, fmt::format("'{}' is neither true nor false.", name), "true or false");
    return otherwise;
  }
  return value->get_bool();
}

std::uint64_t Fields::duration_ms(std::string_view name) {
  const json::value* value = any(name);
  if (value == nullptr) return 0;
  std::optional<std::chrono::milliseconds> time;
  if (value->is_string()) time = parse_duration(std::string_view(value->get_string()));
  if (value->is_number()) {
    const auto seconds = value->to_number<double>();
    if (seconds >= 0 && seconds <= kMostSeconds) time = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000 + 0.5));
  }
  if (!time) wrong(name, fmt::format("'{}' is no time.", name), "seconds as a number, or a text such as \"500ms\", \"30s\" or \"2m\", up to 9999999 s");
  return static_cast<std::uint64_t>(time.value_or(std::chrono::milliseconds{}).count());
}

std::vector<std::string> Fields::texts(std::string_view name, std::size_t most) {
  const json::value* value = any(name);
  std::vector<std::string> list;
  if (value == nullptr) return list;
  const json::array* array = value->if_array();
  const bool good = array != nullptr && array->size() <= most &&
                    std::all_of(array->begin(), array->end(), [](const json::value& one) { return one.is_string(); });
  if (!good) {
    wrong(name, fmt::format("'{}' is no list of texts, or too long a one.", name), fmt::format("an array of up to {} texts", most));
    return list;
  }
  for (const auto& one : *array) list.emplace_back(one.get_string());
  return list;
}

std::vector<std::string_view> Fields::others() const {
  std::vector<std::string_view> names;
  for (const auto& member : object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) names.push_back(name);
  }
  return names;
}

void Fields::refuse_others() {
  const auto unknown = others();
  if (unknown.empty() || problem_) return;
  problem_ = Problem{Kind::unknown_field, fmt::format("There is no field '{}' here.", unknown.front()), path(unknown.front()),
                     fmt::format("one of {}", fmt::join(asked_, ", "))};
}

}  // namespace covey::api

#include "operator/api/fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>

namespace covey::crd {

namespace json = boost::json;

namespace {

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

std::string shown(const json::value& value) {
  auto text = json::serialize(value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

bool is_share(std::string_view text) {
  if (text.size() < 2 || text.size() > 4 || text.back() != '%') return false;
  text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) && std::stoi(std::string(text)) <= 100;
}

}  // namespace

std::string to_string(const std::vector<FieldError>& errors) {
  std::string text;
  for (const auto& error : errors) text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", error.path, error.message);
  return text;
}

void check_name(const std::string& name, std::size_t most, std::vector<FieldError>& errors) {
  if (name.size() <= most && name.find('.') == std::string::npos && (name.empty() || name[0] > '9')) return;
  errors.push_back({"metadata.name", fmt::format("\"{}\" is given; at most {} characters of a-z, 0-9 and -, the first a letter, are wanted", name, most)});
}

Fields::Fields(Reading& reading, std::string path, const json::value* object) : reading_(reading), path_(std::move(path)) {
  if (object == nullptr || object->is_null()) return;
  object_ = object->if_object();
  if (object_ == nullptr) reading_.errors.push_back({path_, fmt::format("{} is given; an object is wanted", shown(*object))});
}

Fields::~Fields() {
  if (object_ == nullptr) return;
  for (const auto& [key, value] : *object_) {
    const auto path = path_of({key.data(), key.size()});
    if (!reading_.asked.contains(path)) reading_.errors.push_back({path, fmt::format("there is no such field; see kubectl explain {}.{}", reading_.kind, path_)});
  }
}

std::string Fields::path_of(std::string_view name) const { return fmt::format("{}.{}", path_, name); }
bool Fields::given(std::string_view name) const { return object_ != nullptr && object_->contains(view(name)) && !object_->at(view(name)).is_null(); }
void Fields::fail(std::string_view name, std::string message) { reading_.errors.push_back({path_of(name), std::move(message)}); }

const json::value* Fields::member(std::string_view name, std::string type) {
  reading_.asked[path_of(name)] = std::move(type);
  return given(name) ? &object_->at(view(name)) : nullptr;
}

std::string Fields::text(std::string_view name, std::string_view fallback) {
  const auto* value = member(name, "string");
  if (value == nullptr) return std::string(fallback);
  if (value->is_string()) return std::string(value->get_string());
  fail(name, fmt::format("{} is given; a text is wanted", shown(*value)));
  return std::string(fallback);
}

std::string Fields::choice(std::string_view name, std::initializer_list<std::string_view> choices, std::string_view fallback) {
  const auto* value = member(name, fmt::format("string {}", fmt::join(choices, "|")));
  if (value == nullptr) return std::string(fallback);
  const auto* given_text = value->if_string();
  if (given_text != nullptr && std::find(choices.begin(), choices.end(), std::string_view(given_text->data(), given_text->size())) != choices.end()) {
    return std::string(*given_text);
  }
  fail(name, fmt::format("{} is given; one of {} is wanted", shown(*value), fmt::join(choices, ", ")));
  return std::string(fallback);
}

int Fields::integer(std::string_view name, Range range, int fallback) {
  const auto* value = member(name, fmt::format("integer {}..{}", range.least, range.most));
  if (value == nullptr) return fallback;
  json::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (!error && number >= range.least && number <= range.most) return static_cast<int>(number);
  fail(name, fmt::format("{} is given; {} to {} is wanted", shown(*value), range.least, range.most));
  return fallback;
}

bool Fields::boolean(std::string_view name, bool fallback) {
  const auto* value = member(name, "boolean");
  if (value == nullptr) return fallback;
  if (value->is_bool()) return value->get_bool();
  fail(name, fmt::format("{} is given; true or false is wanted", shown(*value)));
  return fallback;
}

json::object Fields::object(std::string_view name) {
  const auto* value = member(name, "any");
  if (value == nullptr) return {};
  if (value->is_object()) return value->get_object();
  fail(name, fmt::format("{} is given; an object is wanted", shown(*value)));
  return {};
}

std::vector<std::string> Fields::texts(std::string_view name) {
  const auto* value = member(name, "array");
  std::vector<std::string> result;
  if (value == nullptr) return result;
  const auto* array = value->if_array();
  const bool good = array != nullptr && std::all_of(array->begin(), array->end(), [](const auto& each) { return each.is_string(); });
  if (!good) {
    fail(name, fmt::format("{} is given; a list of texts is wanted", shown(*value)));
    return result;
  }
  for (const auto& each : *array) result.emplace_back(each.get_string());
  return result;
}

std::string Fields::count_or_share(std::string_view name, std::string_view fallback) {
  const auto* value = member(name, "count or share");
  if (value == nullptr) return std::string(fallback);
  if (const auto* text = value->if_string(); text != nullptr && is_share({text->data(), text->size()})) return std::string(*text);
  json::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (!error && number >= 1 && number <= 100'000) return std::to_string(number);
  fail(name, fmt::format("{} is given; a number from 1, or a share such as \"25%\", is wanted", shown(*value)));
  return std::string(fallback);
}

const json::value* Fields::part(std::string_view name) { return member(name, "object"); }

}  // namespace covey::crd

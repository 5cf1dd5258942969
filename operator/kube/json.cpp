#include "operator/kube/json.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace covey::kube {

namespace json = boost::json;

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  auto value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return Error{Errc::protocol, 0, {}, fmt::format("not JSON: {}", error.message())};
  return value;
}

const json::value* find_at(const json::value& from, std::string_view path) {
  const json::value* at = &from;
  while (!path.empty()) {
    const auto dot = path.find('.');
    const auto step = path.substr(0, dot);
    const auto* object = at->if_object();
    at = object == nullptr ? nullptr : object->if_contains({step.data(), step.size()});
    if (at == nullptr) return nullptr;
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return at;
}

std::string_view text_at(const json::value& from, std::string_view path) {
  const auto* value = find_at(from, path);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

const json::array& array_at(const json::value& from, std::string_view path) {
  static const json::array none;
  const auto* value = find_at(from, path);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

const json::object& object_at(const json::value& from, std::string_view path) {
  static const json::object none;
  const auto* value = find_at(from, path);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

std::optional<std::int64_t> integer_at(const json::value& from, std::string_view path) {
  const auto* value = find_at(from, path);
  if (value == nullptr) return std::nullopt;
  json::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

bool true_at(const json::value& from, std::string_view path) {
  const auto* value = find_at(from, path);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string_view member_text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  text.resize(most);
  return text;
}

}  // namespace covey::kube

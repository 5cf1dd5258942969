// Reading Kubernetes objects as JSON: parsing with the depth that they need, and looking members up by path. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "operator/kube/error.hpp"

namespace covey::kube {

// Boost.JSON's default of 32 is too little for schemas and pod templates.
inline constexpr std::size_t kMaxDepth = 128;

Result<boost::json::value> parse_json(std::string_view text);

// The value at a path such as "metadata.labels"; nullptr where a step is missing or not an object. Keys with dots have no path: look them
// up in the object.
const boost::json::value* find_at(const boost::json::value& from, std::string_view path);

// Empty where there is no such text, array or object.
std::string_view text_at(const boost::json::value& from, std::string_view path);
const boost::json::array& array_at(const boost::json::value& from, std::string_view path);
const boost::json::object& object_at(const boost::json::value& from, std::string_view path);
std::optional<std::int64_t> integer_at(const boost::json::value& from, std::string_view path);
bool true_at(const boost::json::value& from, std::string_view path);
// The text of a member whose key may have dots; empty where there is none.
std::string_view member_text(const boost::json::object& object, std::string_view key);

// At most so many bytes of it, cut between characters of UTF-8.
std::string cut(std::string text, std::size_t most);

}  // namespace covey::kube

// The target of a request: its path in segments and its query, both percent-decoded; and the values that parameters
// have. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/http/problem.hpp"

namespace covey::api {

class Query {
 public:
  void add(std::string name, std::string value) { values_.emplace_back(std::move(name), std::move(value)); }
  // nullptr where it is not given.
  const std::string* find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return values_; }
  // Fails on a parameter that is none of `names`, and on one given twice.
  std::optional<Problem> check(std::initializer_list<std::string_view> names) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

struct Target {
  std::vector<std::string> segments;  // of the path; a path that ends in a slash has an empty one at the end
  Query query;
};

inline constexpr std::size_t kMaxSegments = 16, kMaxParameters = 64;

// Of the form of RFC 9112's origin-form or absolute-form.
Outcome<Target> parse_target(std::string_view text);
std::string percent_decode(std::string_view text, bool plus_is_space, bool& ok);

// "30s", "1.5s", "500ms", "2m", "1h" or seconds as a bare number; nullopt: something else. Up to nine digits of ms, seven of
// seconds, five of minutes and three of hours.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::optional<std::uint64_t> parse_number(std::string_view text);

// The value of a parameter, or `otherwise` where it is not given.
Outcome<std::chrono::milliseconds> duration_parameter(const Query& query, std::string_view name,
                                                      std::chrono::milliseconds otherwise, std::chrono::milliseconds most);
Outcome<std::uint64_t> number_parameter(const Query& query, std::string_view name, std::uint64_t otherwise,
                                        std::uint64_t least, std::uint64_t most);
Outcome<bool> bool_parameter(const Query& query, std::string_view name, bool otherwise);

}  // namespace covey::api

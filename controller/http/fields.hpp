// Reads the members of a JSON object one by one and remembers the first that is wrong, by its path in the body; then
// finds members that nobody asked for. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/http/problem.hpp"
#include "controller/http/target.hpp"

namespace covey::api {

// Of functions, labels and keys.
inline constexpr std::size_t kMaxNameLength = 256;
// Of UTF-8.
std::size_t characters(std::string_view text);

class Fields {
 public:
  Fields(const boost::json::object& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {}

  // nullptr where it is not there, or null.
  const boost::json::value* any(std::string_view name);
  std::string text(std::string_view name, std::size_t most);
  std::string required_text(std::string_view name, std::size_t most);
  std::int64_t integer(std::string_view name, std::int64_t otherwise, std::int64_t least, std::int64_t most);
  bool boolean(std::string_view name, bool otherwise);
  // Seconds as a number, or a text such as "500ms".
  std::uint64_t duration_ms(std::string_view name);
  std::vector<std::string> texts(std::string_view name, std::size_t most);

  void wrong(std::string_view name, std::string detail, std::string expected);
  void adopt(const Fields& inner) {
    if (!problem_) problem_ = inner.problem_;
  }
  // Every member that was not asked for is a mistake.
  void refuse_others();
  std::vector<std::string_view> others() const;
  const std::optional<Problem>& problem() const { return problem_; }
  std::string path(std::string_view name) const;

 private:
  const boost::json::object& object_;
  std::string prefix_;
  std::vector<std::string_view> asked_;
  std::optional<Problem> problem_;
};

}  // namespace covey::api

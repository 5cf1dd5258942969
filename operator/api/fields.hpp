// Reads the members of a JSON object that a user wrote, and notes by path whatever is wrong with them: type, range, choice, unknown names. Keeps a
// list of what it was asked for, by which a test compares it with the published schema. Pure; one thread.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace covey::crd {

struct FieldError {
  std::string path;     // "spec.engine.replicas"
  std::string message;  // "-1 is given; 0 to 100000 is wanted"
  bool operator==(const FieldError&) const = default;
};

// "spec.engine.replicas: -1 is given; 0 to 100000 is wanted".
std::string to_string(const std::vector<FieldError>& errors);

struct Range {
  std::int64_t least, most;
};

// What all readers of one resource share.
struct Reading {
  std::string kind = "parallelcluster";      // as kubectl explain calls the resource
  std::vector<FieldError> errors;
  std::map<std::string, std::string> asked;  // path → type, with its range or choices: "integer 0..100000"
};

// A name that the names of what is made for the resource begin with; `most` characters leave room for the rest.
void check_name(const std::string& name, std::size_t most, std::vector<FieldError>& errors);

class Fields {
 public:
  // `object` is null where the user left it out; then every member has its default.
  Fields(Reading& reading, std::string path, const boost::json::value* object);
  // Whatever was not asked for is unknown.
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  std::string text(std::string_view name, std::string_view fallback = {});
  std::string choice(std::string_view name, std::initializer_list<std::string_view> choices, std::string_view fallback);
  int integer(std::string_view name, Range range, int fallback);
  bool boolean(std::string_view name, bool fallback);
  // Anything that Kubernetes itself will judge.
  boost::json::object object(std::string_view name);
  std::vector<std::string> texts(std::string_view name);
  // A count, or a share such as "25%"; as the user wrote it.
  std::string count_or_share(std::string_view name, std::string_view fallback);
  // To be given to Fields of its own.
  const boost::json::value* part(std::string_view name);
  bool given(std::string_view name) const;
  std::string path_of(std::string_view name) const;
  void fail(std::string_view name, std::string message);

 private:
  const boost::json::value* member(std::string_view name, std::string type);

  Reading& reading_;
  std::string path_;
  const boost::json::object* object_ = nullptr;
};

}  // namespace covey::crd

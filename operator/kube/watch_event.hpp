// One line of a watch: what happened to which object. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "operator/kube/error.hpp"

namespace covey::kube {

struct WatchEvent {
  enum class Type { added, modified, deleted, bookmark, error };
  Type type = Type::bookmark;
  boost::json::value object;  // without managedFields; null for errors
  Error error{};              // of the type error, which comes inside an HTTP 200
};

// Errc::protocol for what is no event.
Result<WatchEvent> parse_watch_line(std::string_view line);

// What managers of fields have noted is most of an object's size and nothing that a reconciler reads.
void strip_managed_fields(boost::json::value& object);

}  // namespace covey::kube

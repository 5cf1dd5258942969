#include "operator/kube/watch_event.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"

namespace covey::kube {

namespace {

std::optional<WatchEvent::Type> type_of(std::string_view name) {
  using Type = WatchEvent::Type;
  if (name == "ADDED") return Type::added;
  if (name == "MODIFIED") return Type::modified;
  if (name == "DELETED") return Type::deleted;
  if (name == "BOOKMARK") return Type::bookmark;
  if (name == "ERROR") return Type::error;
  return std::nullopt;
}

}  // namespace

void strip_managed_fields(boost::json::value& object) {
  auto* all = object.if_object();
  auto* metadata = all == nullptr ? nullptr : all->if_contains("metadata");
  if (metadata != nullptr && metadata->is_object()) metadata->get_object().erase("managedFields");
}

Result<WatchEvent> parse_watch_line(std::string_view line) {
  auto parsed = parse_json(line);
  if (!parsed) return parsed.error();
  const auto type = type_of(text_at(*parsed, "type"));
  const auto* object = find_at(*parsed, "object");
  if (!type || object == nullptr || !object->is_object()) {
    return Error{Errc::protocol, 200, {}, fmt::format("a line of a watch that is no event: {}", line.substr(0, 100))};
  }
  WatchEvent event;
  event.type = *type;
  if (*type == WatchEvent::Type::error) {
    event.error = error_of_status(*object);
    return event;
  }
  event.object = std::move(parsed->as_object().at("object"));
  strip_managed_fields(event.object);
  const bool named = *type == WatchEvent::Type::bookmark || !name_of(event.object).empty();
  if (!named || version_of(event.object).empty()) {
    return Error{Errc::protocol, 200, {}, "an object in a watch has no name or no resourceVersion"};
  }
  return event;
}

}  // namespace covey::kube

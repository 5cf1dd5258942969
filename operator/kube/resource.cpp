#include "operator/kube/resource.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "operator/kube/json.hpp"

namespace covey::kube {

std::string ResourceType::api_version() const { return group.empty() ? std::string(version) : fmt::format("{}/{}", group, version); }

std::string path_of(const Place& place, std::string_view subresource) {
  const auto& type = place.type;
  std::string path = type.group.empty() ? "/api/" : "/apis/";
  path += type.api_version();
  if (type.namespaced && !place.ns.empty()) path += "/namespaces/" + percent_encoded(place.ns);
  path += "/" + std::string(type.plural);
  // Without its namespace an object's name would be read as part of another address.
  if (!place.name.empty() && type.namespaced && place.ns.empty()) throw std::logic_error("an object without its namespace: " + place.name);
  if (!place.name.empty()) path += "/" + percent_encoded(place.name);
  if (!subresource.empty()) path += "/" + std::string(subresource);
  return path;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Query& Query::add(std::string_view name, std::string_view value) {
  text_ += text_.empty() ? '?' : '&';
  text_ += std::string(name) + "=" + percent_encoded(value);
  return *this;
}

std::string_view name_of(const boost::json::value& object) { return text_at(object, "metadata.name"); }
std::string_view namespace_of(const boost::json::value& object) { return text_at(object, "metadata.namespace"); }
std::string_view uid_of(const boost::json::value& object) { return text_at(object, "metadata.uid"); }
std::string_view version_of(const boost::json::value& object) { return text_at(object, "metadata.resourceVersion"); }
bool being_deleted(const boost::json::value& object) { return find_at(object, "metadata.deletionTimestamp") != nullptr; }

bool owned_by(const boost::json::value& object, std::string_view uid) {
  const auto& owners = array_at(object, "metadata.ownerReferences");
  return std::any_of(owners.begin(), owners.end(), [&](const auto& owner) { return text_at(owner, "uid") == uid; });
}

std::string key_of(const boost::json::value& object) {
  const auto ns = namespace_of(object);
  return ns.empty() ? std::string(name_of(object)) : fmt::format("{}/{}", ns, name_of(object));
}

}  // namespace covey::kube

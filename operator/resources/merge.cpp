#include "operator/resources/merge.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace covey::resources {

namespace json = boost::json;

namespace {

// By what the elements of a list are told apart; empty where the list is one value.
std::string_view key_of_list(std::string_view name) {
  if (name == "volumeMounts") return "mountPath";
  for (const auto* named : {"containers", "initContainers", "volumes", "env", "ports", "imagePullSecrets"}) {
    if (name == named) return "name";
  }
  return {};
}

const json::value* member(const json::value& element, std::string_view key) {
  const auto* object = element.if_object();
  return object == nullptr ? nullptr : object->if_contains({key.data(), key.size()});
}

void merge_list(json::array& base, const json::array& over, std::string_view key) {
  for (const auto& element : over) {
    const auto* name = member(element, key);
    const auto same = std::find_if(base.begin(), base.end(), [&](const json::value& each) {
      const auto* other = member(each, key);
      return name != nullptr && other != nullptr && *other == *name;
    });
    if (same == base.end()) {
      base.push_back(element);
    } else {
      merge_over(same->get_object(), element.get_object());
    }
  }
}

}  // namespace

void merge_over(json::object& base, const json::object& over) {
  for (const auto& [key, value] : over) {
    if (value.is_null()) {
      base.erase(key);
      continue;
    }
    auto* mine = base.if_contains(key);
    const auto list_key = key_of_list({key.data(), key.size()});
    if (mine != nullptr && mine->is_object() && value.is_object()) {
      merge_over(mine->get_object(), value.get_object());
    } else if (mine != nullptr && mine->is_array() && value.is_array() && !list_key.empty()) {
      merge_list(mine->get_array(), value.get_array(), list_key);
    } else {
      base[key] = value;
    }
  }
}

}  // namespace covey::resources

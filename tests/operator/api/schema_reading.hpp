// Reads a published schema, so that tests can compare it with the parser of the same resource.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <boost/json.hpp>
#include <map>
#include <string>

namespace covey::crd {

namespace json = boost::json;

inline std::string type_of(const YAML::Node& node) {
  if (node["x-kubernetes-int-or-string"]) return "count or share";
  if (node["x-kubernetes-preserve-unknown-fields"]) return "any";
  auto type = node["type"].as<std::string>();
  if (type == "integer") type += fmt::format(" {}..{}", node["minimum"].as<int>(), node["maximum"].as<int>());
  if (node["enum"]) {
    std::string choices;
    for (const auto& each : node["enum"]) choices += (choices.empty() ? " " : "|") + each.as<std::string>();
    type += choices;
  }
  return type;
}

inline void collect(const YAML::Node& node, const std::string& path, std::map<std::string, std::string>& into) {
  for (const auto& each : node["properties"]) {
    const auto at = path + "." + each.first.as<std::string>();
    into[at] = type_of(each.second);
    collect(each.second, at, into);
  }
}

inline json::value value_of(const YAML::Node& node, const std::string& type) {
  if (type == "integer") return node.as<int>();
  if (type == "boolean") return node.as<bool>();
  return json::value_from(node.as<std::string>());
}

// What the API server fills in.
inline json::value defaults(const YAML::Node& node) {
  if (!node["properties"]) return value_of(node["default"], node["type"] ? node["type"].as<std::string>() : "string");
  json::object object;
  for (const auto& each : node["properties"]) {
    if (each.second["default"]) object[each.first.as<std::string>()] = defaults(each.second);
  }
  return object;
}

inline void expect_descriptions(const YAML::Node& node, const std::string& path) {
  EXPECT_TRUE(node["description"]) << path;
  for (const auto& each : node["properties"]) expect_descriptions(each.second, path + "." + each.first.as<std::string>());
}

}  // namespace covey::crd

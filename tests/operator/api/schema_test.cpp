// The schema that the API server has and the parser that the operator has say the same.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <boost/json.hpp>
#include <filesystem>

#include "operator/api/parallel_cluster.hpp"

namespace covey::crd {
namespace {

namespace json = boost::json;

YAML::Node crd() { return YAML::LoadFile(COVEY_CRD); }
YAML::Node version() { return crd()["spec"]["versions"][0]; }
YAML::Node schema() { return version()["schema"]["openAPIV3Schema"]["properties"]; }

std::string type_of(const YAML::Node& node) {
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

void collect(const YAML::Node& node, const std::string& path, std::map<std::string, std::string>& into) {
  for (const auto& each : node["properties"]) {
    const auto at = path + "." + each.first.as<std::string>();
    into[at] = type_of(each.second);
    collect(each.second, at, into);
  }
}

json::value value_of(const YAML::Node& node, const std::string& type) {
  if (type == "integer") return node.as<int>();
  if (type == "boolean") return node.as<bool>();
  return json::value_from(node.as<std::string>());
}

// What the API server fills in.
json::value defaults(const YAML::Node& node) {
  if (!node["properties"]) return value_of(node["default"], node["type"] ? node["type"].as<std::string>() : "string");
  json::object object;
  for (const auto& each : node["properties"]) {
    if (each.second["default"]) object[each.first.as<std::string>()] = defaults(each.second);
  }
  return object;
}

void expect_descriptions(const YAML::Node& node, const std::string& path) {
  EXPECT_TRUE(node["description"]) << path;
  for (const auto& each : node["properties"]) expect_descriptions(each.second, path + "." + each.first.as<std::string>());
}

TEST(SchemaTest, ParserAndSchemaKnowTheSameFieldsWithTheSameLimits) {
  Reading reading;
  parse_spec(nullptr, reading);
  std::map<std::string, std::string> published;
  collect(schema()["spec"], "spec", published);
  EXPECT_EQ(published, reading.asked);
}

TEST(SchemaTest, ParserAndSchemaHaveTheSameDefaults) {
  Reading reading;
  const auto filled_in = defaults(schema()["spec"]);
  EXPECT_EQ(parse_spec(&filled_in, reading), parse_spec(nullptr, reading)) << json::serialize(filled_in);
  EXPECT_EQ(to_string(reading.errors), "");
}

TEST(SchemaTest, EveryFieldIsDescribed) {
  expect_descriptions(schema()["spec"], "spec");
  expect_descriptions(schema()["status"], "status");
}

TEST(SchemaTest, ItIsScaledByKubectlAndSmallEnoughForIt) {
  EXPECT_LT(std::filesystem::file_size(COVEY_CRD), 200'000U);
  const auto scale = version()["subresources"]["scale"];
  EXPECT_EQ(scale["specReplicasPath"].as<std::string>(), ".spec.engine.replicas");
  EXPECT_EQ(scale["statusReplicasPath"].as<std::string>(), ".status.replicas");
  EXPECT_EQ(scale["labelSelectorPath"].as<std::string>(), ".status.selector");
  EXPECT_TRUE(version()["subresources"]["status"]);
  EXPECT_EQ(crd()["spec"]["names"]["shortNames"][0].as<std::string>(), "pcl");
}

}  // namespace
}  // namespace covey::crd

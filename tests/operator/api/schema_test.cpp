// The schema that the API server has and the parser that the operator has say the same.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <boost/json.hpp>
#include <filesystem>

#include "operator/api/parallel_cluster.hpp"
#include "tests/operator/api/schema_reading.hpp"

namespace covey::crd {
namespace {

namespace json = boost::json;

YAML::Node crd() { return YAML::LoadFile(COVEY_CRD); }
YAML::Node version() { return crd()["spec"]["versions"][0]; }
YAML::Node schema() { return version()["schema"]["openAPIV3Schema"]["properties"]; }

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

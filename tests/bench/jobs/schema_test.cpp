// The schema and the parser know the same keys. That the schema accepts what the parser accepts is test_schema.py's.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bench/jobs/parse.hpp"

namespace covey::jobs {
namespace {

TEST(SchemaTest, EveryKeyOfTheParserIsInTheSchemaAndNoOther) {
  std::ifstream in(COVEY_JOBS_FOLDER "/job.schema.json");
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto definitions = boost::json::parse(text).at("$defs").as_object();
  for (const auto& known : known_keys()) {
    const auto name = boost::json::string_view(known.object.data(), known.object.size());
    ASSERT_TRUE(definitions.contains(name)) << known.object;
    std::vector<std::string> keys(known.keys.begin(), known.keys.end()), properties;
    for (const auto& [key, value] : definitions.at(name).at("properties").as_object()) properties.emplace_back(key);
    std::sort(keys.begin(), keys.end());
    std::sort(properties.begin(), properties.end());
    EXPECT_EQ(keys, properties) << known.object;
  }
}

TEST(SchemaTest, EveryExampleIsAJob) {
  std::size_t examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(COVEY_JOBS_FOLDER)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path());
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    EXPECT_EQ(to_string(parse_job(text, entry.path().filename()).problems), "");
    ++examples;
  }
  EXPECT_GE(examples, 5u);
}

}  // namespace
}  // namespace covey::jobs

#include "operator/resources/merge.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace covey::resources {
namespace {

namespace json = boost::json;

json::value merged(const char* base, const char* over) {
  auto result = json::parse(base).as_object();
  merge_over(result, json::parse(over).as_object());
  return result;
}

TEST(MergeTest, ObjectsAreMergedAndNullRemoves) {
  EXPECT_EQ(merged(R"({"a": {"b": 1, "c": 2}, "d": 3})", R"({"a": {"b": 4, "c": null}, "e": 5})"), json::parse(R"({"a": {"b": 4}, "d": 3, "e": 5})"));
}

TEST(MergeTest, ContainersAreMergedByNameAndOthersAdded) {
  EXPECT_EQ(merged(R"({"containers": [{"name": "covey", "image": "i", "env": [{"name": "A", "value": "1"}]}]})",
                   R"({"containers": [{"name": "covey", "env": [{"name": "A", "value": "2"}, {"name": "B"}]}, {"name": "beside"}]})"),
            json::parse(R"({"containers": [{"name": "covey", "image": "i", "env": [{"name": "A", "value": "2"}, {"name": "B"}]}, {"name": "beside"}]})"));
}

TEST(MergeTest, OtherListsAreReplaced) {
  EXPECT_EQ(merged(R"({"tolerations": [{"key": "a"}]})", R"({"tolerations": [{"key": "b"}]})"), json::parse(R"({"tolerations": [{"key": "b"}]})"));
}

}  // namespace
}  // namespace covey::resources

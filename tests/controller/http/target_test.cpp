// Paths, queries, routes and the values of parameters.
#include "controller/http/target.hpp"

#include <gtest/gtest.h>

#include "controller/http/router.hpp"

namespace covey::api {
namespace {

using std::chrono::milliseconds;

Target good(std::string_view text) {
  auto target = parse_target(text);
  EXPECT_TRUE(target) << text;
  return target ? std::move(*target) : Target();
}

TEST(TargetTest, SplitsAndDecodesPathAndQuery) {
  const auto target = good("/v1/tasks/a%2Fb?wait=30s&label=x+y&flag");
  EXPECT_EQ(target.segments, (std::vector<std::string>{"v1", "tasks", "a/b"}));
  EXPECT_EQ(*target.query.find("wait"), "30s");
  EXPECT_EQ(*target.query.find("label"), "x y");
  EXPECT_EQ(*target.query.find("flag"), "");
  EXPECT_EQ(target.query.find("other"), nullptr);
  EXPECT_EQ(good("http://host:80/version").segments, std::vector<std::string>{"version"});
  EXPECT_EQ(good("/").segments, std::vector<std::string>{""});
}

TEST(TargetTest, RefusesWhatIsNoTarget) {
  for (const auto* text : {"", "version", "/%", "/%4", "/%zz", "/a?b=%", "http://host"}) EXPECT_FALSE(parse_target(text)) << text;
  std::string deep, wide = "/?";
  for (std::size_t i = 0; i <= kMaxSegments; ++i) deep += "/a";
  for (std::size_t i = 0; i <= kMaxParameters; ++i) wide += "a&";
  EXPECT_FALSE(parse_target(deep));
  EXPECT_TRUE(parse_target(deep.substr(2)));
  EXPECT_FALSE(parse_target(wide));
}

TEST(TargetTest, UnknownAndRepeatedParametersAreNamed) {
  const auto unknown = good("/?waits=1").query.check({"wait", "limit"});
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->field, "waits");
  EXPECT_EQ(unknown->expected, "one of wait, limit");
  EXPECT_TRUE(good("/?wait=1&wait=2").query.check({"wait"}));
  EXPECT_FALSE(good("/?wait=1").query.check({"wait"}));
}

TEST(TargetTest, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration("30"), milliseconds(30'000));
  EXPECT_EQ(parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(parse_duration("0.005"), milliseconds(5));
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("2m"), milliseconds(120'000));
  EXPECT_EQ(parse_duration("999h"), milliseconds(999LL * 3'600'000));
  for (const auto* text : {"", "s", "-1s", "1.s", "1.2345s", "1.5ms", "1d", "1000h", "12345678", " 1s", "1 s", "nan", "1e3"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(TargetTest, ParametersBeyondTheirLimitsSayWhatWouldBeRight) {
  const auto query = good("/?wait=11m&limit=0").query;
  const auto wait = duration_parameter(query, "wait", {}, std::chrono::minutes(10));
  ASSERT_FALSE(wait);
  EXPECT_NE(wait.error().expected.find("600s"), std::string::npos);
  EXPECT_EQ(number_parameter(query, "limit", 1, 1, 1000).error().expected, "an integer from 1 to 1000");
  EXPECT_EQ(*number_parameter(query, "other", 7, 1, 1000), 7u);
}

TEST(RouterTest, FindsRoutesByMethodAndPath) {
  const auto match = find_route(http::verb::post, {"v1", "tasks", "x-1", "retry"});
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.params, std::vector<std::string>{"x-1"});
  EXPECT_EQ(match.route->scope, Scope::submit);
  EXPECT_NE(find_route(http::verb::head, {"version"}).route, nullptr);
}

TEST(RouterTest, AnotherMethodIsToldWhichThereAre) {
  const auto match = find_route(http::verb::put, {"v1", "tasks"});
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed, "POST, GET, HEAD, OPTIONS");
  EXPECT_TRUE(find_route(http::verb::get, {"v1", "task"}).allowed.empty());
  EXPECT_TRUE(find_route(http::verb::get, {"v1", "tasks", ""}).allowed.empty());
  EXPECT_TRUE(find_route(http::verb::get, {"v1", "tasks", "a", "b", "c"}).allowed.empty());
}

}  // namespace
}  // namespace covey::api

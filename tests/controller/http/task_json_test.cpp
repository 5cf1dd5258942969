// Tasks as JSON: what is taken, what is refused and how that is said, and how results are told.
#include "controller/http/task_json.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace covey::api {
namespace {

Outcome<TaskRequest> parse(std::string_view text, std::size_t index = 0, std::string_view prefix = {}) {
  const auto value = parse_json(text, 32);
  EXPECT_TRUE(value) << text;
  return parse_task(*value, index, prefix);
}

Problem refused(std::string_view text) {
  const auto request = parse(text);
  EXPECT_FALSE(request) << text;
  return request ? Problem{} : request.error();
}

TEST(TaskJsonTest, ATaskCarriesEverything) {
  const auto request = parse(R"({"function":"f","args":[1,"two"],"label":"l","priority":-3,"timeout":1.5,"run_limit":"500ms","max_attempts":1,
    "retries":2,"retry_delay":"1m","targets":["00c0ffee00c0ffee"],"labels":["gpu=a100"],"detached":true,
    "after":["00c0ffee00c0ffee-17"],"follow":{"tasks":["00c0ffee00c0ffee-18"],"all":false,"failure":true},"idempotency_key":"k"})");
  ASSERT_TRUE(request) << request.error().detail;
  const auto& spec = request->spec;
  EXPECT_EQ(spec.function, "f");
  EXPECT_EQ(spec.label, "l");
  EXPECT_EQ(spec.priority, -3);
  EXPECT_EQ(spec.timeout_ms, 1500u);
  EXPECT_EQ(spec.run_limit_ms, 500u);
  EXPECT_EQ(spec.max_attempts, 1u);
  EXPECT_EQ(spec.retries, 2u);
  EXPECT_EQ(spec.retry_delay_ms, 60'000u);
  EXPECT_EQ(spec.targets, std::vector{wire::Incarnation{0x00c0ffee00c0ffee}});
  EXPECT_EQ(spec.labels, std::vector<std::string>{"gpu=a100"});
  EXPECT_EQ(request->args.buffer.view(), R"([1,"two"])");
  EXPECT_EQ(request->extras.after.tasks.at(0).task.sequence, 17u);
  EXPECT_FALSE(request->extras.follow.all);
  EXPECT_TRUE(request->extras.follow.failure);
  EXPECT_EQ(request->extras.idempotency_key, "k");
}

TEST(TaskJsonTest, BytesTravelAsBase64) {
  const auto request = parse(R"({"function":"f","args_base64":"aGVsbG8="})");
  EXPECT_EQ(request->args.codec, wire::Codec::bytes);
  EXPECT_EQ(request->args.buffer.view(), "hello");
  EXPECT_EQ(refused(R"({"function":"f","args_base64":"aGVsbG8"})").field, "args_base64");
}

TEST(TaskJsonTest, MistakesAreNamedByTheirPath) {
  EXPECT_EQ(refused("{}").field, "function");
  EXPECT_EQ(refused(R"({"function":"f","retries":1.5})").field, "retries");
  EXPECT_EQ(refused(R"({"function":"f","retries":1001})").expected, "an integer from 0 to 1000");
  EXPECT_EQ(refused(R"({"function":"f","retris":1})").kind, Kind::unknown_field);
  EXPECT_EQ(refused(R"({"function":"f","args":{}})").field, "args");
  EXPECT_EQ(refused(R"({"function":"f","labels":["gpu"]})").field, "labels");
  EXPECT_EQ(refused(R"({"function":"f","after":{"tasks":["00c0ffee00c0ffee-1"],"some":1}})").field, "after.some");
  const auto in_list = parse(R"({"function":"f","timeout":"soon"})", 3, "[3]");
  EXPECT_EQ(in_list.error().field, "[3].timeout");
  EXPECT_EQ(refused("[]").kind, Kind::invalid_field);
}

TEST(TaskJsonTest, EarlierTasksOfAListAreNamedByTheirPlace) {
  const auto request = parse(R"({"function":"f","after":["#0","#1"]})", 2, "[2]");
  ASSERT_TRUE(request);
  ASSERT_EQ(request->earlier.size(), 2u);
  EXPECT_EQ(request->earlier[1].task, 1u);
  EXPECT_FALSE(parse(R"({"function":"f","after":["#2"]})", 2, "[2]"));
}

TEST(TaskJsonTest, MalformedJsonIsPlaced) {
  const auto wrong = parse_json("{\n\"a\": }", 32);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().detail.find("line 2"), std::string::npos) << wrong.error().detail;
  EXPECT_FALSE(parse_json("1 2", 32));
  EXPECT_FALSE(parse_json("", 32));
  EXPECT_TRUE(parse_json(" 1 \n", 32));
  EXPECT_TRUE(parse_json("[[1]]", 2));
  EXPECT_EQ(parse_json("[[[1]]]", 2).error().kind, Kind::too_large);
}

TEST(TaskJsonTest, ValuesAreCheckedWithoutBeingRead) {
  for (const auto* text : {"1", " [1, {\"a\": null}] ", "\"x\"", "-0.5e3"}) EXPECT_TRUE(is_json(text, 8)) << text;
  for (const auto* text : {"", "1 2", "[", "nan", "'x'", "[[[[[[[[[1]]]]]]]]]", "\"\xff\""}) EXPECT_FALSE(is_json(text, 8)) << text;
}

boost::json::object outcome(const wire::RunReport& report, Printed printed = Printed::always) {
  wire::Writer out;
  wire::encode_report(out, report);
  std::string text = "{";
  append_outcome(text, out.span(), 2, wire::Incarnation{0xabc}, printed);
  return boost::json::parse(text + "}").as_object();
}

TEST(TaskJsonTest, ResultsAreToldAsTheyAre) {
  wire::Writer content;
  wire::encode_content(content, wire::Codec::json, wire::as_bytes("[1, 2]"));
  const auto good = outcome({wire::TaskStatus::ok, "", 1'700'000'000'123'456, 7, content.span()});
  EXPECT_EQ(good.at("value"), boost::json::value({1, 2}));
  EXPECT_EQ(good.at("attempts"), 2);
  EXPECT_EQ(good.at("engine"), "0000000000000abc");
  EXPECT_EQ(good.at("started"), "2023-11-14T22:13:20.123456Z");
  const auto bad = outcome({wire::TaskStatus::failed, "say \"no\"", 0, 0, {}});
  EXPECT_EQ(bad.at("status"), "failed");
  EXPECT_EQ(bad.at("error"), "say \"no\"");
  EXPECT_FALSE(bad.contains("value"));
}

TEST(TaskJsonTest, WhatARunPrintedIsToldAsText) {
  wire::RunReport report{wire::TaskStatus::failed, "exit code 1", 0, 0, {}, {"said \"so\"\n", "\xff", false, false}};
  const auto told = outcome(report, Printed::where_it_failed);
  EXPECT_EQ(told.at("stdout"), "said \"so\"\n");
  EXPECT_FALSE(told.contains("stdout_truncated"));
  EXPECT_EQ(told.at("stderr_base64"), "/w==");
  report.output = {"\xa9 cut", "", true, false};
  EXPECT_EQ(outcome(report).at("stdout"), " cut");
  EXPECT_EQ(outcome(report).at("stdout_truncated"), true);
  report.status = wire::TaskStatus::ok;
  EXPECT_EQ(outcome(report).at("stdout"), " cut");
  EXPECT_FALSE(outcome(report, Printed::where_it_failed).contains("stdout"));
}

TEST(TaskJsonTest, WhatIsNoJsonComesAsBase64) {
  for (const auto codec : {wire::Codec::bytes, wire::Codec::json}) {
    wire::Writer content;
    wire::encode_content(content, codec, wire::as_bytes("hello"));
    const auto told = outcome({wire::TaskStatus::ok, "", 0, 0, content.span()});
    EXPECT_EQ(told.at("value_base64"), "aGVsbG8=");
    EXPECT_EQ(std::string(told.at("codec").as_string()), wire::to_string(codec));
  }
}

}  // namespace
}  // namespace covey::api

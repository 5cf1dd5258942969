// Outputs: how records are written, and that an output that ends anywhere can be gone on with.
#include "bench/jobs/records.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <sstream>

namespace covey::jobs {
namespace {

const std::vector<Input> kInputs{{0, "1", {}}, {1, "\"a,\\\"b\\\"\\nc\"", {}}, {2, "{\"x\":[1]}", {}}, {3, "null", {}}};

std::string record(const RecordFormat& format, const Input& input) {
  std::string out;
  Record one{input.index, "a task", &input, "ok", "{\"v\": \"q\\\"\\n\"}", ""};
  if (input.index == 2) one = {input.index, "a task", &input, "failed", "", "went\nwrong, \"badly\""};
  format.append(out, one);
  return out;
}

Recovered recover(const RecordFormat& format, const std::string& text, std::uint64_t total = 4) {
  std::istringstream in(text);
  auto result = format.recover(in, total);
  EXPECT_TRUE(std::holds_alternative<Recovered>(result)) << std::get<std::string>(result) << "\nin:\n" << text;
  return std::holds_alternative<Recovered>(result) ? std::get<Recovered>(result) : Recovered();
}

std::string refusal(const RecordFormat& format, const std::string& text, std::uint64_t total = 4) {
  std::istringstream in(text);
  auto result = format.recover(in, total);
  return std::holds_alternative<std::string>(result) ? std::get<std::string>(result) : "";
}

const std::vector<RecordFormat> kFormats{RecordFormat::of_map(Format::ndjson, {}),
                                         RecordFormat::of_map(Format::csv, {}), RecordFormat::of_tasks(Format::ndjson),
                                         RecordFormat::of_tasks(Format::csv)};

TEST(RecordsTest, ARecordIsALineOfJsonOrCsv) {
  EXPECT_EQ(record(kFormats[0], kInputs[0]),
            "{\"index\":0,\"input\":1,\"status\":\"ok\",\"value\":{\"v\": \"q\\\"\\n\"}}\n");
  EXPECT_EQ(record(kFormats[0], kInputs[2]),
            "{\"index\":2,\"input\":{\"x\":[1]},\"status\":\"failed\",\"error\":\"went\\nwrong, \\\"badly\\\"\"}\n");
  EXPECT_EQ(record(kFormats[1], kInputs[1]), "1,\"a,\"\"b\"\"\nc\",ok,\"{\"\"v\"\": \"\"q\\\"\"\\n\"\"}\",\n");
  EXPECT_EQ(record(kFormats[3], kInputs[2]), "2,a task,failed,,\"went\nwrong, \"\"badly\"\"\"\n");
  const auto columns = RecordFormat::of_map(Format::csv, {"a", "b,c"});
  EXPECT_EQ(columns.header(), "index,input.a,\"input.b,c\",status,value,error\n");
  const Input input{5, "", {{"a", "1.50"}, {"b,c", "\"t\""}}};
  std::string out;
  columns.append(out, {5, "", &input, "ok", "\"text\"", ""});
  EXPECT_EQ(out, "5,1.50,t,ok,text,\n");
}

// The heart of going on: whatever prefix is left, what stays is whole records, and what was missing makes the output
// complete.
TEST(RecordsTest, AnOutputCutOffAnywhereIsGoneOnWithAndEndsWithEachInputOnce) {
  for (const auto& format : kFormats) {
    std::string whole = format.header();
    std::vector<std::size_t> ends{whole.size()};
    for (const auto& input : kInputs) {
      whole += record(format, input);
      ends.push_back(whole.size());
    }
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      const auto recovered = recover(format, whole.substr(0, length));
      // No whole record is lost.
      std::size_t expected = 0, records = 0;
      for (std::size_t i = 0; i < ends.size(); ++i) {
        if (ends[i] > length) continue;
        expected = ends[i];
        records = i;
      }
      ASSERT_EQ(recovered.bytes, expected) << "of " << length;
      ASSERT_EQ(recovered.ok + recovered.failed, records);
      std::string continued = whole.substr(0, recovered.bytes);
      if (recovered.bytes == 0) continued += format.header();
      for (const auto& input : kInputs) {
        if (!recovered.ended[input.index]) continued += record(format, input);
      }
      ASSERT_EQ(continued, whole) << "from " << length;
    }
  }
}

TEST(RecordsTest, ATailOfZerosOrOfRubbishIsCutOffToo) {
  for (const auto& format : kFormats) {
    const std::string good = format.header() + record(format, kInputs[3]);
    for (const auto& tail : {std::string(5000, '\0'), std::string("\0\0\n\0", 4), std::string("{\"index\":\n\"\n")}) {
      EXPECT_EQ(recover(format, good + tail).bytes, good.size());
    }
  }
}

TEST(RecordsTest, WhatIsWrongBeforeTheEndIsRefusedAndNamed) {
  for (const auto& format : kFormats) {
    const std::string first = format.header() + record(format, kInputs[0]);
    EXPECT_NE(refusal(format, first + "rubbish\n" + record(format, kInputs[1])).find("though whole ones follow"),
              std::string::npos);
    EXPECT_NE(refusal(format, first + record(format, kInputs[0])).find("a second one for input 0"), std::string::npos);
    EXPECT_NE(refusal(format, first + record(format, kInputs[3]), 3).find("is for input 3, and there are 3"),
              std::string::npos);
  }
  EXPECT_NE(refusal(kFormats[1], "a,b\n").find("line 1"), std::string::npos);
}

TEST(RecordsTest, FailuresAreCountedAndCanBeLeftOut) {
  for (const auto& format : kFormats) {
    std::string text = format.header();
    for (const auto& input : kInputs) text += record(format, input);
    const auto recovered = recover(format, text);
    EXPECT_EQ(recovered.ok, 3u);
    EXPECT_EQ(recovered.failed, 1u);
    EXPECT_FALSE(recovered.succeeded[2]);
    std::istringstream in(text);
    std::ostringstream out;
    format.copy_succeeded(in, recovered.bytes, out);
    EXPECT_EQ(out.str(),
              format.header() + record(format, kInputs[0]) + record(format, kInputs[1]) + record(format, kInputs[3]));
  }
}

}  // namespace
}  // namespace covey::jobs

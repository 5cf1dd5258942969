#include "engine/exec/chunk.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "common/wire/records.hpp"
#include "engine/exec/builtins.hpp"
#include "engine/exec/report.hpp"
#include "engine/exec/slot_pool.hpp"
#include "tests/engine/exec/run.hpp"

namespace covey::engine {
namespace {

wire::Payload chunk_of(const std::vector<std::string>& inputs) {
  wire::Writer run, content;
  for (const auto& input : inputs) {
    content.clear();
    wire::encode_content(content, wire::Codec::json, wire::as_bytes(input));
    wire::append_to_run(run, content.span());
  }
  return {wire::Codec::bytes, wire::Buffer::copy_of(run.span())};
}

// "ok 3", "failed: oops": a line for each element.
std::vector<std::string> lines_of(const Outcome& outcome) {
  std::vector<std::string> lines;
  wire::Reader in(outcome.value.buffer.span());
  while (const auto item = wire::next_of_run(in)) {
    const auto report = wire::decode_report(*item).value();
    std::string line(to_string(report.status));
    if (!report.content.empty()) line += " " + std::string(wire::as_text(wire::decode_content(report.content)->bytes));
    if (!report.error.empty()) line += ": " + std::string(report.error);
    lines.push_back(line);
  }
  EXPECT_TRUE(in.ok());
  return lines;
}

struct ChunkTest : testing::Test {
  ChunkTest() { add_builtins(table); }
  Outcome run(std::string_view function, const std::vector<std::string>& inputs) {
    return run_chunk(*table.find(function), context, chunk_of(inputs));
  }
  FunctionTable table;
  CallContext context;
};

TEST_F(ChunkTest, EveryElementHasAReportOfItsOwnInOrder) {
  const auto outcome = run("sum", {"[1, 2]", "[3]", "[]"});
  EXPECT_EQ(outcome.status, wire::TaskStatus::ok);
  EXPECT_EQ(lines_of(outcome), (std::vector<std::string>{"ok 3", "ok 3", "ok 0"}));
}

TEST_F(ChunkTest, AnElementThatFailsFailsTheChunkAndNoOtherElement) {
  const auto outcome = run("sum", {"[1]", "[\"x\"]", "[2]"});
  EXPECT_EQ(outcome.status, wire::TaskStatus::bad_arguments);
  EXPECT_TRUE(outcome.error.starts_with("1 of the chunk's 3 elements did not succeed; element 1: sum: ")) << outcome.error;
  const auto lines = lines_of(outcome);
  EXPECT_EQ(lines[0], "ok 1");
  EXPECT_TRUE(lines[1].starts_with("bad_arguments: "));
  EXPECT_EQ(lines[2], "ok 2");
}

TEST_F(ChunkTest, FailureOutweighsOtherStatusesSoThatRetriesHappen) {
  EXPECT_EQ(run("fail", {"[1]", "[\"oops\"]"}).status, wire::TaskStatus::failed);
}

TEST_F(ChunkTest, WhatIsLeftOfACancelledChunkIsNotRun) {
  context.cancel(false);
  const auto outcome = run("echo", {"[1]", "[2]"});
  EXPECT_EQ(outcome.status, wire::TaskStatus::cancelled);
  EXPECT_EQ(lines_of(outcome), std::vector<std::string>(2, "cancelled: the chunk was cancelled while it ran"));
}

TEST_F(ChunkTest, TheRunLimitIsTheWholeChunks) {
  CallContext limited(CallContext::Clock::now() + std::chrono::milliseconds(20));
  const auto outcome = run_chunk(*table.find("sleep"), limited, chunk_of({"[0]", "[600]", "[0]"}));
  EXPECT_EQ(outcome.status, wire::TaskStatus::timed_out);
  const auto lines = lines_of(outcome);
  EXPECT_EQ(lines[0], "ok null");
  EXPECT_TRUE(lines[1].starts_with("timed_out"));
  EXPECT_TRUE(lines[2].starts_with("timed_out"));
}

TEST_F(ChunkTest, AMalformedChunkIsRefused) {
  const auto outcome = run_chunk(*table.find("echo"), context, {wire::Codec::bytes, wire::Buffer::copy_of("\x7fshort")});
  EXPECT_EQ(outcome.status, wire::TaskStatus::bad_arguments);
}

TEST(ReportTest, OnlyTheEndOfLongOutputTravelsAndItSaysSo) {
  Outcome outcome;
  outcome.stdout_text = std::string(kMostOutputReported, 'a') + "end";
  outcome.stderr_text = std::string(kMostOutputReported, 'b');
  const auto report = report_of(outcome, 5, 7'000);
  EXPECT_EQ(report.output.out.size(), kMostOutputReported);
  EXPECT_TRUE(report.output.out.ends_with("aend"));
  EXPECT_TRUE(report.output.out_cut);
  EXPECT_EQ(report.output.err, outcome.stderr_text);
  EXPECT_FALSE(report.output.err_cut);
  EXPECT_EQ(report.duration_us, 7U);
}

}  // namespace
}  // namespace covey::engine

#include "common/wire/records.hpp"

#include <gtest/gtest.h>

#include "common/wire/greeting.hpp"

namespace covey::wire {
namespace {

const TaskId kTask{SessionId{0xabcdef}, 123456789};

template <class Record>
Record round_trip(const Writer& out, RecordType expected) {
  Reader in(out.span());
  EXPECT_EQ(next_record(in), expected);
  Record record;
  decode(in, record);
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.at_end());
  return record;
}

TEST(RecordsTest, SubmitKeepsItsFields) {
  Writer out;
  encode(out, SubmitRecord{3, 77, as_bytes("content"), as_bytes("extras"), true});
  const auto record = round_trip<SubmitRecord>(out, RecordType::submit);
  EXPECT_EQ(record.spec, 3u);
  EXPECT_EQ(record.sequence, 77u);
  EXPECT_EQ(as_text(record.content), "content");
  EXPECT_EQ(as_text(record.extras), "extras");
  EXPECT_TRUE(record.resubmitted);
}

TEST(RecordsTest, RunFinishedAndResultKeepTheirFields) {
  Writer out;
  encode(out, RunRecord{5, 1ULL << 40, kTask, as_bytes("c")});
  const auto run = round_trip<RunRecord>(out, RecordType::run);
  EXPECT_EQ(run.handle, 1ULL << 40);
  EXPECT_EQ(run.task, kTask);

  out.clear();
  encode(out, FinishedRecord{kAdoptedBit | 4, kTask, as_bytes("report")});
  const auto finished = round_trip<FinishedRecord>(out, RecordType::finished);
  EXPECT_EQ(finished.handle, kAdoptedBit | 4);
  EXPECT_EQ(finished.task, kTask);
  EXPECT_EQ(as_text(finished.report), "report");

  out.clear();
  encode(out, ResultRecord{9, 2, Incarnation{88}, as_bytes("report")});
  const auto result = round_trip<ResultRecord>(out, RecordType::result);
  EXPECT_EQ(result.sequence, 9u);
  EXPECT_EQ(result.attempts, 2u);
  EXPECT_EQ(result.engine, Incarnation{88});
}

TEST(RecordsTest, ASpecKeepsItsFields) {
  TaskSpec spec;
  spec.function = "echo";
  spec.label = "a label";
  spec.priority = -3;
  spec.timeout_ms = 1000;
  spec.max_attempts = 1;
  spec.retries = 4;
  spec.targets = {Incarnation{1}, Incarnation{2}};
  spec.labels = {"gpu=a100"};
  spec.detached = true;
  spec.chunked = true;
  spec.variable = "weights";
  Writer out;
  encode_spec(out, spec);
  EXPECT_EQ(decode_spec(out.span()), spec);
}

TEST(RecordsTest, ASpecsTimesMayBeAddedToThePresent) {
  TaskSpec spec;
  spec.function = "echo";
  spec.timeout_ms = spec.run_limit_ms = spec.retry_delay_ms = UINT64_MAX;
  Writer out;
  encode_spec(out, spec);
  const auto read = decode_spec(out.span());
  ASSERT_TRUE(read);
  const std::chrono::steady_clock::time_point now{std::chrono::hours(24 * 365)};
  for (const std::uint64_t ms : {read->timeout_ms, read->run_limit_ms, read->retry_delay_ms}) {
    EXPECT_GT(now + std::chrono::milliseconds(ms), now + std::chrono::hours(24 * 365 * 99));
  }
}

TEST(RecordsTest, ASpecWithoutFunctionOrAttemptsIsRefused) {
  TaskSpec spec;
  Writer out;
  encode_spec(out, spec);
  EXPECT_FALSE(decode_spec(out.span()));
  spec.function = "echo";
  spec.max_attempts = 0;
  out.clear();
  encode_spec(out, spec);
  EXPECT_FALSE(decode_spec(out.span()));
}

TEST(RecordsTest, ExtrasKeepTheirFields) {
  SubmitExtras extras;
  extras.after.tasks = {{kTask, Dependency::Known::succeeded}, {{SessionId{1}, 2}}};
  extras.after.all = false;
  extras.follow.tasks = {{kTask}};
  extras.follow.failure = true;
  extras.idempotency_key = "key";
  Writer out;
  encode_extras(out, extras);
  EXPECT_EQ(decode_extras(out.span()), extras);
}

TEST(RecordsTest, EveryTruncationOfAReportIsRefused) {
  Writer out;
  encode_report(out, {TaskStatus::failed, "an error", 12345, 99, as_bytes("content")});
  const auto report = decode_report(out.span());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->status, TaskStatus::failed);
  EXPECT_EQ(report->error, "an error");
  for (std::size_t size = 0; size < out.size(); ++size) EXPECT_FALSE(decode_report(out.span().first(size)));
}

TEST(RecordsTest, AReportCarriesWhatTheRunPrinted) {
  Writer out;
  encode_report(out, {TaskStatus::failed, "exit code 1", 5, 6, {}, {"printed\n", "", false, true}});
  const auto report = decode_report(out.span());
  ASSERT_TRUE(report);
  EXPECT_EQ(report_status(out.span()), TaskStatus::failed);
  EXPECT_EQ(report->output.out, "printed\n");
  EXPECT_EQ(report->output.err, "");
  EXPECT_FALSE(report->output.out_cut);
  EXPECT_TRUE(report->output.err_cut);
  for (std::size_t size = 0; size < out.size(); ++size) EXPECT_FALSE(decode_report(out.span().first(size)));
}

TEST(RecordsTest, ARunOfItemsIsReadBackAndACutOneIsRefused) {
  Writer run;
  for (const auto* item : {"a", "", "long enough"}) append_to_run(run, as_bytes(item));
  Reader in(run.span());
  EXPECT_EQ(as_text(*next_of_run(in)), "a");
  EXPECT_EQ(as_text(*next_of_run(in)), "");
  EXPECT_EQ(as_text(*next_of_run(in)), "long enough");
  EXPECT_FALSE(next_of_run(in));
  EXPECT_TRUE(in.ok());
  Reader cut(run.span().first(run.size() - 1));
  while (next_of_run(cut)) {
  }
  EXPECT_FALSE(cut.ok());
}

TEST(RecordsTest, AContentIsInlineOrAReference) {
  Writer out;
  encode_content(out, Codec::bytes, as_bytes("abc"));
  EXPECT_EQ(as_text(decode_content(out.span())->bytes), "abc");
  EXPECT_FALSE(is_reference(out.span()));
  out.clear();
  const BlobReference reference{Incarnation{4}, 2, 17, 1 << 30};
  encode_content(out, Codec::pickle5, reference);
  EXPECT_TRUE(is_reference(out.span()));
  EXPECT_EQ(decode_content(out.span())->reference, reference);
  EXPECT_EQ(decode_content(out.span())->codec, Codec::pickle5);
}

TEST(RecordsTest, UsageKeepsItsFieldsAndCanBeSkipped) {
  Writer out;
  encode(out, UsageRecord{5ULL << 30});
  EXPECT_EQ(round_trip<UsageRecord>(out, RecordType::usage).memory_bytes, 5ULL << 30);
  Reader in(out.span());
  skip_record(in, *next_record(in));
  EXPECT_TRUE(in.ok() && in.at_end());
}

TEST(RecordsTest, UnknownRecordTypesFailTheReader) {
  const std::byte zero{0}, high{200};
  for (const auto& type : {zero, high}) {
    Reader in(ByteSpan(&type, 1));
    EXPECT_FALSE(next_record(in));
    EXPECT_FALSE(in.ok());
  }
}

TEST(GreetingTest, HelloKeepsItsFields) {
  const Hello hello{Role::engine, SessionId::none, "host/1", 8, {"a=b"}, {"echo", "sleep"}};
  Writer out;
  encode(out, hello);
  EXPECT_EQ(decode_hello(out.span()), hello);
}

TEST(GreetingTest, AnEngineWithoutSlotsOrAClientWithoutSessionIsRefused) {
  Writer out;
  encode(out, Hello{Role::engine, SessionId::none, "", 0, {}, {}});
  EXPECT_FALSE(decode_hello(out.span()));
  out.clear();
  encode(out, Hello{Role::client, SessionId::none, "", 1, {}, {}});
  EXPECT_FALSE(decode_hello(out.span()));
}

TEST(IdsTest, ATaskIdIsTheSameAfterItsText) {
  EXPECT_EQ(to_string(kTask), "0000000000abcdef-123456789");
  EXPECT_EQ(parse_task_id(to_string(kTask)), kTask);
  for (const auto* text : {"", "17", "0000000000abcdef", "0000000000abcdef-", "0000000000abcdef-x", "0000000000abcdeg-1", "0000000000abcdef-1 "}) {
    EXPECT_FALSE(parse_task_id(text)) << text;
  }
}

}  // namespace
}  // namespace covey::wire

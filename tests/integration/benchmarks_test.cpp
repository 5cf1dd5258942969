// /v1/benchmarks of a real cluster. The figures are not looked at.
#include "tests/integration/api_fixture.hpp"

namespace covey::integration {
namespace {

struct BenchmarksTest : ApiFixture {
  // Answers where it is.
  std::string begin(const std::string& body, const HttpConnection::Headers& headers = {}) {
    const auto begun = ask("POST", "/v1/benchmarks", body, headers);
    EXPECT_EQ(begun.status, 202u) << begun.body;
    return begun.header("Location");
  }
  json::value until_ended(const std::string& path) {
    return ask_until(path, [](const auto& answer) { return answer.json().at("state") != "running"; }).json();
  }
  // The only engine is busy for longer than any test takes, so that whatever follows waits for it.
  std::string occupy_engine() { return std::string(ask("POST", "/v1/tasks", R"({"function":"sleep","args":[600]})").json().at("id").as_string()); }
  void until_unfinished(std::uint64_t least, std::uint64_t most) {
    ask_until("/v1/queues", [&](const auto& answer) {
      const auto unfinished = answer.json().at("unfinished").template to_number<std::uint64_t>();
      return unfinished >= least && unfinished <= most;
    });
  }
  // Nobody but the engine's own task is left.
  void expect_only_unfinished(const std::string& task) {
    until_unfinished(1, 1);
    EXPECT_EQ(ask("GET", "/v1/tasks/" + task).json().at("state"), "assigned");
  }
};

TEST_F(BenchmarksTest, ABenchmarkRunsOnTheClusterAndTellsItsRows) {
  start_with_api(2);
  const auto wrong = ask("POST", "/v1/benchmarks", R"({"experiment":"map","n":[1]})");
  EXPECT_EQ(wrong.status, 422u) << wrong.body;
  EXPECT_NE(wrong.body.find("\"n\""), std::string::npos) << wrong.body;
  EXPECT_NE(ask("POST", "/v1/benchmarks", R"({"experiment":"latencyy"})").body.find("latency, throughput or map"), std::string::npos);
  EXPECT_EQ(ask("POST", "/v1/benchmarks", R"({"experiment":"latency","n":[0]})").status, 422u);

  const auto begun = ask("POST", "/v1/benchmarks", R"({"experiment":"latency","n":[1,8],"scheme":["controller"]})");
  ASSERT_EQ(begun.status, 202u) << begun.body;
  const std::string path = begun.header("Location");
  const auto told = until_ended(path);
  ASSERT_EQ(told.at("state"), "completed") << json::serialize(told);
  std::vector<std::int64_t> counts;
  for (const auto& row : told.at("rows").as_array()) {
    if (row.at("experiment") == "latency") counts.push_back(row.at("n").to_number<std::int64_t>());
  }
  EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 8}));
  EXPECT_EQ(ask("GET", "/v1/benchmarks").json().at("benchmarks").as_array().size(), 1u);
  EXPECT_EQ(ask("DELETE", path).status, 204u);
  EXPECT_EQ(ask("GET", path).status, 404u);
}

TEST_F(BenchmarksTest, HowManyRowsThereWillBeIsKnownFromTheBeginning) {
  start_with_api(1);
  const std::pair<const char*, int> experiments[] = {{R"({"experiment":"latency","n":[1,4]})", 6},
                                                     {R"({"experiment":"throughput","bytes":[1000,2000]})", 6},
                                                     {R"({"experiment":"throughput","bytes":[1000],"scheme":["direct"]})", 1},
                                                     {R"({"experiment":"map","dt":[100]})", 1}};
  for (const auto& [body, rows] : experiments) {
    const auto path = begin(body);
    EXPECT_EQ(ask("GET", path).json().at("row_total"), rows) << body;
    const auto ended = until_ended(path);
    EXPECT_EQ(ended.at("state"), "completed") << json::serialize(ended);
    EXPECT_EQ(ended.at("row_count"), rows) << json::serialize(ended);
  }
}

// With a thousand tasks that wait.
constexpr auto kThousandSleeps = R"({"experiment":"map","dt":[1]})";

TEST_F(BenchmarksTest, ACancelledBenchmarkTakesItsTasksWithIt) {
  start_with_api(1);
  const auto other = occupy_engine();
  const auto path = begin(kThousandSleeps);
  until_unfinished(1001, 1001);
  const auto second = ask("POST", "/v1/benchmarks", R"({"experiment":"latency"})");
  EXPECT_EQ(second.status, 429u);
  EXPECT_FALSE(second.header("Retry-After").empty());
  EXPECT_EQ(ask("DELETE", path).status, 202u);
  EXPECT_EQ(until_ended(path).at("state"), "cancelled");
  expect_only_unfinished(other);
}

TEST_F(BenchmarksTest, TasksOfTheSchemeDirectGoWithTheirBenchmarkToo) {
  start_with_api(1);
  const auto path = begin(R"({"experiment":"map","dt":[10000],"scheme":["direct"]})");
  ask_until(path, [](const auto& answer) { return answer.body.find("map direct") != std::string::npos; });
  EXPECT_EQ(ask("DELETE", path).status, 202u);
  EXPECT_EQ(until_ended(path).at("state"), "cancelled");
  EXPECT_EQ(ask("POST", "/v1/tasks?wait=60s", R"({"function":"echo","args":["after it"]})").json().at("value"), "after it");
}

TEST_F(BenchmarksTest, ABenchmarkThatTakesTooLongIsEndedWithItsTasks) {
  start_with_api(1, {"--http-benchmark-time", "3"});
  const auto other = occupy_engine();
  const auto ended = until_ended(begin(kThousandSleeps));
  EXPECT_EQ(ended.at("state"), "failed");
  EXPECT_EQ(ended.at("error"), "It took longer than the limit http-benchmark-time, 3 s, and was ended.");
  expect_only_unfinished(other);
}

TEST_F(BenchmarksTest, ARepeatedPostWithItsKeyBeginsNoSecondBenchmark) {
  start_with_api(1, {"--http-benchmarks-kept", "1"});
  const std::string body = R"({"experiment":"latency","n":[1],"scheme":["controller"]})";
  const auto first = begin(body, {{"Idempotency-Key", "k"}});
  const auto again = ask("POST", "/v1/benchmarks", body, {{"Idempotency-Key", "k"}});
  EXPECT_EQ(again.status, 200u) << again.body;
  EXPECT_EQ(again.header("Location"), first);
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
  EXPECT_EQ(ask("POST", "/v1/benchmarks", kThousandSleeps, {{"Idempotency-Key", "k"}}).status, 409u);
  EXPECT_EQ(until_ended(first).at("state"), "completed");

  // One is kept: the next takes its place, and what the key began is gone.
  const auto next = begin(body);
  EXPECT_EQ(ask("GET", first).status, 404u);
  EXPECT_EQ(ask("POST", "/v1/benchmarks", body, {{"Idempotency-Key", "k"}}).status, 410u);
  EXPECT_EQ(until_ended(next).at("state"), "completed");
  EXPECT_EQ(ask("GET", "/v1/benchmarks").json().at("benchmarks").as_array().size(), 1u);
}

}  // namespace
}  // namespace covey::integration

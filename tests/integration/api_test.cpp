// The HTTP API of a real cluster: tasks, maps, engines, what watches them.
#include <algorithm>
#include <set>
#include <sstream>
#include <thread>

#include "tests/integration/api_fixture.hpp"

namespace covey::integration {
namespace {

using ApiTest = ApiFixture;

std::vector<json::object> lines_of(const std::string& text) {
  std::vector<json::object> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line).as_object());
  return lines;
}

TEST_F(ApiTest, ATaskIsPutInAndAnsweredWithItsResult) {
  start_with_api(2);
  const auto answer = ask("POST", "/v1/tasks?wait=30s", R"({"function":"sum","args":[1,2],"label":"adding"})");
  ASSERT_EQ(answer.status, 200u) << answer.body;
  const auto task = answer.json();
  EXPECT_EQ(task.at("value"), 3);
  EXPECT_EQ(task.at("status"), "ok");
  const std::string id(task.at("id").as_string());
  EXPECT_EQ(answer.header("Location"), "/v1/tasks/" + id);
  EXPECT_EQ(ask("GET", "/v1/tasks/" + id).json(), task);
  EXPECT_EQ(ask("GET", "/v1/tasks/" + id + "/explain").json().at("why"), "it ran");
  EXPECT_EQ(ask("GET", "/v1/tasks?label=adding").json().at("tasks").at(0).at("id"), json::value(id));
  EXPECT_TRUE(ask("GET", "/v1/tasks?label=other").json().at("tasks").as_array().empty());
  EXPECT_EQ(ask("DELETE", "/v1/tasks/" + id).status, 204u);
  EXPECT_EQ(ask("GET", "/v1/tasks/" + id).status, 404u);
}

TEST_F(ApiTest, AListIsAGraphAndASubmission) {
  start_with_api(1);
  const auto answer = ask("POST", "/v1/tasks?wait=30s",
                          R"([{"function":"echo","args":[1]},{"function":"fail","args":["no"],"after":["#0"]},{"function":"echo","args":[3],"after":["#1"]}])");
  ASSERT_EQ(answer.status, 200u) << answer.body;
  const auto body = answer.json();
  EXPECT_EQ(body.at("tasks").at(1).at("error"), "no");
  EXPECT_EQ(body.at("tasks").at(2).at("status"), "dependency_failed");
  auto submission = std::string(body.at("submission").as_string());
  submission.replace(submission.find('+'), 1, "%2B");
  EXPECT_EQ(ask("GET", "/v1/tasks?submission=" + submission).json().at("tasks").as_array().size(), 3u);
  EXPECT_EQ(ask("GET", "/v1/tasks?status=failed&submission=" + submission).json().at("tasks").as_array().size(), 1u);
}

TEST_F(ApiTest, ListsComeInPagesThatMissNothing) {
  start_with_api(1);
  ASSERT_EQ(ask("POST", "/v1/tasks?wait=30s", R"({"function":"echo","args":[0]})").status, 200u);
  std::string list = "[";
  for (int i = 0; i < 25; ++i) list += (i > 0 ? "," : "") + std::string(R"({"function":"echo","labels":["not=there"],"label":"waits"})");
  ASSERT_EQ(ask("POST", "/v1/tasks", list + "]").status, 202u);
  std::set<std::string> seen;
  std::string cursor;
  ask_until("/v1/demand", [](const auto& answer) { return answer.json().at("backlog").template to_number<int>() == 25; });
  for (int pages = 0; pages < 100; ++pages) {
    const auto page = ask("GET", "/v1/tasks?limit=7" + (cursor.empty() ? "" : "&cursor=" + cursor)).json();
    EXPECT_LE(page.at("tasks").as_array().size(), 7u);
    for (const auto& task : page.at("tasks").as_array()) EXPECT_TRUE(seen.insert(std::string(task.at("id").as_string())).second);
    if (!page.as_object().contains("next")) break;
    cursor = page.at("next").as_string();
  }
  EXPECT_EQ(seen.size(), 26u);
  EXPECT_EQ(ask("GET", "/v1/queues").json().at("queues").at(0).at("labels").at(0), "not=there");
}

TEST_F(ApiTest, HistoriesAreBoundedAndSayWhatTheyDropped) {
  start_with_api(1, {"--history-tasks", "5", "--http-history-tasks", "10"});
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) ids.emplace_back(ask("POST", "/v1/tasks?wait=60s", R"({"function":"echo","args":["value"]})").json().at("id").as_string());
  const auto listed = ask("GET", "/v1/tasks").json();
  EXPECT_EQ(listed.at("tasks").as_array().size(), 5u);
  EXPECT_EQ(listed.at("tasks").at(0).at("id"), json::string_view(ids[11]));
  EXPECT_EQ(listed.at("dropped"), 7);
  EXPECT_EQ(ask("GET", "/v1/tasks/" + ids[2]).json().at("value"), "value");
  const auto gone = ask("GET", "/v1/tasks/" + ids[1]);
  EXPECT_EQ(gone.status, 404u);
  EXPECT_NE(gone.body.find("among the 2 that the history has dropped"), std::string::npos) << gone.body;
}

TEST_F(ApiTest, ATaskThatWaitsIsExplainedCancelledAndRetried) {
  start_with_api(1);
  const auto put = ask("POST", "/v1/tasks?wait=10ms", R"({"function":"echo","args":[1],"labels":["not=there"]})");
  ASSERT_EQ(put.status, 202u);
  const std::string task = "/v1/tasks/" + std::string(put.json().at("id").as_string());
  ask_until(task, [](const auto& answer) { return answer.json().at("state") == "ready"; });
  EXPECT_NE(ask("GET", task + "/explain").body.find("not=there"), std::string::npos);
  EXPECT_EQ(ask("POST", task + "/retry").status, 409u);
  EXPECT_EQ(ask("DELETE", task).status, 202u);
  EXPECT_EQ(ask("GET", task + "?wait=30s").json().at("status"), "cancelled");
  const auto again = ask("POST", task + "/retry?wait=10ms");
  EXPECT_EQ(again.status, 202u);
  EXPECT_NE(again.json().at("id"), put.json().at("id"));
}

TEST_F(ApiTest, TasksOfOtherClientsAreKnownToo) {
  start_with_api(1);
  auto client = connect(1);
  auto result = client->load_balanced().apply("echo", R"(["from elsewhere"])");
  ASSERT_TRUE(result.wait(kPatience));
  const auto id = wire::to_string(result.metadata().task);
  EXPECT_EQ(ask("GET", "/v1/tasks/" + id).json().at("status"), "ok");
  EXPECT_EQ(ask("POST", "/v1/tasks/" + id + "/retry").status, 409u);
}

TEST_F(ApiTest, ARepeatedPostWithItsKeyAnswersWithTheFirstOutcome) {
  start_with_api(1);
  const std::string body = R"({"function":"echo","args":["once"]})";
  const auto first = ask("POST", "/v1/tasks?wait=30s", body, {{"Idempotency-Key", "k"}});
  const auto second = ask("POST", "/v1/tasks?wait=30s", body, {{"Idempotency-Key", "k"}});
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(second.header("Idempotency-Replayed"), "true");
  const auto other = ask("POST", "/v1/tasks", R"({"function":"echo","args":["twice"]})", {{"Idempotency-Key", "k"}});
  EXPECT_EQ(other.status, 409u);
  EXPECT_EQ(other.json().at("type"), "urn:covey:problem:key-reused");
  const std::string map = R"({"function":"echo","range":{"stop":3}})";
  const auto begun = ask("POST", "/v1/maps", map, {{"Idempotency-Key", "m"}});
  const auto again = ask("POST", "/v1/maps", map, {{"Idempotency-Key", "m"}});
  EXPECT_EQ(begun.status, 202u);
  EXPECT_EQ(again.status, 200u);
  EXPECT_EQ(again.header("Location"), begun.header("Location"));
  EXPECT_EQ(ask("GET", "/v1/maps").json().at("maps").as_array().size(), 1u);
}

TEST_F(ApiTest, LargePayloadsGoInAndOut) {
  start_with_api(1);
  const std::string large(300'000, 'x');
  const auto answer = ask("POST", "/v1/tasks?wait=60s", R"({"function":"echo","args":[")" + large + "\"]}");
  ASSERT_EQ(answer.status, 200u) << answer.body.substr(0, 300);
  EXPECT_EQ(answer.json().at("value"), json::value(large));
}

// ---- maps ----

TEST_F(ApiTest, AMapOverARangeTellsItsProgressAndItsResultsInOrder) {
  start_with_api(2);
  const auto put = ask("POST", "/v1/maps", R"({"function":"echo","range":{"start":10,"stop":110,"step":10},"id":"tens"})");
  ASSERT_EQ(put.status, 202u) << put.body;
  const auto lines = lines_of(ask("GET", "/v1/maps/tens/results").body);
  ASSERT_EQ(lines.size(), 10u);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].at("index").to_number<std::size_t>(), i);
    EXPECT_EQ(lines[i].at("value").to_number<std::size_t>(), 10 * (i + 1));
  }
  const auto map = ask("GET", "/v1/maps/tens").json();
  EXPECT_EQ(map.at("state"), "completed");
  EXPECT_EQ(map.at("completed"), 10);
  EXPECT_EQ(lines_of(ask("GET", "/v1/maps/tens/results?after=7").body).size(), 3u);
  EXPECT_EQ(ask("POST", "/v1/maps", R"({"function":"echo","inputs":[1],"id":"tens"})").status, 409u);
  EXPECT_EQ(ask("DELETE", "/v1/maps/tens").status, 204u);
  EXPECT_EQ(ask("GET", "/v1/maps/tens").status, 404u);
}

TEST_F(ApiTest, InputsStreamInWhileResultsStreamOut) {
  start_with_api(2, {"--http-map-unfinished", "500"});
  constexpr int kInputs = 20'000;
  std::string inputs;
  for (int i = 0; i < kInputs; ++i) inputs += std::to_string(i) + "\n";
  std::thread feeder([&] {
    const auto answer = ask("POST", "/v1/maps?function=echo&id=streamed", inputs, {{"Content-Type", "application/x-ndjson"}});
    EXPECT_EQ(answer.status, 202u) << answer.body;
  });
  ask_until("/v1/maps/streamed", [](const auto& answer) { return answer.status == 200; });
  const auto lines = lines_of(ask("GET", "/v1/maps/streamed/results?order=completion").body);
  feeder.join();
  std::set<int> seen;
  for (const auto& line : lines) EXPECT_TRUE(seen.insert(line.at("value").to_number<int>()).second);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kInputs));
}

TEST_F(ApiTest, ALineThatIsNoJsonBreaksAMapOffAndIsNamed) {
  start_with_api(1);
  const auto answer = ask("POST", "/v1/maps?function=echo&id=broken", "1\n2\noops\n4\n", {{"Content-Type", "application/x-ndjson"}});
  EXPECT_EQ(answer.status, 400u);
  EXPECT_EQ(answer.json().at("field"), "line 3");
  const auto lines = lines_of(ask("GET", "/v1/maps/broken/results").body);
  EXPECT_EQ(lines.size(), 2u);
  EXPECT_EQ(ask("GET", "/v1/maps/broken").json().at("state"), "broken");
}

TEST_F(ApiTest, InputsOfAClientThatGoesAwayRunAllTheSame) {
  start_with_api(1);
  {
    HttpConnection half(port());
    half.send("POST /v1/maps?function=echo&id=half HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token +
              "\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1\n2\n\r\n");
    ask_until("/v1/maps/half", [](const auto& answer) { return answer.status == 200 && answer.json().at("inputs") == 2; });
  }
  const auto ended = ask_until("/v1/maps/half", [](const auto& answer) { return answer.json().at("state") == "broken"; });
  EXPECT_EQ(ended.json().at("completed"), 2);
}

TEST_F(ApiTest, ResultsBeyondTheLimitAreDroppedAndTheirNumberIsTold) {
  start_with_api(1, {"--http-result-bytes", "300000"});
  ASSERT_EQ(ask("POST", "/v1/maps", R"({"function":"echo","range":{"stop":30000},"id":"long"})").status, 202u);
  const auto map = ask_until("/v1/maps/long", [](const auto& answer) { return answer.json().at("state") == "completed"; }).json();
  const auto dropped = map.at("results").at("dropped").to_number<int>();
  EXPECT_GT(dropped, 0);
  const auto lines = lines_of(ask("GET", "/v1/maps/long/results?order=completion").body);
  EXPECT_EQ(lines.at(0).at("dropped"), dropped);
  EXPECT_EQ(lines.size() - 1 + static_cast<std::size_t>(dropped), 30'000u);
}

TEST_F(ApiTest, ADeletedMapIsCancelled) {
  start_with_api(1);
  ASSERT_EQ(ask("POST", "/v1/maps", R"({"function":"sleep","inputs":[100,100,100],"id":"slow"})").status, 202u);
  EXPECT_EQ(ask("DELETE", "/v1/maps/slow").status, 204u);
  ask_until("/v1/demand", [](const auto& answer) { return answer.json().at("unfinished") == 0; });
}

// ---- engines, and what watches ----

TEST_F(ApiTest, DemandTellsHowLongTheControllerHasRun) {
  start_with_api(1);
  const auto uptime = [](const auto& answer) { return answer.json().at("uptime_s").template to_number<double>(); };
  const auto first = uptime(ask("GET", "/v1/demand"));
  ask_until("/v1/demand", [&](const auto& answer) { return uptime(answer) > first; });
}

TEST_F(ApiTest, AnEngineIsDrainedAndResumedAndLeaves) {
  start_with_api(2);
  const auto engines = ask("GET", "/v1/engines?limit=1").json();
  ASSERT_EQ(engines.at("engines").as_array().size(), 1u);
  EXPECT_TRUE(engines.as_object().contains("next"));
  const std::string engine = "/v1/engines/" + std::string(engines.at("engines").at(0).at("id").as_string());
  ask_until(engine, [](const auto& answer) { return answer.json().at("memory_bytes").template to_number<std::uint64_t>() > 100'000; });
  EXPECT_EQ(ask("POST", engine + "/drain").status, 202u);
  EXPECT_EQ(ask("GET", engine).json().at("state"), "draining");
  EXPECT_EQ(ask("GET", "/v1/demand").json().at("draining"), 1);
  EXPECT_EQ(ask("POST", engine + "/resume", {}, {{"Idempotency-Key", "r"}}).status, 202u);
  EXPECT_EQ(ask("GET", engine).json().at("state"), "idle");
  // A repeated POST with its key answers as before, and tells the engine nothing.
  EXPECT_EQ(ask("POST", engine + "/drain").status, 202u);
  const auto again = ask("POST", engine + "/resume", {}, {{"Idempotency-Key", "r"}});
  EXPECT_EQ(again.status, 202u);
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
  EXPECT_EQ(again.json().at("draining"), false);
  EXPECT_EQ(ask("GET", engine).json().at("state"), "draining");
  EXPECT_EQ(ask("DELETE", engine).status, 202u);
  ask_until(engine, [](const auto& answer) { return answer.status == 404; });
}

TEST_F(ApiTest, AnOperatorThatLedBeforeTellsEnginesNothing) {
  start_with_api(1);
  const std::string id(ask("GET", "/v1/engines").json().at("engines").at(0).at("id").as_string()), engine = "/v1/engines/" + id;
  EXPECT_EQ(ask("POST", engine + "/resume", {}, {{"Fencing-Token", "lease:7"}}).status, 202u);
  const auto refused = ask("POST", engine + "/drain", {}, {{"Fencing-Token", "lease:6"}});
  EXPECT_EQ(refused.status, 409u);
  EXPECT_EQ(refused.json().at("type"), "urn:covey:problem:stale-leader");
  EXPECT_EQ(ask("POST", engine + "/lost", R"({"why":"x"})", {{"Fencing-Token", "lease:6"}}).status, 409u);
  EXPECT_EQ(ask("DELETE", engine, {}, {{"Fencing-Token", "lease:6"}}).status, 409u);
  EXPECT_EQ(ask("POST", engine + "/drain", {}, {{"Fencing-Token", "seven"}}).status, 400u);
  EXPECT_EQ(ask("GET", engine).json().at("state"), "idle");
  EXPECT_EQ(ask("POST", engine + "/drain", {}, {{"Fencing-Token", "another:1"}}).status, 202u) << "a Lease of another operator";
}

TEST_F(ApiTest, ATaskSaysWhyItsEngineEnded) {
  start_with_api(1);
  const auto task = "/v1/tasks/" + std::string(ask("POST", "/v1/tasks", R"({"function":"sleep","args":[600]})").json().at("id").as_string());
  ask_until(task, [](const auto& answer) { return answer.json().at("state") == "assigned"; });
  const std::string engine(ask("GET", "/v1/engines").json().at("engines").at(0).at("id").as_string());
  EXPECT_EQ(ask("POST", "/v1/engines/" + engine + "/lost", R"({"reason":"?"})").status, 422u);
  const auto told = ask("POST", "/v1/engines/" + engine + "/lost", R"({"why":"OOMKilled: its limit is 1Gi"})");
  EXPECT_EQ(told.status, 200u) << told.body;
  const auto setbacks = ask("GET", task).json().at("setbacks");
  EXPECT_EQ(setbacks.at(0).at("engine").as_string(), engine);
  EXPECT_EQ(setbacks.at(0).at("why"), "OOMKilled: its limit is 1Gi");
  EXPECT_EQ(ask("POST", "/v1/engines/00000000000000aa/lost", R"({"why":"x"})").status, 404u);
}

TEST_F(ApiTest, MetricsCountWhatHappened) {
  start_with_api(1);
  ASSERT_EQ(ask("POST", "/v1/tasks?wait=30s", R"([{"function":"echo","args":[1]},{"function":"fail","args":["x"]}])").status, 200u);
  const auto text = ask("GET", "/metrics").body;
  for (const auto* line : {"covey_tasks_submitted_total 2\n", "covey_task_latency_seconds_count 2\n", "covey_engines 1\n", "covey_nats_connected 1\n",
                           "covey_function_tasks_total{function=\"fail\",status=\"failed\"} 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST_F(ApiTest, ReadinessSaysWhatIsMissing) {
  start_with_api(1);
  EXPECT_EQ(ask("GET", "/livez").status, 200u);
  ask_until("/readyz", [](const auto& answer) { return answer.status == 200; });
  cluster->nats()->stop();
  const auto answer = ask_until("/readyz", [](const auto& one) { return one.status == 503; });
  EXPECT_EQ(answer.json().at("checks").at("scheduler"), "ok");
  EXPECT_NE(std::string(answer.json().at("checks").at("nats").as_string()).find("NATS"), std::string::npos);
  EXPECT_EQ(ask("GET", "/v1/demand").status, 200u);
}

TEST_F(ApiTest, EventsTellOfTasksThatPassAFilterAndGoOnAfterTheLast) {
  start_with_api(1);
  const std::string head = " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token + "\r\n";
  HttpConnection stream(port());
  stream.send("GET /v1/events?types=task&label=watched" + head + "\r\n");
  stream.read_until("retry: 1000\n\n");
  ASSERT_EQ(ask("POST", "/v1/tasks?wait=30s", R"([{"function":"echo","label":"watched","args":[1]},{"function":"echo","args":[2]}])").status, 200u);
  const auto event = stream.read_until("\n\n");
  EXPECT_NE(event.find("event: task"), std::string::npos) << event;
  EXPECT_NE(event.find("watched"), std::string::npos) << event;
  const auto begin = event.find("id: ") + 4;
  const auto id = event.substr(begin, event.find('\n', begin) - begin);
  ASSERT_EQ(ask("POST", "/v1/tasks?wait=30s", R"({"function":"echo","label":"watched","args":["later"]})").status, 200u);
  stream.read_until("event: task");  // it is in the ring now

  HttpConnection resumed(port());
  resumed.send("GET /v1/events?types=task&label=watched" + head + "Last-Event-ID: " + id + "\r\n\r\n");
  resumed.read_until("retry: 1000\n\n");
  const auto first = resumed.read_until("event: task");
  EXPECT_EQ(first.find("reset"), std::string::npos);
  EXPECT_EQ(first.find(id), std::string::npos);

  HttpConnection lost(port());
  lost.send("GET /v1/events" + head + "Last-Event-ID: 0123456789abcdef-7\r\n\r\n");
  lost.read_until("event: reset");
}

TEST_F(ApiTest, EventsOfTasksThatAreTooManyAreCounted) {
  start_with_api(0);
  HttpConnection stream(port());
  stream.send("GET /v1/events?types=task&label=many HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token + "\r\n\r\n");
  stream.read_until("retry: 1000\n\n");
  ASSERT_EQ(ask("POST", "/v1/maps", R"({"function":"echo","label":"many","id":"many","range":{"stop":20000}})").status, 202u);
  ask_until("/v1/queues", [](const auto& answer) { return answer.json().at("unfinished") == 20'000; });
  ASSERT_EQ(ask("DELETE", "/v1/maps/many").status, 204u);  // all of them end together
  stream.read_until("event: skipped");
  const auto data = stream.read_until("\n\n");
  EXPECT_GT(json::parse(data.substr(data.find('{'))).at("tasks").to_number<int>(), 0) << data;
}

TEST_F(ApiTest, EventsTellOfEnginesThatComeAndMapsThatEnd) {
  start_with_api(1);
  HttpConnection stream(port());
  stream.send("GET /v1/events?types=engine,map HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token + "\r\n\r\n");
  stream.read_until("retry: 1000\n\n");
  cluster->set_engines(2);
  EXPECT_NE(stream.read_until("\"joined\"").find("event: engine"), std::string::npos);
  ASSERT_EQ(ask("POST", "/v1/maps", R"({"function":"echo","inputs":[1,2]})").status, 202u);
  stream.read_until("\"state\":\"completed\"");
}

}  // namespace
}  // namespace covey::integration

// What a user of the client library can do with a running cluster.
#include <boost/json.hpp>
#include <algorithm>

#include "tests/integration/cluster_fixture.hpp"

namespace covey::integration {
namespace {

struct TasksTest : ClusterFixture {};

TEST_F(TasksTest, ValuesComeBackInTheOrderOfTheInputs) {
  start(2);
  const auto client = connect(2);
  std::vector<std::string> inputs;
  for (int i = 0; i < 1000; ++i) inputs.push_back("[" + std::to_string(i) + "]");
  const auto result = client->load_balanced().map("echo", inputs);
  ASSERT_TRUE(result.wait(kPatience));
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(result.get_at(i).buffer.view(), std::to_string(i));
}

TEST_F(TasksTest, FailuresSayWhatWasWrongAndCostNothingElse) {
  start(1);
  const auto client = connect(1);
  auto view = client->load_balanced();
  const auto expect_error = [&](const client::AsyncResult& result, wire::TaskStatus status, const std::string& text) {
    ASSERT_TRUE(result.wait(kPatience));
    EXPECT_EQ(result.metadata().status, status);
    EXPECT_NE(result.metadata().error.find(text), std::string::npos) << result.metadata().error;
    EXPECT_THROW(result.get(), client::TaskError);
  };
  expect_error(view.apply("nosuch", "[]"), wire::TaskStatus::unknown_function, "echo");
  expect_error(view.apply("sleep", "[\"x\"]"), wire::TaskStatus::bad_arguments, "number");
  expect_error(view.apply("sleep", "not json"), wire::TaskStatus::bad_arguments, "JSON");
  expect_error(view.apply("fail", "[\"oops\"]"), wire::TaskStatus::failed, "oops");
  expect_error(view.apply("exec", R"([["true"]])"), wire::TaskStatus::not_allowed, "--allow-exec");
  EXPECT_EQ(view.apply("echo", "[1]").get(kPatience).buffer.view(), "1");
}

TEST_F(TasksTest, BothSchemesWork) {
  start(2);
  const auto client = connect(2);
  for (const auto scheme : {client::Scheme::controller, client::Scheme::direct}) {
    const auto result = client->load_balanced(scheme).map("sum", std::vector<std::string>(500, "[1, 2, 3.5]"));
    ASSERT_TRUE(result.wait(kPatience));
    EXPECT_TRUE(result.successful());
    EXPECT_DOUBLE_EQ(std::stod(std::string(result.get_at(499).buffer.view())), 6.5);
  }
}

TEST_F(TasksTest, ARunOverItsLimitEndsAndTheSlotIsFreeAgain) {
  start(1);
  const auto client = connect(1);
  auto view = client->load_balanced();
  view.options.run_limit = std::chrono::milliseconds(50);
  const auto late = view.apply("sleep", "[600]");
  ASSERT_TRUE(late.wait(kPatience));
  EXPECT_EQ(late.metadata().status, wire::TaskStatus::timed_out);
  EXPECT_TRUE(view.apply("sleep", "[0]").wait(kPatience));
}

TEST_F(TasksTest, AbortEndsWhatRunsAndWhatWaits) {
  start(1);
  const auto client = connect(1);
  const auto result = client->load_balanced().map("sleep", std::vector<std::string>(10, "[600]"));
  while (client->request(R"({"what":"engines"})")->find("\"busy\"") == std::string::npos) {
  }
  result.abort();
  ASSERT_TRUE(result.wait(kPatience));
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(result.metadata(i).status, wire::TaskStatus::cancelled);
  EXPECT_TRUE(client->load_balanced().apply("sleep", "[0]").wait(kPatience));
}

TEST_F(TasksTest, ExecCapturesWhatAProgramPrints) {
  start(1, {"--allow-exec"});
  const auto client = connect(1);
  const auto result = client->load_balanced().apply("exec", R"([{"argv":["cat"],"stdin":"hello"}])");
  EXPECT_NE(result.get(kPatience).buffer.view().find("hello"), std::string_view::npos);
}

// Value, stdout and stderr are each short enough to travel in a report, and together too long for one frame.
TEST_F(TasksTest, WhatAProgramPrintsComesWholeHoweverItTravels) {
  start(1, {"--allow-exec"});
  const auto client = connect(1);
  const auto result = client->load_balanced().apply(
      "exec", R"([{"argv":["sh","-c","head -c 15000 /dev/zero | tr '\\000' o; head -c 15000 /dev/zero | tr '\\000' e >&2"]}])");
  const auto value = boost::json::parse(result.get(kPatience).buffer.view());
  EXPECT_EQ(value.at("stdout").as_string(), std::string(15000, 'o'));
  EXPECT_EQ(value.at("stderr").as_string(), std::string(15000, 'e'));
  EXPECT_EQ(result.metadata().stdout_text, std::string(15000, 'o'));
  EXPECT_EQ(result.metadata().stderr_text, std::string(15000, 'e'));
}

TEST_F(TasksTest, MetadataTellsWhereAndHowLong) {
  start(1);
  const auto client = connect(1);
  const auto result = client->load_balanced().apply("sleep", "[0.02]");
  ASSERT_TRUE(result.wait(kPatience));
  const auto metadata = result.metadata();
  EXPECT_GE(metadata.duration_us, 20'000u);
  EXPECT_EQ(metadata.attempts, 1u);
  EXPECT_NE(metadata.engine, wire::Incarnation::none);
  EXPECT_GE(result.elapsed(), result.serial_time());
}

TEST_F(TasksTest, ManyTasksCanBeSubmittedBeforeAnEngineIsThere) {
  start(0);
  const auto client = connect(0);
  const auto result = client->load_balanced().map("echo", std::vector<std::string>(200'000, "[1]"));
  cluster->set_engines(2);
  ASSERT_TRUE(result.wait(kPatience));
  EXPECT_TRUE(result.successful());
}

TEST_F(TasksTest, WhoeverWaitsIsToldWhenTheClientCloses) {
  start(1);
  auto client = connect(1);
  const auto result = client->load_balanced().apply("sleep", "[600]");
  client.reset();
  ASSERT_TRUE(result.wait(kPatience));
  EXPECT_EQ(result.metadata().status, wire::TaskStatus::outcome_unknown);
}

TEST_F(TasksTest, AnEngineMayNotSubmit) {
  start(1);
  // With the engines' password a client can connect, and NATS drops what it submits: no controller ever welcomes it.
  const auto info = local::read_connect_file(folder / "engine.json");
  client::Options options;
  options.nats_url = info.nats_url;
  options.user = info.user;
  options.password = info.password;
  const auto client = client::Client::connect(options);
  ASSERT_TRUE(client);
  EXPECT_FALSE((*client)->request(R"({"what":"status"})", std::chrono::milliseconds(500)));
}

TEST_F(TasksTest, FilesWithPasswordsAreClosedToOthers) {
  start(0);
  for (const auto* name : {"nats.conf", "client.json", "engine.json", "controller.json"}) {
    EXPECT_EQ(std::filesystem::status(folder / name).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << name;
  }
}

}  // namespace
}  // namespace covey::integration

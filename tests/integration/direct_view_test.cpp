// What a view that names its engines does with a running cluster.
#include <signal.h>

#include <algorithm>
#include <set>

#include "client/partition.hpp"
#include "tests/integration/cli_fixture.hpp"

namespace covey::integration {
namespace {

std::string text(const wire::Payload& payload) { return std::string(payload.buffer.view()); }

struct DirectViewTest : ClusterFixture {
  static std::vector<std::string> texts(const client::AsyncResult& result) {
    std::vector<std::string> all;
    for (const auto& value : result.get_all(kPatience)) all.push_back(text(value));
    return all;
  }
  static wire::TaskStatus status_of(const client::AsyncResult& result) {
    EXPECT_TRUE(result.wait(kPatience));
    return result.metadata().status;
  }
};

TEST_F(DirectViewTest, EachEngineRunsATaskOfItsOwn) {
  start(3);
  const auto client = connect(3);
  auto view = client->direct_view();
  ASSERT_EQ(view.size(), 3U);
  const auto result = view.apply("sum", "[1, 2]");
  EXPECT_EQ(texts(result), std::vector<std::string>(3, "3"));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(result.metadata(i).engine, view.engines()[i]);
  const auto one = view[2].apply("echo", "[5]");
  EXPECT_EQ(texts(one), std::vector<std::string>{"5"});
  EXPECT_EQ(one.metadata().engine, view.engines()[2]);
}

TEST_F(DirectViewTest, EnginesAreListedWithWhatTheyCanDo) {
  start(2, {"--label", "kind=test"});
  const auto client = connect(2);
  const auto engines = client->engines();
  ASSERT_EQ(engines.size(), 2U);
  for (const auto& engine : engines) {
    EXPECT_EQ(engine.labels, std::vector<std::string>{"kind=test"});
    EXPECT_NE(std::find(engine.functions.begin(), engine.functions.end(), "push"), engine.functions.end());
  }
}

TEST_F(DirectViewTest, AVariableIsPushedPulledAndUnset) {
  start(2);
  const auto client = connect(2);
  auto view = client->direct_view();
  EXPECT_EQ(texts(view.push("x", "[1, 2, 3]")), std::vector<std::string>(2, "null"));
  EXPECT_EQ(texts(view.pull("x")), std::vector<std::string>(2, "[1, 2, 3]"));
  EXPECT_EQ(texts(view[0].push("x", "7")), std::vector<std::string>{"null"});
  EXPECT_EQ(texts(view.pull("x")), (std::vector<std::string>{"7", "[1, 2, 3]"}));
  EXPECT_TRUE(view.unset("x").wait(kPatience));
  const auto gone = view.pull("x");
  EXPECT_EQ(status_of(gone), wire::TaskStatus::bad_arguments);
  EXPECT_NE(gone.metadata().error.find("no variable 'x'"), std::string::npos) << gone.metadata().error;
}

TEST_F(DirectViewTest, LargeVariablesComeBackAsTheyWerePushed) {
  start(2);
  const auto client = connect(2);
  auto view = client->direct_view();
  std::string large(5'000'000, ' ');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i * i % 26);
  const wire::Payload payload{wire::Codec::bytes, wire::Buffer(std::move(large))};
  ASSERT_TRUE(view.push("array", payload).wait(kPatience));
  for (int round = 0; round < 2; ++round) {
    for (const auto& value : view.pull("array").get_all(kPatience)) {
      EXPECT_EQ(value.codec, wire::Codec::bytes);
      EXPECT_TRUE(value.buffer.view() == payload.buffer.view());
    }
  }
}

TEST_F(DirectViewTest, WhatIsScatteredIsGathered) {
  start(3);
  const auto client = connect(3);
  auto view = client->direct_view();
  EXPECT_EQ(texts(view.scatter("numbers", "[1, 2, 3, 4]")).size(), 3U);
  EXPECT_EQ(texts(view.pull("numbers")), (std::vector<std::string>{"[1, 2]", "[ 3]", "[ 4]"}));
  EXPECT_EQ(text(view.gather("numbers", kPatience)), "[1, 2,3,4]");
  const wire::Payload doubles{wire::Codec::bytes, wire::Buffer(std::string(16, 'd'))};  // fewer items than engines
  ASSERT_TRUE(view.scatter("doubles", doubles, 8).wait(kPatience));
  const auto back = view.gather("doubles", kPatience);
  EXPECT_EQ(back.codec, wire::Codec::bytes);
  EXPECT_EQ(text(back), text(doubles));
  ASSERT_TRUE(view[1].push("numbers", "{\"no\": \"array\"}").wait(kPatience));
  EXPECT_THROW(view.gather("numbers", kPatience), std::invalid_argument);
  EXPECT_THROW(view.gather("nothing", kPatience), client::TaskError);
}

TEST_F(DirectViewTest, VariablesHaveALimitThatIsNamed) {
  start(1, {"--variable-mb", "1"});
  const auto client = connect(1);
  auto view = client->direct_view();
  const auto half = wire::Payload{wire::Codec::bytes, wire::Buffer(std::string(600'000, 'x'))};
  EXPECT_EQ(status_of(view.push("a", half)), wire::TaskStatus::ok);
  EXPECT_EQ(status_of(view.push("a", half)), wire::TaskStatus::ok);
  const auto over = view.push("b", half);
  EXPECT_EQ(status_of(over), wire::TaskStatus::payload_too_large);
  EXPECT_NE(over.metadata().error.find("may have 1048576 (--variable-mb), and 600129 are used"), std::string::npos) << over.metadata().error;
}

// More names than the client keeps specs for.
TEST_F(DirectViewTest, ManyVariablesOneAfterAnotherKeepTheirNames) {
  start(2);
  const auto client = connect(2);
  auto view = client->direct_view();
  const auto name = [](int i) { return "v" + std::to_string(i); };
  std::vector<client::AsyncResult> pushed, pulled;
  for (int i = 0; i < 1200; ++i) pushed.push_back(view.push(name(i), std::to_string(i)));
  for (const auto& one : pushed) ASSERT_TRUE(one.wait(kPatience));
  for (int i = 0; i < 1200; ++i) pulled.push_back(view.pull(name(i)));
  for (int i = 0; i < 1200; ++i) EXPECT_EQ(texts(pulled[i]), std::vector<std::string>(2, std::to_string(i)));
  EXPECT_EQ(texts(view.apply("echo", "[1]")), std::vector<std::string>(2, "1"));
}

TEST_F(DirectViewTest, ProgramsRunOnEveryEngine) {
  start(2, {"--allow-exec"});
  const auto client = connect(2);
  auto view = client->direct_view();
  const auto result = view.execute({.argv = {"sh", "-c", "cat; echo $WHAT; pwd"}, .env = {{"WHAT", "thing"}}, .cwd = "/", .stdin_text = "in\n"});
  ASSERT_TRUE(result.wait(kPatience));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(result.metadata(i).stdout_text, "in\nthing\n/\n");
  EXPECT_EQ(status_of(view.execute({"false"})), wire::TaskStatus::failed);
}

TEST_F(DirectViewTest, ATaskOfAnEngineThatIsGoneFailsAndTheOthersDoNot) {
  start(2);
  const auto client = connect(2);
  auto view = client->direct_view();
  cluster->engine(0).signal(SIGKILL);
  const auto result = view.apply("echo", "[1]");
  ASSERT_TRUE(result.wait(kPatience));
  const std::multiset<wire::TaskStatus> statuses{result.metadata(0).status, result.metadata(1).status};
  EXPECT_EQ(statuses, (std::multiset<wire::TaskStatus>{wire::TaskStatus::ok, wire::TaskStatus::unschedulable}));
}

TEST_F(DirectViewTest, WhatCannotBeIsRefusedAtOnce) {
  start(1);
  const auto client = connect(1);
  auto view = client->direct_view();
  const auto engine = view.engines().front();
  EXPECT_THROW(client->direct_view(std::vector<wire::Incarnation>{}), std::invalid_argument);
  EXPECT_THROW(client->direct_view({engine, engine}), std::invalid_argument);
  EXPECT_THROW(view[1], std::out_of_range);
  EXPECT_THROW(view.push("", "1"), std::invalid_argument);
  EXPECT_THROW(view.push(std::string(256, 'n'), "1"), std::invalid_argument);
  EXPECT_THROW(view.scatter("x", "5"), std::invalid_argument);
  view.options.targets = {engine};
  EXPECT_THROW(view.apply("echo", "[1]"), std::invalid_argument);
}

// examples/views, which docs/client.md explains.
struct ExampleTest : CliFixture {};

TEST_F(ExampleTest, TheExampleOfTheClientSaysWhatItsPageSays) {
  start(4);
  connect(4);
  const auto ended = run_command(VIEWS_EXAMPLE);
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.output,
            "the sums of the chunked map add up to 501500\n"
            "element 0 is 3\n"
            "element 1 ended as bad_arguments\n"
            "the first engine says \"hello\"\n"
            "scattered and gathered: [1, 2,3, 4,5, 6,7, 8]\n"
            "100 pongs\n"
            "too slow: cancelled\n");
}

}  // namespace
}  // namespace covey::integration

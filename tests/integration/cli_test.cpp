// The executable as a person meets it: what it prints, and its exit statuses.
#include <boost/json.hpp>
#include <fstream>

#include "tests/integration/cli_fixture.hpp"

namespace covey::integration {
namespace {

namespace json = boost::json;

struct CliTest : CliFixture {
  ~CliTest() override {
    if (up) run("down");
  }
  void bring_up(const std::string& options = "-n 2") {
    const auto ended = run("up --detach --json " + options);
    ASSERT_EQ(ended.status, 0) << ended.output;
    up = true;
    EXPECT_TRUE(json::parse(ended.output).as_object().contains("nats")) << ended.output;
  }
  bool up = false;
};

TEST_F(CliTest, ASessionFromUpToDown) {
  bring_up();
  EXPECT_EQ(run("submit echo hello").output, "\"hello\"\n");
  EXPECT_EQ(run("map echo --range 0:3 --ordered").output, "0\n1\n2\n");
  EXPECT_EQ(run("map echo --range 0:5 --ordered --chunk 2").output, "0\n1\n2\n3\n4\n");
  const auto status = json::parse(run("status --json").output);
  EXPECT_EQ(status.at("engines").at("live").to_number<int>(), 2);
  EXPECT_EQ(status.at("tasks").at("completed").to_number<int>(), 7);
  expect_says(run("up"), "covey down");
  EXPECT_EQ(run("down").status, 0);
  up = false;
  expect_says(run("down"), "no cluster");
  expect_says(run("status"), "covey up");
}

TEST_F(CliTest, TheTokenOfTheHttpApiIsForItsOwnerAlone) {
  const auto ended = run("up --detach -n 0");
  ASSERT_EQ(ended.status, 0) << ended.output;
  up = true;
  using std::filesystem::perms;
  for (const auto* name : {"http-tokens", "http.json"}) {
    EXPECT_EQ(std::filesystem::status(folder / name).permissions(), perms::owner_read | perms::owner_write) << name;
  }
  EXPECT_EQ(std::filesystem::status(folder).permissions(), perms::owner_all);
  std::ifstream in(folder / "http.json");
  const auto access = json::parse(std::string{std::istreambuf_iterator<char>(in), {}});
  expect_says(ended, std::string(access.at("url").as_string()) + "#token=" + std::string(access.at("token").as_string()));
}

TEST_F(CliTest, AnEngineFindsTheClusterOfThisMachineByItself) {
  expect_says(run("engine"), "covey up");
  expect_says(run("controller"), "covey up");
  bring_up("-n 1");
  process::ChildProcess engine({{COVEY_EXECUTABLE, "engine"}, {}, (folder / "second.log").string(), true});
  const auto live = [&] { return json::parse(run("status --json").output).at("engines").at("live").to_number<int>(); };
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (live() < 2 && std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(live(), 2);
  EXPECT_EQ(engine.stop(kPatience), 0);
  EXPECT_EQ(run("down").status, 0);
  up = false;
  EXPECT_FALSE(std::filesystem::exists(folder / "engine.json"));
}

TEST_F(CliTest, JsonLinesHaveAnIndexAndAValueOrAnError) {
  bring_up();
  const auto good = json::parse(run("submit sum 1 2 --json").output);
  EXPECT_EQ(good.at("index").to_number<int>(), 0);
  EXPECT_EQ(good.at("value").to_number<double>(), 3);
  const auto ended = run("submit fail oops --json");
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(json::parse(ended.output).at("error").as_string(), "oops");
}

TEST_F(CliTest, ResultsAreThereForAPipeAsTheyCome) {
  bring_up("-n 1");
  std::ofstream(folder / "lines") << "0\n600\n";
  for (const auto* order : {"", " --ordered"}) {
    const auto map = std::string(COVEY_EXECUTABLE) + " map sleep --json --file " + (folder / "lines").string() + order;
    const auto ended = run_command("bash -c 'exec 3< <(" + map + "); read -r line <&3; echo \"$line\"; kill -INT $!; wait $!; echo status $?'");
    expect_says(ended, R"({"index":0,)");
    expect_says(ended, "status 130");
  }
}

TEST_F(CliTest, DetachedTasksCanBeExplainedAndFetched) {
  bring_up();
  const auto ended = run("submit sum 1 2 3 --detach");
  ASSERT_EQ(ended.status, 0) << ended.output;
  const auto id = ended.output.substr(0, ended.output.find('\n'));
  Ended fetched;
  for (int i = 0; i < 200; ++i) {
    fetched = run("results " + id + " --json");
    if (json::parse(fetched.output).as_object().contains("value")) break;
  }
  EXPECT_EQ(json::parse(fetched.output).at("value").to_number<double>(), 6);
  expect_says(run("explain " + id), "it ran");
  EXPECT_EQ(run("cancel " + id).status, 1);
}

TEST_F(CliTest, ALargeValueOfADetachedTaskIsFetchedFromWhoHoldsIt) {
  bring_up();
  const std::string text(100'000, 'x');
  const auto ended = run("submit echo " + text + " --detach");
  ASSERT_EQ(ended.status, 0) << ended.output;
  const auto id = ended.output.substr(0, ended.output.find('\n'));
  Ended fetched;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  do {
    fetched = run("results " + id + " --json");
  } while (!json::parse(fetched.output).as_object().contains("status") && std::chrono::steady_clock::now() < deadline);
  const auto answer = json::parse(fetched.output).as_object();
  EXPECT_EQ(answer.at("value_bytes").to_number<std::size_t>(), text.size() + 2);
  EXPECT_TRUE(answer.at("value").as_string() == text);
  const auto file = folder / "value";
  EXPECT_EQ(run("results " + id + " --output " + file.string()).status, 0);  // it is still there
  EXPECT_EQ(std::filesystem::file_size(file), text.size() + 2);
  expect_says(run("results " + id + " " + id + " --output " + file.string()), "one task");
}

TEST_F(CliTest, MistakesNameWhatWouldBeRight) {
  expect_says(run(""), "subcommand is required");
  expect_says(run("map echo --range 5"), "A:B");
  expect_says(run("engine --nats nats://10.1.2.3:4222"), "--insecure");
  expect_says(run("engine --nats nats://127.0.0.1:1"), "nats-server");
  expect_says(run("engine --label gpu"), "name=value");
  const auto policy = run("controller --policy fastest");
  EXPECT_EQ(policy.status, 2);
  expect_says(policy, "fastest not in {leastload,lru,plainrandom,twobin,weighted}");
  expect_says(run("explain 17 --nats nats://127.0.0.1:1"), "127.0.0.1:1");
}

TEST_F(CliTest, OptionsComeFromAYamlFileAndItsMistakesAreNamed) {
  std::filesystem::create_directories(folder);
  const auto file = (folder / "engine.yaml").string();
  const auto with = [&](const std::string& text) {
    std::ofstream(file) << text;
    return run("engine --config " + file);
  };
  expect_says(with("nats: nats://127.0.0.1:1\nslots: 2\n"), "127.0.0.1:1");
  expect_says(with("nats: nats://127.0.0.1:1\nslots: 0\n"), "slots");
  expect_says(with("slotz: 2\n"), "slotz");
  expect_says(with("slots: [\n"), "line");
  // The command line comes before the file.
  std::ofstream(file) << "nats: nats://127.0.0.1:1\n";
  expect_says(run("engine --config " + file + " --nats nats://127.0.0.1:2"), "127.0.0.1:2");
}

TEST_F(CliTest, HelpTeachesEveryCommandWithAnExample) {
  for (const auto* command : {"up", "down", "submit", "map", "results", "cancel", "explain", "status", "run", "bench", "controller", "engine"}) {
    const auto ended = run(std::string(command) + " --help");
    EXPECT_EQ(ended.status, 0) << command;
    expect_says(ended, "Example");
  }
}

}  // namespace
}  // namespace covey::integration

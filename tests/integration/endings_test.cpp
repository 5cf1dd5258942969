// What covey leaves behind when it is ended, and what it does when its own file goes.
#include <fmt/format.h>
#include <signal.h>

#include <boost/json.hpp>
#include <fstream>
#include <thread>

#include "tests/integration/cli_fixture.hpp"

namespace covey::integration {
namespace {

namespace json = boost::json;

struct EndingsTest : CliFixture {
  EndingsTest() { std::filesystem::create_directories(temporary); }
  template <class Condition>
  static bool comes_true(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
  }
  process::ChildProcess begin(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), COVEY_EXECUTABLE);
    return process::ChildProcess({arguments, {"TMPDIR=" + temporary.string()}, (folder / "said").string(), true});
  }
  // A folder of that name with an engine's log in it: the cluster is there.
  bool has_cluster(const std::string& prefix) const {
    for (const auto& entry : std::filesystem::directory_iterator(temporary)) {
      if (entry.path().filename().string().starts_with(prefix) && std::filesystem::exists(entry.path() / "engine.log")) return true;
    }
    return false;
  }
  // A process that is killed as it starts may leave a file of its sanitizer's.
  bool nothing_left() const {
    for (const auto& entry : std::filesystem::directory_iterator(temporary)) {
      if (entry.path().filename().string().starts_with("covey")) return false;
    }
    return true;
  }
  std::filesystem::path temporary = folder / "tmp";
};

TEST_F(EndingsTest, ABenchThatIsInterruptedLeavesNoFolderBehind) {
  for (const int number : {SIGINT, SIGTERM}) {
    auto bench = begin({"bench", "map", "--no-limits", "--engines", "1", "--dt", "1000", "--ideal", "600"});
    ASSERT_TRUE(comes_true([&] { return has_cluster("covey-bench-"); }));
    bench.signal(number);
    EXPECT_TRUE(comes_true([&] { return bench.poll().has_value(); }));
    EXPECT_EQ(bench.poll(), 128 + number);
    EXPECT_TRUE(comes_true([&] { return nothing_left(); }));
  }
}

TEST_F(EndingsTest, ARunThatIsInterruptedTwiceLeavesNoFolderBehind) {
  const auto job = (folder / "job.yaml").string();
  std::ofstream(job) << "name: slow\nsteps:\n  - name: s\n    output: out.ndjson\n    map: {function: sleep, inputs: {grid: {t: [600]}}, arguments: [\"${input.t}\"]}\n";
  auto run = begin({"run", job, "--local", "--engines", "1", "--out", folder.string()});
  ASSERT_TRUE(comes_true([&] { return has_cluster("covey-run-") || run.poll(); }));
  ASSERT_FALSE(run.poll()) << std::ifstream(folder / "said").rdbuf();
  run.signal(SIGINT);
  run.signal(SIGINT);
  EXPECT_TRUE(comes_true([&] { return run.poll().has_value(); }));
  EXPECT_TRUE(comes_true([&] { return nothing_left(); }));
}

TEST_F(EndingsTest, ABenchmarkOfARunThatIsInterruptedLeavesNoFolderBehind) {
  const auto job = (folder / "job.yaml").string();
  std::ofstream(job) << "name: slow\nsteps:\n  - name: s\n    benchmark: {experiment: map, engines: [1], dt: [1s], ideal: 600s, limits: false}\n";
  auto run = begin({"run", job, "--local", "--engines", "1", "--out", folder.string()});
  ASSERT_TRUE(comes_true([&] { return has_cluster("covey-bench-") || run.poll(); }));
  ASSERT_FALSE(run.poll()) << std::ifstream(folder / "said").rdbuf();
  run.signal(SIGINT);
  EXPECT_TRUE(comes_true([&] { return run.poll().has_value(); }));
  EXPECT_TRUE(comes_true([&] { return nothing_left(); }));
}

// As a container's first process; a NATS server is not there yet. Signals come as often as it takes, since the first may come before
// main() does.
TEST_F(EndingsTest, PartsThatWaitForNatsEndWhenTheyAreAskedTo) {
  const std::vector<std::string> first{"unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"};
  auto probe = first;
  probe.push_back("true");
  process::ChildProcess may({probe, {}, (folder / "said").string(), true});
  ASSERT_TRUE(comes_true([&] { return may.poll().has_value(); }));
  if (may.poll() != 0) GTEST_SKIP() << "this machine lets nobody make PID namespaces";
  for (const std::string part : {"engine", "controller"}) {
    auto argv = first;
    argv.insert(argv.end(), {COVEY_EXECUTABLE, part, "--nats", "nats://127.0.0.1:1", "--wait-for-nats", "600"});
    process::ChildProcess unshare({argv, {}, (folder / part).string(), true});
    const auto child = [&] {
      pid_t pid = 0;
      std::ifstream(fmt::format("/proc/{0}/task/{0}/children", unshare.pid())) >> pid;
      return pid;
    };
    EXPECT_TRUE(comes_true([&] {
      if (const auto pid = child(); pid > 0) ::kill(pid, SIGTERM);
      return unshare.poll().has_value();
    })) << part;
    EXPECT_EQ(unshare.poll(), 128 + SIGTERM) << std::ifstream(folder / part).rdbuf();
  }
}

TEST_F(EndingsTest, AClusterReplacesItsEnginesAlsoWhenItsExecutableIsGone) {
  const auto copy = folder / "covey";
  std::filesystem::copy_file(COVEY_EXECUTABLE, copy);
  process::ChildProcess up({{copy.string(), "up", "-n", "1", "--no-http"}, {}, (folder / "said").string(), true});
  // Host and process of the only engine that is there; empty: there is none.
  const auto engine = [&]() -> std::string {
    const auto asked = run("status --json");
    if (asked.status != 0) return {};
    const auto status = json::parse(asked.output);
    const auto& list = status.at("engine_list").as_array();
    return list.size() == 1 ? std::string(list[0].at("name").as_string()) : std::string();
  };
  ASSERT_TRUE(comes_true([&] { return !engine().empty(); }));
  const auto first = engine();
  std::filesystem::remove(copy);
  ::kill(std::stoi(first.substr(first.rfind('/') + 1)), SIGKILL);
  EXPECT_TRUE(comes_true([&] { const auto now = engine(); return !now.empty() && now != first; }));
  EXPECT_EQ(up.stop(kPatience), 0);
}

}  // namespace
}  // namespace covey::integration

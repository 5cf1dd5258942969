// covey run as a person meets it: examples, exit statuses, and jobs that are killed and started again.
#include <fmt/format.h>
#include <signal.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <thread>

#include "common/process/child_process.hpp"
#include "tests/integration/cluster_fixture.hpp"

namespace covey::integration {
namespace {

namespace json = boost::json;

struct JobsTest : ClusterFixture {
  JobsTest() { std::filesystem::create_directories(folder / "home"); }

  std::string file(const std::string& name) const { return (folder / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream in(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  process::ChildProcess begin(std::vector<std::string> arguments) const {
    std::filesystem::remove(folder / "said");
    arguments.insert(arguments.begin(), {COVEY_EXECUTABLE, "run", "--out", folder.string()});
    if (cluster) arguments.insert(arguments.end(), {"--connect", file("client.json")});
    return process::ChildProcess({arguments, {"COVEY_HOME=" + file("home")}, file("said"), true});
  }
  static int end_of(process::ChildProcess& child) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!child.poll() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return child.poll().value_or(-1);
  }
  // The exit status; what it printed is in `said`.
  int run(const std::vector<std::string>& arguments) const {
    auto child = begin(arguments);
    return end_of(child);
  }
  std::string said() const { return read("said"); }
  void expect_says(const std::string& text) const {
    EXPECT_NE(said().find(text), std::string::npos) << "wanted: " << text << "\ngot: " << said();
  }
  // The whole records of an output, by index; each may be there but once.
  std::map<std::int64_t, json::object> records(const std::string& name) const {
    std::map<std::int64_t, json::object> found;
    const auto text = read(name);
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      auto record = json::parse(text.substr(at, end - at)).as_object();
      const auto index = record.at("index").as_int64();
      EXPECT_TRUE(found.emplace(index, std::move(record)).second) << "twice: " << index;
    }
    return found;
  }
  void wait_for_records(const std::string& name, std::ptrdiff_t count, process::ChildProcess& child) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      const auto text = read(name);
      if (std::count(text.begin(), text.end(), '\n') >= count) return;
      ASSERT_FALSE(child.poll()) << said();
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << said();
      std::this_thread::yield();
    }
  }
  static std::string example(const std::string& name) { return std::string(COVEY_JOBS_FOLDER "/") + name + ".yaml"; }
};

TEST_F(JobsTest, ItPrintsItsOutputsAndLeavesABriefForWhoeverStartedIt) {
  start(1);
  connect(1);
  write("job.yaml", "name: told\nsteps:\n  - {name: sums, map: {function: sum, inputs: {range: {to: 3}}, arguments: [\"${input}\", 10]}}\n");
  ASSERT_EQ(run({file("job.yaml"), "--print-outputs", "--brief", file("brief")}), 0) << said();
  expect_says("==> " + file("told-sums.ndjson") + " <==");
  for (const auto* value : {"\"value\":10}", "\"value\":11}", "\"value\":12}"}) expect_says(value);
  const auto brief = json::parse(read("brief"));
  EXPECT_EQ(brief.at("end"), "done");
  EXPECT_EQ(brief.at("ok"), 3);
  ASSERT_EQ(run({file("job.yaml"), "--brief", file("none/brief")}), 4) << said();
  expect_says("none/brief cannot be written");
}

// Every run notes itself in a file, so that the test sees what was run, and not only what was written.
TEST_F(JobsTest, AJobThatIsKilledAgainAndAgainWritesEachInputOnceAndRunsNothingTwiceThatWasWritten) {
  start(2, {"--allow-exec"});
  connect(2);
  constexpr std::int64_t kInputs = 400;
  write("job.yaml",
        fmt::format("name: j\nsteps:\n  - name: s\n    output: out.ndjson\n    concurrency: 8\n    map:\n"
                    "      function: exec\n      inputs: {{range: {{to: {}}}}}\n"
                    "      arguments: [{{argv: [sh, -c, 'echo $1 >> $2; echo $1', sh, \"${{input:text}}\", {}]}}]\n",
                    kInputs, file("runs")));
  std::set<std::int64_t> written;
  for (const std::ptrdiff_t count : {1, 40, 150, 300}) {
    auto child = begin({file("job.yaml")});
    wait_for_records("out.ndjson", count, child);
    child.signal(SIGKILL);
    ASSERT_EQ(end_of(child), 128 + SIGKILL);
    for (const auto& [index, record] : records("out.ndjson")) written.insert(index);
  }
  ASSERT_EQ(run({file("job.yaml"), "--json"}), 0) << said();
  const auto whole = records("out.ndjson");
  ASSERT_EQ(whole.size(), static_cast<std::size_t>(kInputs));
  for (const auto& [index, record] : whole) {
    EXPECT_EQ(record.at("input").as_int64(), index);
    EXPECT_EQ(record.at("value").at("stdout").as_string(), std::to_string(index) + "\n");
  }
  std::map<std::int64_t, int> runs;
  std::ifstream in(folder / "runs");
  for (std::int64_t index = 0; in >> index;) ++runs[index];
  EXPECT_EQ(runs.size(), static_cast<std::size_t>(kInputs));
  // A record that stands there ended its input: only what was under way at a kill may have run again.
  std::size_t again = 0;
  for (const auto& [index, count] : runs) again += count > 1 ? 1 : 0;
  EXPECT_LE(again, 4u * 8u);
  EXPECT_LT(again, written.size());
  // Once more: there is nothing to do.
  ASSERT_EQ(run({file("job.yaml")}), 0);
  expect_says("0 of 400 tasks to run; 400 done earlier");
}

TEST_F(JobsTest, CtrlCLeavesInGoodOrderAndTheNextRunGoesOn) {
  start(2);
  connect(2);
  write("job.yaml",
        "name: j\nsteps: [{name: s, output: out.ndjson, concurrency: 4, map: {function: sleep, inputs: {grid: {x: "
        "[0.02], i: "
        "{to: 200}}}, arguments: [\"${input.x}\"]}}]\n");
  auto child = begin({file("job.yaml"), "--json"});
  wait_for_records("out.ndjson", 10, child);
  child.signal(SIGINT);
  EXPECT_EQ(end_of(child), 130) << said();
  const auto before = records("out.ndjson").size();
  EXPECT_GE(before, 10u);
  EXPECT_LT(before, 200u);
  expect_says("\"end\":\"interrupted\"");
  EXPECT_EQ(run({file("job.yaml"), "--json", "--quiet"}), 0);
  const auto summary = json::parse(said());
  EXPECT_EQ(summary.at("steps").at(0).at("before").to_number<std::size_t>(), before);
  EXPECT_EQ(summary.at("steps").at(0).at("ok").to_number<std::size_t>(), 200u);
  EXPECT_EQ(records("out.ndjson").size(), 200u);
}

// The experiment waits for a step before it, so that the client and its threads are older than the experiment.
TEST_F(JobsTest, AnInterruptedBenchmarkLeavesNoTasksOnItsCluster) {
  start(2);
  const auto client = connect(2);
  write("job.yaml",
        "name: j\nsteps:\n  - {name: first, output: out.ndjson, map: {function: echo, inputs: {values: [1]}}}\n"
        "  - {name: slow, output: report, benchmark: {experiment: map, dt: [100s], ideal: 1000s, limits: false}}\n");
  auto child = begin({file("job.yaml"), "--json"});
  const auto unfinished = [&] {
    const auto status = json::parse(client->request(R"({"what":"status"})", kPatience).value());
    return status.at("tasks").at("unfinished").to_number<std::uint64_t>();
  };
  while (unfinished() == 0) ASSERT_FALSE(child.poll()) << said();
  child.signal(SIGINT);
  EXPECT_EQ(end_of(child), 130) << said();
  expect_says("\"end\":\"interrupted\"");
  EXPECT_EQ(unfinished(), 0u);
}

TEST_F(JobsTest, ExitStatusesSayHowAJobEnded) {
  start(1);
  connect(1);
  const auto status = [&](const std::string& step, const std::vector<std::string>& more = {}) {
    write("job.yaml", "name: j\nsteps: [{name: s, output: out.ndjson, " + step + "}]\n");
    std::vector<std::string> arguments{file("job.yaml"), "--restart"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  EXPECT_EQ(status("map: {function: echo, inputs: {values: [1, a]}}"), 0) << said();
  EXPECT_EQ(records("out.ndjson").at(1).at("value").as_string(), "a");
  EXPECT_EQ(status("map: {function: fail, inputs: {values: [oops]}}"), 1);
  expect_says("input 0 failed: oops");
  EXPECT_EQ(status("retriez: 1, map: {function: fail, inputs: {values: [oops]}}"), 2);
  expect_says("job.yaml:2:39: steps.s.retriez: unknown key; did you mean 'retries'?");
  EXPECT_EQ(status("map: {function: echo, inputs: {lines: nowhere.txt}}"), 2);
  expect_says("nowhere.txt: the inputs' file is not there");
  EXPECT_EQ(status("deadline: 200ms, map: {function: sleep, inputs: {values: [0, 600]}}"), 3);
  EXPECT_EQ(records("out.ndjson").size(), 1u);
  EXPECT_EQ(status("run_limit: 100ms, map: {function: sleep, inputs: {values: [600]}}"), 1);
  expect_says("timed_out");
  EXPECT_EQ(status("map: {function: echo, inputs: {values: [1]}}", {"--set", "steps.s.map.function=nosuch"}), 1);
  expect_says("unknown_function");
  EXPECT_EQ(run({file("nowhere.yaml")}), 2);
  EXPECT_EQ(run({file("job.yaml"), "--controller", "http://127.0.0.1:8080/"}), 2);
  expect_says("the NATS server is wanted, such as nats://127.0.0.1:4222");
  cluster.reset();
  EXPECT_EQ(run({file("job.yaml"), "--restart", "--nats", "nats://127.0.0.1:1"}), 4);
  EXPECT_EQ(run({file("job.yaml"), "--restart", "--controller", "nats://127.0.0.1:1"}), 4);
}

TEST_F(JobsTest, ATerminalSeesABarAndAFileOnlyLines) {
  start(1);
  connect(1);
  write("job.yaml", "name: j\nsteps: [{name: s, output: out.ndjson, map: {function: sleep, inputs: {grid: {x: [0.02], i: {to: 100}}}, arguments: [\"${input.x}\"]}}]\n");
  ASSERT_EQ(run({file("job.yaml")}), 0) << said();
  expect_says("100 tasks to run");
  EXPECT_EQ(said().find('\r'), std::string::npos) << said();
  const auto command = std::string(COVEY_EXECUTABLE " run ") + file("job.yaml") + " --restart --out " + folder.string() + " --connect " + file("client.json");
  process::ChildProcess child({{"script", "-qec", command, "/dev/null"}, {"COVEY_HOME=" + file("home"), "TERM=xterm"}, file("terminal"), true});
  ASSERT_EQ(end_of(child), 0) << read("terminal");
  const auto seen = read("terminal");
  EXPECT_TRUE(std::regex_search(seen, std::regex(R"(\rs? ?.*\[#+\.*\] \d+/100  \d+/s  \d+ s left)"))) << seen;
}

TEST_F(JobsTest, InputsFromFilesBecomeRecordsOfCsv) {
  start(2);
  connect(2);
  write("in.csv", "who,a,b\nx,1,2\n\"y, z\",3,4.5\n");
  write("job.yaml",
        "name: j\nsteps: [{name: s, output: out.csv, concurrency: 1, map: {function: sum, inputs: {csv: in.csv}, "
        "arguments: "
        "[\"${input.a}\", \"${input.b}\", \"${index}\"]}}]\n");
  EXPECT_EQ(run({file("job.yaml")}), 0) << said();
  EXPECT_EQ(read("out.csv"),
            "index,input.who,input.a,input.b,status,value,error\n0,x,1,2,ok,3,\n1,\"y, z\",3,4.5,ok,8.5,\n");
}

TEST_F(JobsTest, ADryRunShowsThePlanAndTouchesNothing) {
  EXPECT_EQ(run({example("sweep"), "--dry-run"}), 0);
  expect_says("map exec");
  expect_says("echo size=${SIZE}");
  EXPECT_EQ(run({example("pipeline"), "--dry-run", "--json"}), 0);
  EXPECT_EQ(json::parse(said()).at("steps").at(0).at("total").to_number<int>(), 4);
  EXPECT_FALSE(std::filesystem::exists(folder / "sweep.csv"));
}

TEST_F(JobsTest, TheMonteCarloExampleFindsPi) {
  ASSERT_EQ(run({example("pi"), "--local", "--set", "plugin=" PI_PATH, "--set", "tasks=20", "--set", "samples=100000"}),
            0)
      << said();
  double sum = 0;
  const auto found = records("pi.ndjson");
  for (const auto& [index, record] : found) sum += record.at("value").at("estimate").to_number<double>();
  ASSERT_EQ(found.size(), 20u);
  EXPECT_NEAR(sum / 20, 3.14159, 0.01);
}

TEST_F(JobsTest, TheOtherExamplesRun) {
  EXPECT_EQ(run({example("sweep"), "--local"}), 0) << said();
  const auto table = read("sweep.csv");
  EXPECT_NE(table.find("size=500 method=fast repeat=2"), std::string::npos) << table;
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 5 * 2 * 2 + 1);
  EXPECT_EQ(run({example("pipeline"), "--local"}), 0) << said();
  EXPECT_EQ(records("pipeline.ndjson").at(2).at("value").as_int64(), 3);
}

TEST_F(JobsTest, TheExperimentsAreJobsToo) {
  const struct {
    std::string name, setting;
  } cases[] = {{"latency", "n=[1, 64]"}, {"throughput", "bytes=[1000]"}, {"map", "dt=[4ms]"}};
  for (const auto& [name, setting] : cases) {
    std::vector<std::string> arguments{example(name), "--local", "--json", "--set", setting};
    if (name == "map") arguments.insert(arguments.end(), {"--set", "ideal=100ms"});
    if (name == "latency") arguments.insert(arguments.end(), {"--set", "steps.latency.benchmark.limits=false"});
    ASSERT_EQ(run(arguments), 0) << said();
    const auto results = json::parse(read("report-" + name + "/results.json"));
    std::set<std::string> experiments;
    for (const auto& row : results.at("rows").as_array()) experiments.emplace(row.at("experiment").as_string());
    EXPECT_TRUE(experiments.contains(name));
  }
}

TEST_F(JobsTest, APluginThatIsNotThereIsNamed) {
  EXPECT_EQ(run({example("pi"), "--local", "--set", "plugin=nowhere.so"}), 2);
  expect_says("nowhere.so: this plugin is not there");
  EXPECT_EQ(run({example("pipeline"), "--local", "--plugin", example("pi")}), 4);
  expect_says("an engine ended at its start");
}

}  // namespace
}  // namespace covey::integration

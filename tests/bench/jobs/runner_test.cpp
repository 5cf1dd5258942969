// The runner over a cluster that the test plays itself, in a time of the test's own.
#include "bench/jobs/runner.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "bench/jobs/parse.hpp"
#include "bench/jobs/problem.hpp"
#include "tests/bench/jobs/io_fixture.hpp"

namespace covey::jobs {
namespace {

struct FakeCluster {
  std::vector<std::string> begun;  // arguments, in the order of submission
  std::vector<std::uint64_t> indexes;
  std::set<std::uint64_t> failing;  // indexes of tasks that fail
  std::set<std::uint64_t> hanging;  // … that end only when they are cancelled
  std::size_t most_at_once = 0, cancels = 0;
  std::function<void()> before_wait = [] {};
};

class FakePort : public TaskPort {
 public:
  explicit FakePort(FakeCluster& cluster) : cluster_(cluster) {}
  void submit(const Work& work) override {
    cluster_.begun.push_back(work.arguments.substr(0, 100));
    cluster_.indexes.push_back(work.index);
    out_.push_back(work.index);
    cluster_.most_at_once = std::max(cluster_.most_at_once, out_.size());
  }
  // The oldest that does not hang ends.
  std::vector<Ended> wait(std::chrono::milliseconds) override {
    cluster_.before_wait();
    const auto found = std::find_if(out_.begin(), out_.end(),
                                    [&](auto index) { return cancelled_ || !cluster_.hanging.contains(index); });
    if (found == out_.end()) return {};
    const auto index = *found;
    out_.erase(found);
    if (cancelled_ && cluster_.hanging.contains(index)) return {{index, wire::TaskStatus::cancelled, {}, "cancelled"}};
    if (cluster_.failing.contains(index)) return {{index, wire::TaskStatus::failed, {}, "oops"}};
    return {{index, wire::TaskStatus::ok, "true", {}}};
  }
  void cancel_all() override {
    cancelled_ = true;
    ++cluster_.cancels;
  }

 private:
  FakeCluster& cluster_;
  std::deque<std::uint64_t> out_;
  bool cancelled_ = false;
};

struct RunnerTest : FolderFixture {
  JobReport run(const std::string& text, Resume resume = {}) {
    auto parsed = parse_job(text, "job.yaml");
    EXPECT_EQ(to_string(parsed.problems), "");
    job = std::move(*parsed.job);
    cluster.begun.clear();
    cluster.indexes.clear();
    Hooks hooks;
    hooks.connect = [this](const Step&) {
      if (unreachable) throw std::runtime_error("no cluster");
      return std::make_unique<FakePort>(cluster);
    };
    hooks.benchmark = [this](const BenchmarkWork&, const std::filesystem::path&) { return ++benchmarks > 0; };
    hooks.interrupted = [this] { return interrupted; };
    hooks.now = [this] { return now; };
    return run_job(job, {folder, folder}, resume, hooks);
  }
  std::string refusal(const std::string& text, Resume resume = {}) {
    try {
      run(text, resume);
    } catch (const BadJob& error) {
      return error.what();
    }
    return "not refused";
  }
  static std::string map_of(const std::string& to, const std::string& more = "") {
    return "name: j\nsteps:\n  - name: s\n    output: out.ndjson\n" + more +
           "    map: {function: f, inputs: {range: {to: " + to + "}}}\n";
  }
  std::size_t lines() const {
    const auto text = read("out.ndjson");
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  static void expect_in(const std::string& text, const std::string& wanted) {
    EXPECT_NE(text.find(wanted), std::string::npos) << "wanted: " << wanted << "\ngot: " << text;
  }

  Job job;
  FakeCluster cluster;
  bool interrupted = false, unreachable = false;
  int benchmarks = 0;
  Hooks::Clock::time_point now{std::chrono::hours(1)};
};

using Indexes = std::vector<std::uint64_t>;

TEST_F(RunnerTest, EachInputIsRunAndWrittenOnceAndNotAgainAfterwards) {
  auto report = run(map_of("100", "    concurrency: 7\n"));
  EXPECT_EQ(report.end, End::done);
  EXPECT_EQ(report.steps[0].ok, 100u);
  EXPECT_EQ(cluster.begun.size(), 100u);
  EXPECT_EQ(cluster.most_at_once, 7u);
  EXPECT_EQ(lines(), 100u);
  report = run(map_of("100"));
  EXPECT_EQ(report.end, End::done);
  EXPECT_EQ(report.steps[0].before, 100u);
  EXPECT_TRUE(cluster.begun.empty());
}

TEST_F(RunnerTest, LargeArgumentsHaveALimitOfTheirOwn) {
  const std::string large(8u << 20, 'x');
  const auto report =
      run("name: j\nsteps:\n  - name: s\n    output: out.ndjson\n    map: {function: f, inputs: {range: {to: 20}}, "
          "arguments: [" +
          large + "]}\n");
  EXPECT_EQ(report.steps[0].ok, 20u);
  EXPECT_EQ(cluster.most_at_once, 8u);
}

TEST_F(RunnerTest, WhatAKilledRunHasWrittenIsNotRunAgain) {
  run(map_of("10"));
  const auto whole = read("out.ndjson");
  for (std::size_t length = 0; length < whole.size(); length += 17) {
    write("out.ndjson", whole.substr(0, length));
    const auto left = 10 - std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length), '\n');
    EXPECT_EQ(run(map_of("10")).end, End::done);
    EXPECT_EQ(cluster.begun.size(), static_cast<std::size_t>(left));
    EXPECT_EQ(read("out.ndjson"), whole);
  }
}

TEST_F(RunnerTest, AFailureStopsAStepUnlessItsPolicySaysOtherwise) {
  cluster.failing = {3, 30};
  auto report = run(map_of("100", "    concurrency: 5\n"));
  EXPECT_EQ(report.end, End::failed);
  EXPECT_EQ(exit_status(report.end), 1);
  expect_in(report.steps[0].first_error, "input 3 failed: oops");
  EXPECT_LT(cluster.begun.size(), 20u);
  expect_in(report.steps[0].note, "--retry-failed");
  // It does not go on by itself …
  run(map_of("100"));
  EXPECT_TRUE(cluster.begun.empty());
  // … but under another policy, without running again what has failed.
  report = run(map_of("100", "    on_failure: continue\n"));
  EXPECT_EQ(report.end, End::failed);
  EXPECT_EQ(report.steps[0].failed, 2u);
  EXPECT_EQ(lines(), 100u);
  EXPECT_EQ(run(map_of("100", "    on_failure: 2%\n")).end, End::done);
  EXPECT_EQ(run(map_of("100", "    on_failure: 1%\n")).end, End::failed);
}

TEST_F(RunnerTest, FailedOnesAreRunAgainWhereThatIsAskedFor) {
  cluster.failing = {3};
  run(map_of("10", "    on_failure: continue\n"));
  cluster.failing.clear();
  EXPECT_EQ(run(map_of("10"), {.retry_failed = true}).end, End::done);
  EXPECT_EQ(cluster.indexes, Indexes{3});
  EXPECT_EQ(lines(), 10u);
  EXPECT_EQ(read("out.ndjson").find("oops"), std::string::npos);
}

TEST_F(RunnerTest, AnInterruptedRunKeepsWhatEndsAndGoesOnLater) {
  cluster.hanging = {2, 5};
  cluster.before_wait = [this, turns = 0]() mutable { interrupted = ++turns > 4; };
  auto report = run(map_of("10", "    concurrency: 6\n"));
  EXPECT_EQ(report.end, End::interrupted);
  EXPECT_EQ(exit_status(report.end), 130);
  EXPECT_EQ(cluster.cancels, 1u);
  const auto written = lines();
  EXPECT_EQ(report.steps[0].ok, written);
  EXPECT_EQ(read("out.ndjson").find("cancelled"), std::string::npos);
  interrupted = false;
  cluster.hanging.clear();
  cluster.before_wait = [] {};
  EXPECT_EQ(run(map_of("10")).end, End::done);
  EXPECT_EQ(cluster.begun.size(), 10 - written);
  EXPECT_EQ(lines(), 10u);
}

TEST_F(RunnerTest, APassedDeadlineEndsTheJob) {
  cluster.hanging = {2};
  cluster.before_wait = [this] { now += std::chrono::seconds(1); };
  const auto report =
      run(map_of("10", "    deadline: 30s\n") + "  - name: later\n    map: {function: f, inputs: {values: [1]}}\n");
  EXPECT_EQ(exit_status(report.end), 3);
  EXPECT_EQ(report.steps[0].ok, 9u);
  EXPECT_FALSE(report.steps[1].began);
}

TEST_F(RunnerTest, AChangedJobIsRefusedWithWhatHasChanged) {
  run(map_of("10"));
  expect_in(refusal(map_of("11")), "its inputs changed; begin anew with --restart");
  expect_in(refusal("name: j\nsteps: [{name: s, output: out.ndjson, map: {function: g, inputs: {range: {to: 10}}}}]\n"),
            "its function changed");
  expect_in(refusal("name: j\nsteps: [{name: s, output: out.ndjson, tasks: [{name: a, function: f}]}]\n"),
            "a map then, a tasks now");
  EXPECT_EQ(lines(), 10u);
  // What says how tasks run may change.
  EXPECT_EQ(run(map_of("10", "    retries: 3\n    concurrency: 1\n")).end, End::done);
  EXPECT_EQ(run(map_of("11"), {.restart = true}).steps[0].ok, 11u);
  EXPECT_EQ(lines(), 11u);
}

TEST_F(RunnerTest, WhereThereIsNoClusterNothingIsThrownAway) {
  run(map_of("10"));
  const auto whole = read("out.ndjson");
  unreachable = true;
  EXPECT_THROW(run(map_of("10"), {.restart = true}), std::runtime_error);
  EXPECT_EQ(read("out.ndjson"), whole);
  // What is done needs no cluster.
  EXPECT_EQ(run(map_of("10")).end, End::done);
}

TEST_F(RunnerTest, AFileThatShrinksWhileTheJobRunsIsNamed) {
  cluster.before_wait = [this] { write("in.txt", "1\n"); };
  std::string many;  // more than a reader holds in its buffer
  for (int i = 0; i < 100'000; ++i) many += "line\n";
  write("in.txt", many);
  expect_in(refusal("name: j\nsteps: [{name: s, output: out.ndjson, concurrency: 2, map: {function: f, inputs: {lines: "
                    "in.txt}}}]\n"),
            "became shorter while the job ran");
}

TEST_F(RunnerTest, AFileOfSomebodyElseIsNotOverwritten) {
  write("out.ndjson", "precious\n");
  expect_in(refusal(map_of("10")), "is there already, without a checkpoint");
  EXPECT_EQ(read("out.ndjson"), "precious\n");
  write("out.ndjson.checkpoint", "{}");
  expect_in(refusal(map_of("10")), "not a checkpoint");
}

TEST_F(RunnerTest, AnInputIsNotOverwritten) {
  write("out.ndjson", "1\n");
  expect_in(
      refusal("name: j\nsteps: [{name: s, output: out.ndjson, map: {function: f, inputs: {lines: ./out.ndjson}}}]\n",
              {.restart = true}),
      "step 's': ");
  EXPECT_EQ(read("out.ndjson"), "1\n");
}

TEST_F(RunnerTest, TwoRunsDoNotWriteTheSameOutput) {
  const Journal other(folder / "out.ndjson");
  expect_in(refusal(map_of("10")), "another `covey run` is writing it");
}

TEST_F(RunnerTest, AGraphRunsInItsOrderAndGoesOnWhereItWas) {
  const auto graph = [](const std::string& more) {
    return "name: j\nsteps:\n  - name: s\n    output: out.ndjson\n" + more +
           "    tasks:\n      - {name: a, function: f, after: [b, c]}\n      - {name: b, function: f, arguments: [1]}\n"
           "      - {name: c, function: f, after: b}\n      - {name: d, function: f, after: a}\n";
  };
  EXPECT_EQ(run(graph("")).end, End::done);
  EXPECT_EQ(cluster.indexes, (Indexes{1, 2, 0, 3}));
  const auto whole = read("out.ndjson");
  const auto first_two = whole.find("{\"index\":0");
  write("out.ndjson", whole.substr(0, first_two));
  EXPECT_EQ(run(graph("")).end, End::done);
  EXPECT_EQ(cluster.indexes, (Indexes{0, 3}));
  cluster.failing = {2};
  const auto report = run(graph("    on_failure: continue\n"), {.restart = true});
  EXPECT_EQ(report.end, End::failed);
  EXPECT_EQ(cluster.indexes, (Indexes{1, 2}));
  EXPECT_EQ(report.steps[0].failed, 3u);
  EXPECT_EQ(lines(), 4u);
  expect_in(read("out.ndjson"),
            "\"task\":\"d\",\"status\":\"dependency_failed\",\"error\":\"it comes after a, which did not succeed\"");
}

TEST_F(RunnerTest, AFinishedBenchmarkIsNotRunAgain) {
  const std::string text = "name: j\nsteps: [{name: b, benchmark: {experiment: map}}]\n";
  EXPECT_EQ(run(text).end, End::done);
  EXPECT_EQ(run(text).end, End::done);
  EXPECT_EQ(benchmarks, 1);
  EXPECT_EQ(run(text, {.restart = true}).end, End::done);
  EXPECT_EQ(benchmarks, 2);
}

TEST_F(RunnerTest, ABadInputIsFoundBeforeAnythingRuns) {
  write("in.ndjson", "1\n}\n");
  expect_in(refusal(map_of("10") + "  - {name: t, map: {function: f, inputs: {ndjson: in.ndjson}}}\n"), "in.ndjson:2");
  EXPECT_TRUE(cluster.begun.empty());
  EXPECT_FALSE(std::filesystem::exists(folder / "out.ndjson"));
}

}  // namespace
}  // namespace covey::jobs

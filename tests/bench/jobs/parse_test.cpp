// Job files: what is read, and that mistakes are named by file, line, column and key, and with what would be right.
#include "bench/jobs/parse.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace covey::jobs {
namespace {

Job read(const std::string& text, const std::vector<std::string>& settings = {}) {
  auto parsed = parse_job(text, "job.yaml", settings);
  EXPECT_EQ(to_string(parsed.problems), "");
  return parsed.job ? std::move(*parsed.job) : Job();
}

std::string mistakes(const std::string& text, const std::vector<std::string>& settings = {}) {
  const auto parsed = parse_job(text, "job.yaml", settings);
  EXPECT_NE(parsed.job.has_value(), !parsed.problems.empty());
  return to_string(parsed.problems);
}

// A job with one map, the given lines of which stand in the step.
std::string with_step(const std::string& lines) { return "name: j\nsteps:\n  - name: s\n" + lines; }
const std::string kMap = "    map: {function: echo, inputs: {range: {to: 3}}}\n";

TEST(ParseTest, AStepHasDefaultsThatAJobAndAStepMayChange) {
  const auto job = read(
      "name: j\ndefaults: {retries: 2, run_limit: 30s, on_failure: continue}\nsteps:\n"
      "  - map: {function: echo, inputs: {values: [1]}}\n"
      "  - name: two\n    retries: 5\n    concurrency: 7\n    on_failure: 2.5%\n    deadline: 1.5h\n"
      "    labels: {gpu: a100, zone: 1}\n    output: x.csv\n    map: {function: echo, inputs: {values: [1]}}\n");
  ASSERT_EQ(job.steps.size(), 2u);
  const Step &one = job.steps[0], &two = job.steps[1];
  EXPECT_EQ(one.name, "0");
  EXPECT_EQ(one.output.file, "j-0.ndjson");
  EXPECT_EQ(one.task_policy.retries, 2u);
  EXPECT_EQ(one.task_policy.run_limit, std::chrono::seconds(30));
  EXPECT_EQ(one.policy.on_failure.kind, FailurePolicy::Kind::carry_on);
  EXPECT_EQ(two.task_policy.retries, 5u);
  EXPECT_EQ(two.task_policy.run_limit, std::chrono::seconds(30));
  EXPECT_EQ(two.task_policy.labels, (std::vector<std::string>{"gpu=a100", "zone=1"}));
  EXPECT_EQ(two.policy.concurrency, 7u);
  EXPECT_EQ(two.policy.deadline, std::chrono::minutes(90));
  EXPECT_EQ(two.policy.on_failure.most(1000), 25u);
  EXPECT_EQ(two.output.format, Format::csv);
}

TEST(ParseTest, MistakesAreNamedByPlaceAndKeyAndSayWhatWouldBeRight) {
  const struct {
    std::string text, wanted;
  } cases[] = {
      {with_step("    retries: many\n" + kMap),
       "job.yaml:4:14: steps.s.retries: must be a whole number from 0 to 1000, got 'many'"},
      {with_step("    retries: \"3\"\n" + kMap),
       "job.yaml:4:14: steps.s.retries: must be a whole number from 0 to 1000, got '3'"},
      {with_step("    retriez: 3\n" + kMap),
       "job.yaml:4:5: steps.s.retriez: unknown key; did you mean 'retries'? there are name, map,"},
      {with_step("    run_limit: 5 days\n" + kMap),
       "job.yaml:4:16: steps.s.run_limit: must be a duration such as 500ms, 30s, 10m or 2h, got '5 days'"},
      {with_step("    on_failure: ignore\n" + kMap),
       "job.yaml:4:17: steps.s.on_failure: must be stop, continue, or the share"},
      {with_step("    on_failure: 101%\n" + kMap), "job.yaml:4:17: steps.s.on_failure: "},
      {with_step("    labels: [gpu]\n" + kMap),
       "job.yaml:4:13: steps.s.labels: must be a map of what an engine must have, such as {gpu: a100}, got a list"},
      {with_step("    output: result\n" + kMap),
       "job.yaml:4:13: steps.s.output: 'result' must end in .ndjson, .jsonl or .csv"},
      {with_step("    output: {file: x, format: xml}\n" + kMap),
       "job.yaml:4:31: steps.s.output.format: must be one of ndjson, csv, got 'xml'"},
      {with_step("    concurrency: 0\n" + kMap),
       "job.yaml:4:18: steps.s.concurrency: must be a whole number from 1 to 65536, got '0'"},
      {with_step("    map: {function: echo}\n"),
       "job.yaml:4:10: steps.s.map: 'inputs' is missing: what to run the function on"},
      {with_step("    map: {function: echo, inputs: {range: {to: 3}, lines: x}}\n"),
       "job.yaml:4:35: steps.s.map.inputs: must have exactly one of values, range"},
      {with_step("    map: {function: echo, inputs: {range: {to: 3, step: 0}}}\n"),
       "steps.s.map.inputs.range: 'step' must not be 0"},
      {with_step("    map: {function: echo, inputs: {range: {to: 9000000000000}}}\n"),
       "9000000000000 inputs; there may be 1000000000"},
      {with_step("    map: {function: echo, inputs: {grid: {a: []}}}\n"),
       "steps.s.map.inputs.grid.a: must be a list of values, got an empty one"},
      {with_step("    map: {function: echo, inputs: {values: [1]}, arguments: 5}\n"),
       "job.yaml:4:61: steps.s.map.arguments: must be a list of arguments"},
      {with_step("    map: {function: echo, inputs: {csv: {file: x, delimiter: ab}}}\n"),
       "steps.s.map.inputs.csv.delimiter: must be one character"},
      {with_step("    retries: 1\n"), "job.yaml:3:5: steps.s: must have exactly one of map, tasks and benchmark"},
      {with_step("    tasks: [{name: a, function: echo, after: b}]\n"),
       "job.yaml:4:46: steps.s.tasks.a.after: there is no task 'b'"},
      {with_step("    tasks: [{name: a, function: echo, after: [b]}, {name: b, function: echo, after: a}]\n"),
       "its `after` leads back to itself: a → b → a"},
      {with_step("    tasks: [{name: a, function: echo}, {name: a, function: echo}]\n"),
       "job.yaml:4:40: steps.s.tasks.a: there is another task of this name"},
      {with_step("    tasks: [{name: a, function: echo, arguments: [\"${input}\"]}]\n"),
       "steps.s.tasks.a.arguments: ${input} and ${index} have a meaning only in the arguments of a map"},
      {with_step("    benchmark: {experiment: speed}\n"),
       "job.yaml:4:29: steps.s.benchmark.experiment: must be one of latency, throughput, map, exec, all, got 'speed'"},
      {with_step("    benchmark: {experiment: map, dt: [fast]}\n"), "steps.s.benchmark.dt.0: must be a duration"},
      {"steps: []\nname: x\n",
       "job.yaml:1:8: steps: must be a list of steps, each with map, tasks or benchmark, got an empty one"},
      {"name: x\n", "job.yaml:1:1: 'steps' is missing: a list of what to do"},
      {"name: a b\nsteps: [{map: {function: echo, inputs: {values: [1]}}}]\n",
       "job.yaml:1:7: name: must be a name of up to 100 letters"},
      {"- 1\n", "job.yaml:1:1: must be a map with the keys name, parameters"},
      {"", "job.yaml: the file is empty"},
      {"name: [\n", "job.yaml:2:1: not YAML: "},
      {"name: a\nname: b\n", "job.yaml:2:1: name: this key stands here twice; the first is at line 1"},
      {"name: a\n---\nname: b\n", "a file holds one job"},
      {with_step("    output: a.csv\n" + kMap) + "  - output: ./x/../a.csv\n" + kMap,
       "job.yaml:6:5: steps.1: './x/../a.csv' is another step's output already"},
      {with_step(kMap) + "  - name: s\n" + kMap, "job.yaml:5:5: steps.s: there is another step 's': names must differ"},
  };
  for (const auto& [text, wanted] : cases) {
    EXPECT_NE(mistakes(text).find(wanted), std::string::npos)
        << "in:\n"
        << text << "wanted: " << wanted << "\ngot: " << mistakes(text);
  }
}

TEST(ParseTest, SeveralMistakesAreToldAtOnce) {
  const auto text =
      mistakes(with_step("    retries: -1\n    concurrency: x\n    map: {function: \"\", inputs: {values: []}}\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(ParseTest, InputsOfEveryKindAreRead) {
  const auto inputs = [&](const std::string& text) {
    return std::get<MapWork>(read(with_step("    map: {function: echo, inputs: {" + text + "}}\n")).steps.at(0).work)
        .inputs;
  };
  EXPECT_EQ(std::get<Values>(inputs("values: [1, a, \"2\", null, [x], {y: true}, 0x10, 1.0]")).json,
            (std::vector<std::string>{"1", "\"a\"", "\"2\"", "null", "[\"x\"]", "{\"y\":true}", "\"0x10\"", "1.0"}));
  const auto range = std::get<Range>(inputs("range: {from: 10, to: 0, step: -3}"));
  EXPECT_EQ(range.count(), 4u);
  EXPECT_EQ(range.at(3), 1);
  const auto grid = std::get<Grid>(inputs("grid: {a: [1, x], b: {to: 3}}"));
  ASSERT_EQ(grid.axes.size(), 2u);
  EXPECT_EQ(grid.axes[0].at(1), "\"x\"");
  EXPECT_EQ(grid.axes[1].size(), 3u);
  EXPECT_EQ(std::get<Lines>(inputs("lines: a.txt")).file, "a.txt");
  EXPECT_EQ(std::get<Ndjson>(inputs("ndjson: a.ndjson")).file, "a.ndjson");
  EXPECT_EQ(std::get<Csv>(inputs("csv: a.csv")).file, "a.csv");
  EXPECT_EQ(std::get<Csv>(inputs("csv: {file: a.csv, delimiter: \"\\t\", header: false}")).delimiter, '\t');
}

TEST(ParseTest, RangesAsWideAsTheirTypeAreCounted) {
  const auto lowest = std::numeric_limits<std::int64_t>::min(), highest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ((Range{lowest, highest, 1}.count()), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ((Range{lowest, highest, highest}.count()), 3u);
  EXPECT_EQ((Range{highest, lowest, lowest}.count()), 2u);
  EXPECT_EQ((Range{5, 5, 1}.count()), 0u);
  EXPECT_EQ((Range{0, 10, 3}.count()), 4u);
}

// ---- parameters and --set ----

const std::string kParametric =
    "name: j\nparameters: {n: 4, who: world, list: [1, 2], script: 'echo ${HOME}'}\nsteps:\n  - name: s\n    retries: "
    "1\n"
    "    map:\n      function: exec\n      inputs: {range: {to: \"${n}\"}}\n"
    "      arguments: [\"hello ${who}\", \"${list}\", \"${n}\", \"${n:text}\", \"${input:text}\", \"${script}\", \"x "
    "${script}\"]\n";

std::string arguments(const Job& job) {
  std::string out;
  EXPECT_TRUE(std::get<MapWork>(job.steps.at(0).work).arguments.fill({0, "9", {}}, out));
  return out;
}

TEST(ParseTest, ParametersAreFilledInWithTheirTypesAndAsTheyAre) {
  const auto job = read(kParametric);
  EXPECT_EQ(std::get<Range>(std::get<MapWork>(job.steps[0].work).inputs).to, 4);
  EXPECT_EQ(arguments(job), "[\"hello world\",[1,2],4,\"4\",\"9\",\"echo ${HOME}\",\"x echo ${HOME}\"]");
}

TEST(ParseTest, SetReplacesADeclaredParameterOrAValueByItsPath) {
  const auto job =
      read(kParametric, {"n=2", "who=all of you", "steps.s.retries=7", "steps.0.concurrency=3", "name=other"});
  EXPECT_EQ(std::get<Range>(std::get<MapWork>(job.steps[0].work).inputs).to, 2);
  EXPECT_EQ(arguments(job), "[\"hello all of you\",[1,2],2,\"2\",\"9\",\"echo ${HOME}\",\"x echo ${HOME}\"]");
  EXPECT_EQ(job.steps[0].task_policy.retries, 7u);
  EXPECT_EQ(job.steps[0].policy.concurrency, 3u);
  EXPECT_EQ(job.name, "other");
  EXPECT_EQ(std::get<Values>(
                std::get<MapWork>(read(kParametric, {"steps.s.map.inputs={values: [1, 2]}"}).steps[0].work).inputs)
                .json.size(),
            2u);
}

TEST(ParseTest, MistakesOfSetAndOfReferencesAreNamed) {
  const struct {
    std::vector<std::string> settings;
    std::string wanted;
  } cases[] = {
      {{"m=2"}, "--set m=2: the job declares no parameter 'm' (it declares: n, who, list, script)"},
      {{"n"}, "--set n: must be key=value"},
      {{"n=[1"}, "--set n=[1: not YAML"},
      {{"n=many"}, "--set n=many: steps.s.map.inputs.range.to: must be a whole number, at least"},
      {{"steps.t.retries=2"}, "--set steps.t.retries=2: there is no 't': the list has 1 elements"},
      {{"steps.s.retriez=2"}, "--set steps.s.retriez=2: steps.s.retriez: unknown key; did you mean 'retries'?"},
      {{"steps.s.maps.function=x"}, "there is no 'maps' here; there is name, retries, map"},
      {{"name.x=2"}, "'x' cannot be set within 'j'"},
      {{"steps.s.map.function=${nobody}"},
       "--set steps.s.map.function=${nobody}: steps.s.map.function: no parameter 'nobody' is declared"},
      {{"steps.s.map.function=${input}"}, "${input} has a meaning only in the arguments of a map"},
      {{"steps.s.map.function=a${n"}, "a reference begins with ${ and ends with }"},
      {{"steps.s.map.function=a${list}"}, "${list} is a list and cannot be part of a text"},
  };
  for (const auto& [settings, wanted] : cases) {
    const auto got = mistakes(kParametric, settings);
    EXPECT_NE(got.find(wanted), std::string::npos) << "wanted: " << wanted << "\ngot: " << got;
  }
}

TEST(ParseTest, ASmallTextCannotBecomeAHugeJob) {
  std::string bomb = "name: j\nparameters:\n  a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += fmt::format("  a{}: &a{} [*a{}, *a{}, *a{}, *a{}, *a{}, *a{}, *a{}, *a{}]\n", i, i, i - 1, i - 1, i - 1,
                        i - 1, i - 1, i - 1, i - 1, i - 1);
  }
  EXPECT_NE(mistakes(bomb).find("more than 500000 values"), std::string::npos);
  std::string many = "name: j\nparameters: {p: [" + std::string(200'000, '1') + "]}\nsteps: [";
  for (int i = 0; i < 200; ++i) many += "\"${p}\", ";
  EXPECT_FALSE(mistakes(many + "1]\n").empty());
  EXPECT_NE(mistakes("name: " + std::string(100, '[')).find("job.yaml:1:"), std::string::npos);
}

TEST(ParseTest, AnAliasStandsForItsAnchor) {
  const auto job = read(
      "name: j\nsteps:\n  - &first\n    name: a\n    map: &m {function: echo, inputs: {values: [1, 2]}}\n  - {name: b, "
      "map: *m}\n");
  EXPECT_EQ(std::get<Values>(std::get<MapWork>(job.steps.at(1).work).inputs).json.size(), 2u);
}

}  // namespace
}  // namespace covey::jobs

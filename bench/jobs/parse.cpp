#include "bench/jobs/parse.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "bench/jobs/parse_parts.hpp"
#include "bench/jobs/settings.hpp"

namespace covey::jobs {

namespace {

constexpr std::size_t kMostProblems = 50;  // told at a time

using Keys = std::vector<std::string_view>;

Keys together(Keys first, const Keys& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

const Keys kTaskPolicy{"retries", "retry_delay", "timeout", "run_limit", "max_attempts", "priority", "labels"};
const Keys kStepPolicy{"concurrency", "on_failure", "deadline"};

const std::vector<KnownKeys> kKnown{
    {"job", {"name", "parameters", "cluster", "defaults", "steps"}},
    {"cluster", {"engines", "slots", "plugins", "allow_exec"}},
    {"defaults", together(kStepPolicy, kTaskPolicy)},
    {"step", together(together({"name", "map", "tasks", "benchmark", "output"}, kStepPolicy), kTaskPolicy)},
    {"map", {"function", "inputs", "arguments"}},
    {"inputs", {"values", "range", "grid", "lines", "ndjson", "csv"}},
    {"range", {"from", "to", "step"}},
    {"csv", {"file", "delimiter", "header"}},
    {"task", together({"name", "function", "arguments", "after"}, kTaskPolicy)},
    {"benchmark",
     {"experiment", "engines", "n", "bytes", "dt", "ideal", "schemes", "transports", "quick", "full", "limits"}},
    {"output", {"file", "format"}},
};

void parse_labels(const Field& field, std::vector<std::string>& labels) {
  if (!field.node().is_map()) return field.wanted("a map of what an engine must have, such as {gpu: a100}");
  labels.clear();
  for (const auto& [name, mark, value] : field.node().members) {
    if (value.is_scalar() && !name.empty() && name.find('=') == std::string::npos) {
      labels.push_back(name + "=" + value.text);
    } else {
      field.problems().push_back(
          {mark, field.key() + "." + name, "must be a name without '=' and a text, such as gpu: a100"});
    }
  }
}

FailurePolicy parse_failure_policy(const Field& field) {
  const auto& text = field.node().text;
  if (text == "stop") return {};
  if (text == "continue") return {FailurePolicy::Kind::carry_on};
  if (field.node().is_scalar() && text.ends_with('%')) {
    const Node number{Node::Kind::scalar, field.node().mark, text.substr(0, text.size() - 1), false, {}, {}};
    std::vector<Problem> ignored;
    const auto percent = Field(number, "", ignored).number(0, 100);
    if (percent) return {FailurePolicy::Kind::share, *percent};
  }
  field.wanted("stop, continue, or the share of failures that is allowed, such as 5%");
  return {};
}

Output parse_output(const std::optional<Field>& field, const std::string& default_name, bool is_folder) {
  Output output{default_name + (is_folder ? "" : ".ndjson"), Format::ndjson};
  if (!field) return output;
  const auto what = is_folder ? "the name of a folder" : "the name of a file, such as results.ndjson or results.csv";
  std::optional<Field> file = field, format;
  if (field->node().is_map()) {
    if (!field->is_map(keys_of("output"))) return output;
    file = field->required("file", what);
    format = field->find("format");
  }
  if (!file) return output;
  if (const auto text = file->text(what)) output.file = *text;
  if (is_folder) {
    if (format) format->wrong("a benchmark's output is a folder, which has no format");
    return output;
  }
  const bool is_csv = output.file.ends_with(".csv");
  output.format = is_csv ? Format::csv : Format::ndjson;
  if (format) {
    if (const auto word = format->one_of({"ndjson", "csv"}))
      output.format = *word == "csv" ? Format::csv : Format::ndjson;
  } else if (!is_csv && !output.file.ends_with(".ndjson") && !output.file.ends_with(".jsonl")) {
    file->wrong(
        fmt::format("'{}' must end in .ndjson, .jsonl or .csv, or be {{file: …, format: ndjson or csv}}", output.file));
  }
  return output;
}

LocalSpec parse_cluster(const Field& field) {
  LocalSpec spec;
  if (!field.is_map(keys_of("cluster"))) return spec;
  if (const auto engines = field.find("engines"))
    spec.engines = static_cast<std::uint64_t>(engines->whole(1, 1024).value_or(4));
  if (const auto slots = field.find("slots"))
    spec.slots = static_cast<std::uint64_t>(slots->whole(1, 4096).value_or(1));
  if (const auto allow = field.find("allow_exec")) spec.allow_exec = allow->flag().value_or(false);
  const auto plugins = field.find("plugins");
  if (plugins && plugins->is_list("shared libraries")) {
    for (const auto& plugin : plugins->items()) {
      if (auto file = plugin.text("the file of a shared library")) spec.plugins.push_back(std::move(*file));
    }
  }
  return spec;
}

void parse_parameters(const Field& field) {
  if (!field.node().is_map()) return field.wanted("a map of names and their values, such as {n: 100}");
  for (const auto& [name, mark, value] : field.node().members) {
    const bool plain = !name.empty() && name.find_first_of(".${}") == std::string::npos;
    if (!plain || is_input_reference(name)) {
      field.problems().push_back(
          {mark, field.key() + "." + name, "a parameter's name has none of . $ { } and is neither input nor index"});
    }
  }
}

struct Defaults {
  TaskPolicy task;
  StepPolicy step;
};

Step parse_step(const Field& field, std::size_t number, const std::string& job, Defaults defaults) {
  Step step;
  step.name = std::to_string(number);
  if (!field.is_map(keys_of("step"))) return step;
  if (const auto name = field.find("name")) step.name = name->word().value_or(step.name);
  parse_task_policy(field, defaults.task);
  parse_step_policy(field, defaults.step);
  step.task_policy = std::move(defaults.task);
  step.policy = defaults.step;
  const auto map = field.find("map"), tasks = field.find("tasks"), benchmark = field.find("benchmark");
  if ((map ? 1 : 0) + (tasks ? 1 : 0) + (benchmark ? 1 : 0) != 1) {
    field.wrong("must have exactly one of map, tasks and benchmark");
  } else if (map) {
    step.work = parse_map(*map);
  } else if (tasks) {
    step.work = parse_tasks(*tasks, step.task_policy);
  } else {
    step.work = parse_benchmark(*benchmark);
  }
  step.output = parse_output(field.find("output"), job + "-" + step.name, benchmark.has_value());
  return step;
}

void parse_steps(const Field& field, const Defaults& defaults, Job& job) {
  if (!field.is_list("steps, each with map, tasks or benchmark")) return;
  std::set<std::string> names, files;
  for (const auto& item : field.items()) {
    job.steps.push_back(parse_step(item, job.steps.size(), job.name, defaults));
    const Step& step = job.steps.back();
    if (!names.insert(step.name).second)
      item.wrong(fmt::format("there is another step '{}': names must differ", step.name));
    if (!files.insert(std::filesystem::path(step.output.file).lexically_normal()).second)
      item.wrong(fmt::format("'{}' is another step's output already", step.output.file));
  }
}

Job read_job(const Field& field) {
  Job job;
  if (!field.is_map(keys_of("job"))) return job;
  if (const auto name = field.required("name", "what the job is called")) job.name = name->word().value_or("job");
  if (const auto parameters = field.find("parameters")) parse_parameters(*parameters);
  if (const auto cluster = field.find("cluster")) job.cluster = parse_cluster(*cluster);
  Defaults defaults;
  if (const auto map = field.find("defaults"); map && map->is_map(keys_of("defaults"))) {
    parse_task_policy(*map, defaults.task);
    parse_step_policy(*map, defaults.step);
  }
  if (const auto steps = field.required("steps", "a list of what to do")) parse_steps(*steps, defaults, job);
  return job;
}

}  // namespace

const KnownKeys& keys_of(std::string_view object) {
  return *std::find_if(kKnown.begin(), kKnown.end(), [&](const KnownKeys& known) { return known.object == object; });
}

std::span<const KnownKeys> known_keys() { return kKnown; }

void parse_task_policy(const Field& map, TaskPolicy& policy) {
  if (const auto field = map.find("retries"))
    policy.retries = static_cast<std::uint32_t>(field->whole(0, 1000).value_or(0));
  if (const auto field = map.find("max_attempts"))
    policy.max_attempts = static_cast<std::uint32_t>(field->whole(1, 1000).value_or(3));
  if (const auto field = map.find("priority"))
    policy.priority = static_cast<int>(field->whole(-1'000'000, 1'000'000).value_or(0));
  if (const auto field = map.find("retry_delay")) policy.retry_delay = field->duration().value_or(Milliseconds(0));
  if (const auto field = map.find("timeout")) policy.timeout = field->duration().value_or(Milliseconds(0));
  if (const auto field = map.find("run_limit")) policy.run_limit = field->duration().value_or(Milliseconds(0));
  if (const auto field = map.find("labels")) parse_labels(*field, policy.labels);
}

void parse_step_policy(const Field& map, StepPolicy& policy) {
  if (const auto field = map.find("concurrency")) {
    policy.concurrency = static_cast<std::uint64_t>(field->whole(1, kMostConcurrency).value_or(kDefaultConcurrency));
  }
  if (const auto field = map.find("on_failure")) policy.on_failure = parse_failure_policy(*field);
  if (const auto field = map.find("deadline")) policy.deadline = field->duration().value_or(Milliseconds(0));
}

Parsed parse_job(std::string_view text, const std::string& source, const std::vector<std::string>& settings) {
  Parsed parsed;
  auto read = read_document(text, source);
  if (auto* problem = std::get_if<Problem>(&read)) {
    parsed.problems.push_back(std::move(*problem));
    return parsed;
  }
  auto& document = std::get<Node>(read);
  apply_settings(document, settings, parsed.problems);
  if (parsed.problems.empty()) replace_parameters(document, parsed.problems);
  if (parsed.problems.empty()) {
    Job job = read_job(Field(document, "", parsed.problems));
    if (parsed.problems.empty()) parsed.job = std::move(job);
  }
  if (parsed.problems.size() > kMostProblems) parsed.problems.resize(kMostProblems);
  return parsed;
}

}  // namespace covey::jobs

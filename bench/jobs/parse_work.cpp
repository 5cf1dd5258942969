#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unordered_map>

#include "bench/jobs/graph.hpp"
#include "bench/jobs/parse_parts.hpp"

namespace covey::jobs {

namespace {

constexpr auto kLowest = std::numeric_limits<std::int64_t>::min();
constexpr auto kHighest = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kMostInputs = 1'000'000'000;

Values parse_values(const Field& field) {
  Values values;
  if (!field.is_list("values")) return values;
  for (const auto& item : field.node().items) values.json.push_back(to_json(item));
  return values;
}

Range parse_range(const Field& field) {
  Range range;
  if (!field.is_map(keys_of("range"))) return range;
  if (const auto from = field.find("from")) range.from = from->whole(kLowest, kHighest).value_or(0);
  if (const auto step = field.find("step")) range.step = step->whole(kLowest, kHighest).value_or(1);
  const auto to = field.required("to", "where the range ends, without that number itself");
  if (to) range.to = to->whole(kLowest, kHighest).value_or(0);
  if (range.step == 0) {
    field.wrong("'step' must not be 0");
    range.step = 1;
  }
  if (range.count() > kMostInputs) field.wrong(fmt::format("{} inputs; there may be {}", range.count(), kMostInputs));
  return range;
}

Grid parse_grid(const Field& field) {
  Grid grid;
  if (!field.node().is_map() || field.node().members.empty()) {
    field.wanted("a map of parameters and their values, such as {size: [1, 2], mode: [fast, slow]}");
    return grid;
  }
  std::uint64_t total = 1;
  for (const auto& [name, mark, node] : field.node().members) {
    const Field axis(node, field.key() + "." + name, field.problems());
    if (node.is_map()) {
      grid.axes.push_back({name, parse_range(axis)});
    } else {
      grid.axes.push_back({name, parse_values(axis)});
    }
    const auto size = grid.axes.back().size();
    if (__builtin_mul_overflow(total, size, &total) || total > kMostInputs) {
      field.wrong(fmt::format("more than {} combinations", kMostInputs));
      return grid;
    }
  }
  return grid;
}

std::string parse_file(const Field& field) { return field.text("the name of a file").value_or(""); }

Csv parse_csv(const Field& field) {
  Csv csv;
  if (field.node().is_scalar()) {
    csv.file = parse_file(field);
    return csv;
  }
  if (!field.is_map(keys_of("csv"))) return csv;
  if (const auto file = field.required("file", "the file's name")) csv.file = parse_file(*file);
  if (const auto header = field.find("header")) csv.header = header->flag().value_or(true);
  if (const auto delimiter = field.find("delimiter")) {
    const auto& text = delimiter->node().text;
    if (text.size() != 1 || text == "\"" || text == "\n" || text == "\r") {
      delimiter->wanted("one character, such as \",\" or \"\\t\"");
    } else {
      csv.delimiter = text[0];
    }
  }
  return csv;
}

}  // namespace

Inputs parse_inputs(const Field& field) {
  if (!field.is_map(keys_of("inputs"))) return Values();
  if (field.node().members.size() != 1) {
    field.wrong(fmt::format("must have exactly one of {}", fmt::join(keys_of("inputs").keys, ", ")));
    return Values();
  }
  if (const auto values = field.find("values")) return parse_values(*values);
  if (const auto range = field.find("range")) return parse_range(*range);
  if (const auto grid = field.find("grid")) return parse_grid(*grid);
  if (const auto lines = field.find("lines")) return Lines{parse_file(*lines)};
  if (const auto ndjson = field.find("ndjson")) return Ndjson{parse_file(*ndjson)};
  if (const auto csv = field.find("csv")) return parse_csv(*csv);
  return Values();
}

MapWork parse_map(const Field& field) {
  MapWork map;
  if (!field.is_map(keys_of("map"))) return map;
  if (const auto function = field.required("function", "what to run on each input")) {
    map.function = function->text("the name of a function").value_or("");
  }
  if (const auto inputs = field.required("inputs", "what to run the function on")) map.inputs = parse_inputs(*inputs);
  if (const auto arguments = field.find("arguments")) {
    map.arguments = Template(arguments->node(), arguments->key(), field.problems());
  }
  return map;
}

std::string parse_fixed_arguments(const Field& field) {
  const Template arguments(field.node(), field.key(), field.problems());
  std::string json = "[]";
  if (arguments.uses_input()) {
    field.wrong("${input} and ${index} have a meaning only in the arguments of a map");
  } else {
    arguments.fill({}, json);
  }
  return json;
}

namespace {

TaskItem parse_task(const Field& field, const TaskPolicy& policy) {
  TaskItem task;
  task.policy = policy;
  if (!field.is_map(keys_of("task"))) return task;
  if (const auto name = field.required("name", "what other tasks call it in `after`"))
    task.name = name->word().value_or("");
  if (const auto function = field.required("function", "what to run")) {
    task.function = function->text("the name of a function").value_or("");
  }
  if (const auto arguments = field.find("arguments")) task.arguments = parse_fixed_arguments(*arguments);
  parse_task_policy(field, task.policy);
  return task;
}

void parse_after(const Field& field, const std::unordered_map<std::string, std::size_t>& places, TaskItem& task) {
  const bool one = field.node().is_scalar();
  if (!one && !field.is_list("names of tasks")) return;
  for (const auto& item : one ? std::vector<Field>{field} : field.items()) {
    const auto place = places.find(item.node().text);
    if (place == places.end()) {
      item.wrong(fmt::format("there is no task {}", describe(item.node())));
    } else {
      task.after.push_back(place->second);
    }
  }
  std::sort(task.after.begin(), task.after.end());
  task.after.erase(std::unique(task.after.begin(), task.after.end()), task.after.end());
}

}  // namespace

TasksWork parse_tasks(const Field& field, const TaskPolicy& policy) {
  TasksWork work;
  if (!field.is_list("tasks, each with name and function")) return work;
  if (field.node().items.size() > kMostItems) {
    field.wrong(fmt::format("{} tasks; there may be {}", field.node().items.size(), kMostItems));
    return work;
  }
  std::unordered_map<std::string, std::size_t> places;
  const auto items = field.items();
  for (const auto& item : items) {
    work.tasks.push_back(parse_task(item, policy));
    const auto& name = work.tasks.back().name;
    if (!name.empty() && !places.emplace(name, work.tasks.size() - 1).second)
      item.wrong("there is another task of this name");
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const auto after = items[i].find("after")) parse_after(*after, places, work.tasks[i]);
  }
  if (const auto cycle = find_cycle(work); !cycle.empty()) {
    items[cycle.front()].wrong("its `after` leads back to itself: " + names_of(work, cycle));
  }
  return work;
}

namespace {

void parse_wholes(const std::optional<Field>& field, std::int64_t most, std::vector<std::uint64_t>& into) {
  if (!field) return;
  const bool one = field->node().is_scalar();
  if (!one && !field->is_list("whole numbers")) return;
  for (const auto& item : one ? std::vector<Field>{*field} : field->items()) {
    if (const auto value = item.whole(1, most)) into.push_back(static_cast<std::uint64_t>(*value));
  }
}

std::vector<std::string> parse_words(const std::optional<Field>& field, std::initializer_list<std::string_view> known) {
  std::vector<std::string> words;
  if (!field || !field->is_list(fmt::format("words, of {}", fmt::join(known, ", ")))) return words;
  for (const auto& item : field->items()) words.push_back(item.one_of(known).value_or(""));
  return words;
}

}  // namespace

BenchmarkWork parse_benchmark(const Field& field) {
  BenchmarkWork work;
  if (!field.is_map(keys_of("benchmark"))) return work;
  if (const auto experiment = field.required("experiment", "latency, throughput, map, exec or all")) {
    work.experiment = experiment->one_of({"latency", "throughput", "map", "exec", "all"}).value_or("");
  }
  parse_wholes(field.find("engines"), 1024, work.engines);
  parse_wholes(field.find("n"), 100'000'000, work.counts);
  parse_wholes(field.find("bytes"), 1'000'000'000, work.sizes);
  if (const auto dt = field.find("dt"); dt && (dt->node().is_scalar() || dt->is_list("durations such as 4ms"))) {
    for (const auto& item : dt->node().is_scalar() ? std::vector<Field>{*dt} : dt->items()) {
      if (const auto value = item.duration()) work.dts_ms.push_back(static_cast<double>(value->count()));
    }
  }
  if (const auto ideal = field.find("ideal")) {
    work.ideal_s = static_cast<double>(ideal->duration().value_or(Milliseconds(0)).count()) / 1000;
  }
  work.schemes = parse_words(field.find("schemes"), {"controller", "direct"});
  work.transports = parse_words(field.find("transports"), {"plain", "tls", "ssh"});
  if (const auto quick = field.find("quick")) work.quick = quick->flag().value_or(false);
  if (const auto full = field.find("full")) work.full = full->flag().value_or(false);
  if (work.quick && work.full) field.wrong("quick and full exclude each other");
  if (const auto limits = field.find("limits")) work.limits = limits->flag().value_or(true);
  return work;
}

}  // namespace covey::jobs

#include "bench/jobs/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>

namespace covey::jobs {

namespace json = boost::json;

namespace {

std::string duration_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  return whole < 3600 ? fmt::format("{} m {:02} s", whole / 60, whole % 60)
                      : fmt::format("{} h {:02} m", whole / 3600, whole / 60 % 60);
}

double rate_of(const StepReport& step) { return step.seconds > 0 ? static_cast<double>(step.ran()) / step.seconds : 0; }

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

// Cut between characters.
std::string cut_text(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  text.resize(most);
  return text + "…";
}

std::string policy_text(const Step& step) {
  const auto& task = step.task_policy;
  std::string text = fmt::format("at most {} at once", step.policy.concurrency);
  const auto add = [&](bool there, std::string what) { text += there ? ", " + what : ""; };
  const auto in_seconds = [](Milliseconds time) { return std::chrono::duration<double>(time).count(); };
  add(task.retries > 0, fmt::format("{} retries", task.retries));
  add(task.run_limit.count() > 0, fmt::format("run limit {} s", in_seconds(task.run_limit)));
  add(task.timeout.count() > 0, fmt::format("timeout {} s", in_seconds(task.timeout)));
  add(step.policy.deadline.count() > 0, fmt::format("deadline {} s", in_seconds(step.policy.deadline)));
  add(!task.labels.empty(), fmt::format("on engines with {}", fmt::join(task.labels, ", ")));
  const auto& failure = step.policy.on_failure;
  add(true, failure.kind == FailurePolicy::Kind::stop ? "stops at a failure"
            : failure.kind == FailurePolicy::Kind::carry_on
                ? "goes on after failures"
                : fmt::format("stops beyond {} % failures", failure.percent));
  return text;
}

std::string function_of(const Step& step) {
  const auto* map = std::get_if<MapWork>(&step.work);
  if (map != nullptr) return map->function;
  const auto* benchmark = std::get_if<BenchmarkWork>(&step.work);
  return benchmark != nullptr ? benchmark->experiment : std::string();
}

}  // namespace

std::string table_of(const JobReport& report) {
  std::vector<std::vector<std::string>> rows{
      {"step", "kind", "total", "ok", "failed", "before", "time", "rate", "end", "output"}};
  std::string notes;
  for (const auto& step : report.steps) {
    rows.push_back({step.name, step.kind, std::to_string(step.total), std::to_string(step.ok),
                    std::to_string(step.failed), std::to_string(step.before),
                    step.began ? duration_text(step.seconds) : "-",
                    step.began ? fmt::format("{:.0f}/s", rate_of(step)) : "-",
                    step.began ? std::string(to_string(step.end)) : "not begun", step.output});
    if (!step.first_error.empty()) notes += fmt::format("{}: the first failure: {}\n", step.name, step.first_error);
    if (!step.note.empty()) notes += fmt::format("{}: {}\n", step.name, step.note);
  }
  return aligned(rows) + notes;
}

std::string json_of(const JobReport& report) {
  json::array steps;
  for (const auto& step : report.steps) {
    steps.push_back({{"name", step.name},
                     {"kind", step.kind},
                     {"end", step.began ? json::value(to_string(step.end)) : json::value(nullptr)},
                     {"total", step.total},
                     {"ok", step.ok},
                     {"failed", step.failed},
                     {"before", step.before},
                     {"seconds", step.seconds},
                     {"per_second", rate_of(step)},
                     {"output", step.output},
                     {"first_error", step.first_error.empty() ? json::value(nullptr) : json::value(step.first_error)}});
  }
  return json::serialize(json::object{{"job", report.name},
                                      {"end", to_string(report.end)},
                                      {"exit_status", exit_status(report.end)},
                                      {"steps", std::move(steps)}});
}

std::string brief_of(const JobReport& report) {
  constexpr std::size_t kMostText = 256;
  // An escaped byte takes six.
  static_assert(kMostBrief > 2 * 6 * kMostText + 512);
  const StepReport* last = nullptr;
  std::size_t number = 0;
  std::string first_error;
  for (const auto& step : report.steps) {
    if (!step.began) break;
    last = &step;
    ++number;
    if (first_error.empty()) first_error = step.first_error;
  }
  json::object brief{{"end", to_string(report.end)}, {"steps", report.steps.size()}, {"number", number}, {"first_error", cut_text(first_error, kMostText)}};
  if (last != nullptr) {
    brief["step"] = cut_text(last->name, kMostText);
    brief["total"] = last->total;
    brief["ok"] = last->ok;
    brief["failed"] = last->failed;
  }
  return json::serialize(brief);
}

std::string plan_of(const Job& job, const std::vector<Prepared>& steps) {
  std::string text = fmt::format("job {}\n", job.name);
  for (const auto& prepared : steps) {
    const Step& step = *prepared.step;
    const auto done = prepared.before.ok + prepared.before.failed;
    const auto function = function_of(step);
    text += fmt::format("step {}: {}{}{}\n", step.name, kind_of(step), function.empty() ? "" : " ", function);
    text += fmt::format("  output      {}{}\n", prepared.output.string(), prepared.is_begun ? " (begun earlier)" : "");
    if (std::holds_alternative<BenchmarkWork>(step.work)) continue;
    text += fmt::format("  tasks       {}{}\n", prepared.total,
                        done > 0 ? fmt::format(", {} of them done ({} failed)", done, prepared.before.failed) : "");
    for (const auto& arguments : prepared.first_arguments) text += fmt::format("  arguments   {}\n", arguments);
    if (prepared.total > prepared.first_arguments.size() && !prepared.first_arguments.empty())
      text += "  arguments   …\n";
    if (const auto* tasks = std::get_if<TasksWork>(&step.work)) {
      for (const auto& task : tasks->tasks) {
        text += fmt::format("  task        {}: {} {}{}\n", task.name, task.function, task.arguments,
                            task.after.empty() ? "" : " after");
        for (const auto other : task.after) text.insert(text.size() - 1, " " + tasks->tasks[other].name);
      }
    }
    text += fmt::format("  runs        {}\n", policy_text(step));
  }
  return text;
}

std::string plan_json_of(const Job& job, const std::vector<Prepared>& steps) {
  json::array list;
  for (const auto& prepared : steps) {
    list.push_back({{"name", prepared.step->name},
                    {"kind", kind_of(*prepared.step)},
                    {"function", function_of(*prepared.step)},
                    {"total", prepared.total},
                    {"before", prepared.before.ok + prepared.before.failed},
                    {"output", prepared.output.string()},
                    {"content", prepared.checkpoint.content()}});
  }
  return json::serialize(json::object{{"job", job.name}, {"steps", std::move(list)}});
}

}  // namespace covey::jobs

// A job as it is to be run: everything read, checked and filled in but the inputs. Values only; no I/O, no YAML.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "bench/jobs/template.hpp"

namespace covey::jobs {

using Milliseconds = std::chrono::milliseconds;

// How each task is to run; docs/jobs.md says what they mean.
struct TaskPolicy {
  std::uint32_t retries = 0, max_attempts = 3;
  int priority = 0;
  Milliseconds retry_delay{0}, timeout{0}, run_limit{0};
  std::vector<std::string> labels;  // "name=value" pairs that an engine must have
  bool operator==(const TaskPolicy&) const = default;
};

// What failed tasks mean for the step.
struct FailurePolicy {
  enum class Kind { stop, carry_on, share };
  Kind kind = Kind::stop;
  double percent = 0;  // of a share

  // How many may fail before the step stops.
  std::uint64_t most(std::uint64_t total) const {
    if (kind == Kind::stop) return 0;
    if (kind == Kind::carry_on) return total;
    return static_cast<std::uint64_t>(static_cast<double>(total) * percent / 100 + 1e-9);
  }
  // Whether a step with so many failures counts as done well.
  bool forgives(std::uint64_t failed, std::uint64_t total) const {
    return failed == 0 || (kind == Kind::share && failed <= most(total));
  }
  bool operator==(const FailurePolicy&) const = default;
};

inline constexpr std::uint64_t kDefaultConcurrency = 4096, kMostConcurrency = 65'536;

struct StepPolicy {
  std::uint64_t concurrency = kDefaultConcurrency;  // most tasks at once
  FailurePolicy on_failure;
  Milliseconds deadline{0};  // from the step's start; 0: none
};

// ---- inputs of a map ----

struct Values {
  std::vector<std::string> json;
};
struct Range {
  std::int64_t from = 0, to = 0, step = 1;  // without `to`
  std::uint64_t count() const;
  std::int64_t at(std::uint64_t index) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + index * static_cast<std::uint64_t>(step));
  }
};
struct Axis {
  std::string name;
  std::variant<Values, Range> values;
  std::uint64_t size() const;
  std::string at(std::uint64_t index) const;  // JSON
};
struct Grid {
  std::vector<Axis> axes;  // the last varies fastest
};
struct Lines {
  std::string file;
};
struct Ndjson {
  std::string file;
};
struct Csv {
  std::string file;
  char delimiter = ',';
  bool header = true;  // otherwise columns are named 1, 2, 3 …
};
using Inputs = std::variant<Values, Range, Grid, Lines, Ndjson, Csv>;

// ---- steps ----

enum class Format { ndjson, csv };
std::string_view to_string(Format format);

struct Output {
  std::string file;
  Format format = Format::ndjson;
};

struct MapWork {
  std::string function;
  Inputs inputs;
  Template arguments;
};
struct TaskItem {
  std::string name, function;
  std::string arguments = "[]";    // JSON
  std::vector<std::size_t> after;  // positions in the list, acyclic
  TaskPolicy policy;
};
struct TasksWork {
  std::vector<TaskItem> tasks;
};
struct BenchmarkWork {
  std::string experiment;  // latency, throughput, map, exec, all
  // Empty, and 0 for ideal_s: what the experiment takes by itself.
  std::vector<std::uint64_t> engines, counts, sizes;
  std::vector<double> dts_ms;
  std::vector<std::string> schemes, transports;
  double ideal_s = 0;
  bool quick = false, full = false, limits = true;
};

struct Step {
  std::string name;
  std::variant<MapWork, TasksWork, BenchmarkWork> work;
  TaskPolicy task_policy;
  StepPolicy policy;
  Output output;  // of a benchmark: a folder
};
std::string_view kind_of(const Step& step);  // map, tasks, benchmark

// The cluster that --local starts.
struct LocalSpec {
  std::uint64_t engines = 4, slots = 1;
  std::vector<std::string> plugins;  // files, as written
  bool allow_exec = false;
};

struct Job {
  std::string name;
  LocalSpec cluster;
  std::vector<Step> steps;
};

}  // namespace covey::jobs

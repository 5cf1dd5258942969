// The parser's own parts, one for each kind of value. Private to bench/jobs/parse*.cpp.
#pragma once

#include <string_view>

#include "bench/jobs/fields.hpp"
#include "bench/jobs/job.hpp"

namespace covey::jobs {

const KnownKeys& keys_of(std::string_view object);

inline constexpr std::size_t kMostItems = 100'000;  // steps, tasks, lists of numbers

Inputs parse_inputs(const Field& field);
MapWork parse_map(const Field& field);
TasksWork parse_tasks(const Field& field, const TaskPolicy& policy);
BenchmarkWork parse_benchmark(const Field& field);
// Overwrites what the map has of these keys.
void parse_task_policy(const Field& map, TaskPolicy& policy);
void parse_step_policy(const Field& map, StepPolicy& policy);
// A function's arguments without references to an input, as JSON.
std::string parse_fixed_arguments(const Field& field);

}  // namespace covey::jobs

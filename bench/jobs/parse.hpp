// Text of a job file → a job, or everything that is wrong with it. Pure: opens no file; any thread. docs/jobs.md
// describes the format and job.schema.json states it for editors; a test holds the three together.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/jobs/fields.hpp"
#include "bench/jobs/job.hpp"

namespace covey::jobs {

struct Parsed {
  std::optional<Job> job;  // where there is no problem
  std::vector<Problem> problems;
};

// `source` names the text in problems; `settings` are the key=value of --set.
Parsed parse_job(std::string_view text, const std::string& source, const std::vector<std::string>& settings = {});

// Every kind of map that a job has and the keys that it may have.
std::span<const KnownKeys> known_keys();

}  // namespace covey::jobs

// What people and programs are told of a job: the plan before, the summary after. Pure: text out.
#pragma once

#include <string>
#include <vector>

#include "bench/jobs/runner.hpp"

namespace covey::jobs {

std::string table_of(const JobReport& report);
std::string json_of(const JobReport& report);  // one line
// The same for whoever has little room: a line of at most kMostBrief bytes, about the last step that began.
std::string brief_of(const JobReport& report);
inline constexpr std::size_t kMostBrief = 4096;  // what Kubernetes keeps of a container's last words

std::string plan_of(const Job& job, const std::vector<Prepared>& steps);
std::string plan_json_of(const Job& job, const std::vector<Prepared>& steps);

}  // namespace covey::jobs

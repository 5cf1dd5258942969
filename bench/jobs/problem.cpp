#include "bench/jobs/problem.hpp"

#include <fmt/format.h>

namespace covey::jobs {

std::string to_string(const Problem& problem) {
  std::string text;
  if (problem.mark.source) text = *problem.mark.source;
  if (problem.mark.line > 0) text += fmt::format(":{}:{}", problem.mark.line, problem.mark.column);
  if (!text.empty()) text += ": ";
  if (!problem.key.empty()) text += problem.key + ": ";
  return text + problem.message;
}

std::string to_string(const std::vector<Problem>& problems) {
  std::string text;
  for (const auto& problem : problems) text += (text.empty() ? "" : "\n") + to_string(problem);
  return text;
}

}  // namespace covey::jobs

#include "bench/jobs/job.hpp"

namespace covey::jobs {

// In unsigned arithmetic, in which the widest range fits.
std::uint64_t Range::count() const {
  const auto first = static_cast<std::uint64_t>(from), last = static_cast<std::uint64_t>(to);
  if (step > 0) return to > from ? (last - first - 1) / static_cast<std::uint64_t>(step) + 1 : 0;
  return to < from ? (first - last - 1) / (0 - static_cast<std::uint64_t>(step)) + 1 : 0;
}

std::uint64_t Axis::size() const {
  if (const auto* range = std::get_if<Range>(&values)) return range->count();
  return std::get<Values>(values).json.size();
}

std::string Axis::at(std::uint64_t index) const {
  if (const auto* range = std::get_if<Range>(&values)) return std::to_string(range->at(index));
  return std::get<Values>(values).json[index];
}

std::string_view to_string(Format format) { return format == Format::csv ? "csv" : "ndjson"; }

std::string_view kind_of(const Step& step) {
  constexpr std::string_view kNames[] = {"map", "tasks", "benchmark"};
  return kNames[step.work.index()];
}

}  // namespace covey::jobs

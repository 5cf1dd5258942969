#include "engine/exec/report.hpp"

#include <string_view>

#include "engine/exec/text.hpp"

namespace covey::engine {

namespace {

std::string_view end_of(std::string_view text, bool& cut) {
  cut = text.size() > kMostOutputReported;
  return cut ? text.substr(text.size() - kMostOutputReported) : text;
}

}  // namespace

wire::RunReport report_of(const Outcome& outcome, std::int64_t started_unix_us, std::int64_t duration_ns) {
  wire::RunReport report;
  report.status = outcome.status;
  report.error = std::string_view(outcome.error).substr(0, kLongestError);
  report.started_unix_us = started_unix_us;
  report.duration_us = static_cast<std::uint64_t>(duration_ns / 1000);
  report.output.out = end_of(outcome.stdout_text, report.output.out_cut);
  report.output.err = end_of(outcome.stderr_text, report.output.err_cut);
  return report;
}

}  // namespace covey::engine

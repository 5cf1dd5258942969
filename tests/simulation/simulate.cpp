// simulate [--seed N] [--seeds A:B] [--events N] [--verbose]: runs seeds of the simulated cluster; exit status 1 names the
// first that broke a promise, and `simulate --seed N --verbose` repeats it.
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tests/simulation/world.hpp"

namespace {

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fmt::print(stderr, "simulate: '{}' is not a number\n", text);
    std::exit(2);
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  covey::simulation::Options options;
  std::uint64_t first = 1, last = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--verbose") {
      options.verbose = true;
      continue;
    }
    if (i + 1 == argc) {
      fmt::print(stderr, "usage: simulate [--seed N] [--seeds A:B] [--events N] [--verbose]\n");
      return 2;
    }
    const std::string_view value = argv[++i];
    if (flag == "--seed") {
      first = last = number(value);
    } else if (flag == "--seeds") {
      const auto colon = value.find(':');
      first = number(value.substr(0, colon));
      last = number(value.substr(colon + 1));
    } else if (flag == "--events") {
      options.events = number(value);
    } else {
      fmt::print(stderr, "simulate: unknown option {}\n", flag);
      return 2;
    }
  }
  covey::simulation::Report total;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    options.seed = seed;
    const auto report = covey::simulation::World(options).run();
    if (options.verbose || !report.failure.empty()) {
      fmt::print("seed {}: {} events, {} tasks, {} ok, {} failed, {} runs, {} deaths, {} of {} frames lost\n", seed, report.events,
                 report.submitted, report.completed, report.failed, report.runs, report.kills, report.lost_frames, report.frames);
    }
    if (!report.failure.empty()) {
      fmt::print("seed {} FAILED at {}\n", seed, report.failure);
      return 1;
    }
    total.events += report.events;
    total.submitted += report.submitted;
    total.completed += report.completed;
    total.kills += report.kills;
    total.late_results_used += report.late_results_used;
    total.requeued += report.requeued;
  }
  fmt::print("seeds {} to {}: {} events, {} tasks submitted, {} succeeded, {} deaths, {} requeued: every promise held\n", first, last,
             total.events, total.submitted, total.completed, total.kills, total.requeued);
  return 0;
}

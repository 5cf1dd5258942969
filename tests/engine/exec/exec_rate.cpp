// How many programs a second one slot runs through `exec`, beside bare posix_spawn and waitpid of the same program on
// the same thread. Prints the ratio, which should be 0.6 or more. Rounds alternate, so that other load hits both alike.
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "engine/exec/process.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRounds = 15, kRuns = 200;

template <class Body>
double rate(Body body) {
  const auto begin = Clock::now();
  for (int i = 0; i < kRuns; ++i) body();
  return kRuns / std::chrono::duration<double>(Clock::now() - begin).count();
}

void run_bare() {
  char program[] = "/bin/true";
  char* argv[] = {program, nullptr};
  pid_t pid = -1;
  int status = 0;
  if (::posix_spawn(&pid, program, nullptr, nullptr, argv, ::environ) != 0 || ::waitpid(pid, &status, 0) != pid ||
      status != 0)
    std::abort();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

void measure() {
  using namespace covey;
  engine::FunctionTable table;
  engine::add_exec(table, {.allowed = true});
  const auto* exec = table.find("exec");
  const wire::Payload args{wire::Codec::json, wire::Buffer::copy_of(R"([["/bin/true"]])")};
  const auto run_exec = [&] {
    engine::CallContext context;
    if (engine::run_guarded(*exec, context, args).status != wire::TaskStatus::ok) std::abort();
  };
  std::vector<double> bare, ours, ratios;
  for (int i = 0; i < kRounds; ++i) {
    bare.push_back(rate(run_bare));
    ours.push_back(rate(run_exec));
    ratios.push_back(ours.back() / bare.back());
  }
  fmt::print("bare {:.0f}/s  exec {:.0f}/s  ratio {:.2f} (median of {} rounds)\n", median(bare), median(ours),
             median(ratios), kRounds);
}

}  // namespace

int main() { std::thread(measure).join(); }

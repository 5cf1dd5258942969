// Runs a job's steps one after another: keeps as many tasks out as a step allows, and writes what ends. Knows the
// cluster only through TaskPort, and time only through its options. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/jobs/step_output.hpp"
#include "bench/jobs/task_port.hpp"

namespace covey::jobs {

// How a step came to its end; the later of these say why a job ended.
enum class End { done, failed, deadline, interrupted };
std::string_view to_string(End end);
int exit_status(End end);  // 0, 1, 3, 130

struct StepReport {
  std::string name, kind, output;
  End end = End::done;
  std::uint64_t total = 0, before = 0;  // before: written by earlier runs
  std::uint64_t ok = 0, failed = 0;     // in all, earlier runs included
  double seconds = 0;
  std::string first_error;  // of this run
  std::string note;         // for people: how to go on
  bool began = false;

  std::uint64_t ran() const { return ok + failed - before; }
};

struct JobReport {
  std::string name;
  End end = End::done;
  std::vector<StepReport> steps;
};

struct Hooks {
  using Clock = std::chrono::steady_clock;
  std::function<std::unique_ptr<TaskPort>(const Step& step)> connect;
  std::function<bool(const BenchmarkWork& work, const std::filesystem::path& folder)> benchmark;  // false: it was interrupted
  std::function<bool()> interrupted = [] { return false; };
  std::function<void(const Step& step, const StepReport& report)> on_begin = [](const Step&, const StepReport&) {};
  std::function<void(const StepReport& report)> on_progress = [](const StepReport&) {};
  std::function<void()> on_tick = [] {};  // at least every 50 ms or so
  std::function<Clock::time_point()> now = [] { return Clock::now(); };
};

// Prepares all steps before it begins the first, so that a bad input is found at once. Throws BadJob, or
// std::runtime_error where a file cannot be written or the cluster not be reached.
JobReport run_job(const Job& job, const Folders& folders, const Resume& resume, const Hooks& hooks);

}  // namespace covey::jobs

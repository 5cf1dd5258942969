#include "bench/jobs/runner.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "bench/jobs/problem.hpp"

namespace covey::jobs {

namespace {

constexpr std::chrono::milliseconds kLook{50};     // between looks at the clock and at signals
constexpr std::chrono::milliseconds kGrace{2000};  // for cancelled tasks to say so
// Arguments that are out wait in the client's memory: large ones count towards a limit of their own.
constexpr std::size_t kLargeBytes = 4096, kMostLargeBytes = 64u << 20;

using Clock = Hooks::Clock;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// One map or graph, from its first task to its last.
class StepRun {
 public:
  // Connects before it touches the output: where there is no cluster, nothing is lost.
  StepRun(Prepared& prepared, const Folders& folders, const Resume& resume, const Hooks& hooks, StepReport& report)
      : step_(*prepared.step),
        hooks_(hooks),
        report_(report),
        format_(prepared.format),
        port_(has_work(prepared, resume) ? hooks.connect(step_) : nullptr),
        journal_(open_journal(prepared, resume)),
        source_(open_work(step_, folders.inputs, prepared.before)),
        started_(hooks.now()) {
    report_.before = prepared.before.ok + prepared.before.failed;
    report_.ok = prepared.before.ok;
    report_.failed = prepared.before.failed;
  }

  void run() {
    hooks_.on_begin(step_, report_);
    write_skipped();
    while (port_ && left() > 0 && go_on()) {
      submit();
      if (out_ == 0) break;
      take(port_->wait(kLook));
      hooks_.on_progress(report_);
      hooks_.on_tick();
    }
    if (out_ > 0) wind_up();
    finish();
    if (report_.end == End::done && left() > 0) {
      throw BadJob(fmt::format("step '{}': a file of inputs became shorter while the job ran", step_.name));
    }
  }

 private:
  std::uint64_t left() const { return report_.total - report_.ok - report_.failed; }
  static bool has_work(const Prepared& prepared, const Resume& resume) {
    const auto& before = prepared.before;
    const auto failed = resume.retry_failed ? 0 : before.failed;
    return before.ok + failed < prepared.total && failed <= prepared.step->policy.on_failure.most(prepared.total);
  }
  bool too_many_failed() const { return report_.failed > step_.policy.on_failure.most(report_.total); }

  bool go_on() {
    if (hooks_.interrupted()) return stop(End::interrupted);
    const auto deadline = step_.policy.deadline;
    if (deadline.count() > 0 && hooks_.now() - started_ >= deadline) return stop(End::deadline);
    return !too_many_failed();
  }
  bool stop(End why) {
    report_.end = why;
    return false;
  }

  void submit() {
    Work work;
    while (out_ < step_.policy.concurrency && large_bytes_ < kMostLargeBytes && !hooks_.interrupted() &&
           source_->next(work)) {
      port_->submit(work);
      ++out_;
      if (work.arguments.size() < kLargeBytes) continue;
      large_.emplace(work.index, work.arguments.size());
      large_bytes_ += work.arguments.size();
    }
  }

  // Cancelled by ourselves is not ended: it runs another time.
  void take(std::vector<Ended> ended, bool winding_up = false) {
    for (const auto& one : ended) {
      --out_;
      if (const auto large = large_.extract(one.index)) large_bytes_ -= large.mapped();
      if (winding_up && one.status == wire::TaskStatus::cancelled) {
        source_->on_ended(one.index, false);
      } else {
        write({one.index, {}, nullptr, wire::to_string(one.status), one.value, one.error});
      }
    }
    if (!winding_up) write_skipped();
    journal_->flush(hooks_.now());
  }

  void write(Record record) {
    source_->describe(record);
    format_.append(journal_->pending(), record);
    const bool ok = record.status == "ok";
    ++(ok ? report_.ok : report_.failed);
    if (!ok && report_.first_error.empty())
      report_.first_error = fmt::format("{} {}: {}", name_of(record), record.status, record.error);
    source_->on_ended(record.index, ok);
  }
  static std::string name_of(const Record& record) {
    return record.task.empty() ? fmt::format("input {}", record.index) : fmt::format("task {}", record.task);
  }
  void write_skipped() {
    Record record;
    std::string why;
    while (source_->next_skipped(record.index, why)) {
      record.status = wire::to_string(wire::TaskStatus::dependency_failed);
      record.error = why;
      write(record);
    }
  }

  // Before its time: what is out is cancelled, and what ends nevertheless is kept.
  void wind_up() {
    port_->cancel_all();
    const auto until = hooks_.now() + kGrace;
    while (out_ > 0 && hooks_.now() < until) {
      take(port_->wait(kLook), true);
      hooks_.on_tick();
    }
  }

  void finish() {
    journal_->flush(hooks_.now());
    journal_->sync();
    report_.seconds = seconds(hooks_.now() - started_);
    const bool forgiven = step_.policy.on_failure.forgives(report_.failed, report_.total);
    if (report_.end == End::done && !forgiven) report_.end = End::failed;
    if (report_.failed > 0 && !forgiven && left() > 0 && report_.end == End::failed) {
      report_.note = fmt::format(
          "stopped with {} not run, because more failed than on_failure allows; --retry-failed runs the failed ones "
          "again and goes on",
          left());
    } else if (report_.failed > 0 && report_.before == report_.total) {
      report_.note = "--retry-failed runs the failed ones again";
    } else if (left() > 0) {
      report_.note = "the same command goes on where this one stopped";
    }
  }

  const Step& step_;
  const Hooks& hooks_;
  StepReport& report_;
  const RecordFormat& format_;
  std::unique_ptr<TaskPort> port_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<WorkSource> source_;
  std::uint64_t out_ = 0;                                 // tasks that have been submitted and have not ended
  std::unordered_map<std::uint64_t, std::size_t> large_;  // of these: bytes of large arguments
  std::size_t large_bytes_ = 0;
  Clock::time_point started_;
};

void run_benchmark(Prepared& prepared, const Hooks& hooks, StepReport& report) {
  report.before = report.ok = prepared.before.ok;
  hooks.on_begin(*prepared.step, report);
  if (report.ok == 1) return;
  const auto started = hooks.now();
  std::filesystem::create_directories(prepared.output);
  if (!hooks.benchmark(std::get<BenchmarkWork>(prepared.step->work), prepared.output)) {
    report.end = End::interrupted;
    return;
  }
  prepared.checkpoint.complete = true;
  write_checkpoint(checkpoint_file(prepared.output), prepared.checkpoint);
  report.ok = 1;
  report.seconds = seconds(hooks.now() - started);
}

StepReport report_for(const Prepared& prepared) {
  StepReport report;
  report.name = prepared.step->name;
  report.kind = kind_of(*prepared.step);
  report.output = prepared.output.string();
  report.total = prepared.total;
  report.before = prepared.before.ok + prepared.before.failed;
  report.ok = prepared.before.ok;
  report.failed = prepared.before.failed;
  return report;
}

// Whether the next step may begin after a step that ended so. Where failures are to be carried on with, they end the
// job's status but not the job.
bool goes_on(const StepReport& report, const Step& step) {
  return report.end == End::done ||
         (report.end == End::failed && step.policy.on_failure.kind == FailurePolicy::Kind::carry_on);
}

}  // namespace

std::string_view to_string(End end) {
  constexpr std::string_view kNames[] = {"done", "failed", "deadline", "interrupted"};
  return kNames[static_cast<std::size_t>(end)];
}

int exit_status(End end) {
  constexpr int kStatuses[] = {0, 1, 3, 130};
  return kStatuses[static_cast<std::size_t>(end)];
}

JobReport run_job(const Job& job, const Folders& folders, const Resume& resume, const Hooks& hooks) {
  JobReport report;
  report.name = job.name;
  std::vector<Prepared> prepared;
  for (const auto& step : job.steps) prepared.push_back(prepare(job, step, folders, resume));
  for (const auto& one : prepared) report.steps.push_back(report_for(one));
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    StepReport& step = report.steps[i];
    if (hooks.interrupted()) {
      report.end = End::interrupted;
      break;
    }
    step.began = true;
    if (step.kind == "benchmark") {
      run_benchmark(prepared[i], hooks, step);
    } else {
      StepRun(prepared[i], folders, resume, hooks, step).run();
    }
    report.end = std::max(report.end, step.end);
    if (!goes_on(step, job.steps[i])) break;
  }
  return report;
}

}  // namespace covey::jobs

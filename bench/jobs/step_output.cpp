#include "bench/jobs/step_output.hpp"

#include <fmt/format.h>

#include <fstream>

#include "bench/jobs/digest.hpp"
#include "bench/jobs/problem.hpp"

namespace covey::jobs {

namespace {

std::string digest_of(std::string_view text) { return Digest().field(text).hex(); }

std::string digest_of(const TasksWork& work) {
  Digest digest;
  for (const auto& task : work.tasks) {
    digest.field(task.name).field(task.function).field(task.arguments);
    for (const auto other : task.after) digest.field(std::to_string(other));
    digest.field("");
  }
  return digest.hex();
}

std::string digest_of(const BenchmarkWork& work) {
  Digest digest;
  digest.field(work.experiment).field(fmt::format("{} {} {} {}", work.ideal_s, work.quick, work.full, work.limits));
  for (const auto* list : {&work.engines, &work.counts, &work.sizes}) {
    digest.field(std::to_string(list->size()));
    for (const auto number : *list) digest.field(std::to_string(number));
  }
  for (const auto dt : work.dts_ms) digest.field(fmt::format("{}", dt));
  for (const auto* list : {&work.schemes, &work.transports}) {
    digest.field(std::to_string(list->size()));
    for (const auto& word : *list) digest.field(word);
  }
  return digest.hex();
}

// What the output follows from. How tasks are retried, how many run at once and the like may change between runs.
struct Describe {
  Prepared& prepared;
  const std::filesystem::path& folder;

  void operator()(const MapWork& map) const {
    const auto& output = prepared.step->output;
    std::error_code none;
    const auto file = file_of(map.inputs);
    if (!file.empty() && std::filesystem::equivalent(folder / file, prepared.output, none)) {
      throw BadJob(fmt::format("{} is both its input and its output", prepared.output.string()));
    }
    auto looked = survey(map.inputs, folder, map.arguments);
    prepared.total = looked.count;
    prepared.first_arguments = std::move(looked.first_arguments);
    prepared.format = RecordFormat::of_map(output.format, std::move(looked.columns));
    prepared.checkpoint.parts = {{"function", digest_of(map.function)},
                                 {"arguments", digest_of(map.arguments.canonical())},
                                 {"inputs", looked.digest},
                                 {"format", std::string(to_string(output.format))}};
  }
  void operator()(const TasksWork& tasks) const {
    prepared.total = tasks.tasks.size();
    prepared.format = RecordFormat::of_tasks(prepared.step->output.format);
    prepared.checkpoint.parts = {{"tasks", digest_of(tasks)},
                                 {"format", std::string(to_string(prepared.step->output.format))}};
  }
  void operator()(const BenchmarkWork& benchmark) const {
    prepared.total = 1;
    prepared.checkpoint.parts = {{"benchmark", digest_of(benchmark)}};
  }
};

void recover(Prepared& prepared) {
  std::ifstream in(prepared.output, std::ios::binary);
  if (!in) throw std::runtime_error(fmt::format("{}: cannot be read", prepared.output.string()));
  auto recovered = prepared.format.recover(in, prepared.total);
  if (const auto* wrong = std::get_if<std::string>(&recovered)) {
    throw BadJob(
        fmt::format("{}: {}; it cannot be continued, --restart begins anew", prepared.output.string(), *wrong));
  }
  prepared.before = std::move(std::get<Recovered>(recovered));
}

// The records that succeeded, alone.
void drop_failures(Prepared& prepared) {
  const std::filesystem::path fresh = prepared.output.string() + ".new";
  std::ifstream in(prepared.output, std::ios::binary);
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  prepared.format.copy_succeeded(in, prepared.before.bytes, out);
  out.close();
  if (!out) throw std::runtime_error(fmt::format("{}: cannot be written", fresh.string()));
  move_into_place(fresh, prepared.output);
  recover(prepared);
}

}  // namespace

Prepared prepare(const Job& job, const Step& step, const Folders& folders, const Resume& resume) {
  Prepared prepared;
  prepared.step = &step;
  prepared.output = folders.outputs / step.output.file;
  prepared.checkpoint.job = job.name;
  prepared.checkpoint.step = step.name;
  prepared.checkpoint.kind = kind_of(step);
  try {
    std::visit(Describe{prepared, folders.inputs}, step.work);
  } catch (const BadJob& error) {
    throw BadJob(fmt::format("step '{}': {}", step.name, error.what()));
  }
  prepared.before.ended.resize(prepared.total);
  prepared.before.succeeded.resize(prepared.total);
  if (resume.restart) return prepared;
  const auto file = checkpoint_file(prepared.output);
  const auto before = read_checkpoint(file);
  const bool is_benchmark = std::holds_alternative<BenchmarkWork>(step.work);
  if (!before) {
    std::error_code error;
    const bool taken = !is_benchmark && std::filesystem::exists(prepared.output, error) &&
                       std::filesystem::file_size(prepared.output, error) > 0;
    if (taken) {
      throw BadJob(fmt::format(
          "{} is there already, without a checkpoint ({}) that would show it to be of this job; choose another "
          "output, or overwrite it with --restart",
          prepared.output.string(), file.filename().string()));
    }
    return prepared;
  }
  if (const auto changed = difference(*before, prepared.checkpoint); !changed.empty()) {
    throw BadJob(fmt::format(
        "step '{}' is not the one that {} was begun with: {}; begin anew with --restart, or choose another output",
        step.name, prepared.output.string(), changed));
  }
  prepared.is_begun = true;
  prepared.checkpoint.complete = before->complete;
  if (is_benchmark) {
    prepared.before.ok = before->complete ? 1 : 0;
  } else if (std::filesystem::exists(prepared.output)) {
    recover(prepared);
  }
  return prepared;
}

// Locks first: what prepare() saw may have been written to since. The checkpoint comes before the first record, so that
// an output with records always has one.
std::unique_ptr<Journal> open_journal(Prepared& prepared, const Resume& resume) {
  if (prepared.output.has_parent_path()) std::filesystem::create_directories(prepared.output.parent_path());
  auto journal = std::make_unique<Journal>(prepared.output);
  if (resume.restart) {
    journal->cut(0);
  } else if (prepared.is_begun) {
    recover(prepared);
  }
  if (resume.retry_failed && prepared.before.failed > 0) {
    drop_failures(prepared);
    journal = std::make_unique<Journal>(prepared.output);
  }
  if (!prepared.is_begun || resume.restart) write_checkpoint(checkpoint_file(prepared.output), prepared.checkpoint);
  journal->cut(prepared.before.bytes);
  if (prepared.before.bytes == 0) journal->pending() += prepared.format.header();
  return journal;
}

}  // namespace covey::jobs

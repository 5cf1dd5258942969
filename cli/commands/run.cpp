// covey run: batch jobs from YAML files.
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "bench/jobs/parse.hpp"
#include "bench/jobs/runner.hpp"
#include "bench/jobs/summary.hpp"
#include "cli/commands/bench.hpp"
#include "cli/commands/bench_interrupt.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/progress.hpp"
#include "cli/commands/run_telling.hpp"
#include "cli/local/local_cluster.hpp"
#include "cli/local/own_folder.hpp"

namespace covey::cli {

namespace {

constexpr auto kEnginesTimeout = std::chrono::seconds(30);
constexpr auto kTendPause = std::chrono::milliseconds(100);

volatile std::sig_atomic_t interrupted = 0;

// The second one ends the process at once; the output is a journal, and so in good order even then.
void on_interrupt(int number) {
  interrupted = 1;
  std::signal(number, local::end_with_folders);
}

void watch_signals(void (*handler)(int)) {
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
}

struct RunOptions {
  Where where;
  std::string file, out, http, brief;
  std::vector<std::string> settings, plugins;
  std::size_t engines = 0;
  bool local = false, dry_run = false, json = false, quiet = false, print_outputs = false;
  jobs::Resume resume;
};

jobs::Job load(const RunOptions& options) {
  std::ifstream in(options.file, std::ios::binary);
  if (!in || std::filesystem::is_directory(options.file))
    throw jobs::BadJob(fmt::format("{}: the job file cannot be read", options.file));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto parsed = jobs::parse_job(text, options.file, options.settings);
  if (!parsed.job) throw jobs::BadJob(parsed.problems);
  return std::move(*parsed.job);
}

// A cluster of the run's own, gone with this object.
class OwnCluster {
 public:
  OwnCluster(const RunOptions& options, const jobs::LocalSpec& spec, const std::filesystem::path& job_folder) {
    local::LocalCluster::Options cluster;
    cluster.folder = folder_.path();
    cluster.engines = options.engines > 0 ? options.engines : spec.engines;
    cluster.slots = static_cast<std::uint32_t>(spec.slots);
    for (const auto& plugin : spec.plugins) add_plugin(cluster, job_folder / plugin);
    for (const auto& plugin : options.plugins) add_plugin(cluster, plugin);
    if (spec.allow_exec) cluster.engine_arguments.push_back("--allow-exec");
    cluster_ = std::make_unique<local::LocalCluster>(cluster);
  }
  std::string connect_file() const { return (cluster_->folder() / "client.json").string(); }
  void tend() {
    for (const auto& line : cluster_->tend()) fmt::print(stderr, "covey run: {}\n", line);
  }
  void wait_for_engines(client::Client& client) {
    const auto deadline = std::chrono::steady_clock::now() + kEnginesTimeout;
    while (!client.wait_for_engines(cluster_->engines(), std::chrono::milliseconds(200))) {
      for (std::size_t i = 0; i < cluster_->engines(); ++i) {
        if (cluster_->engine(i).poll()) throw std::runtime_error("an engine ended at its start: " + last_words());
      }
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error("not all engines have registered: " + last_words());
    }
  }

 private:
  static void add_plugin(local::LocalCluster::Options& cluster, const std::filesystem::path& plugin) {
    if (!std::filesystem::exists(plugin)) {
      throw jobs::BadJob(
          fmt::format("{}: this plugin is not there; names in a job begin at the job's folder, those of --plugin at "
                      "the current one",
                      plugin.string()));
    }
    cluster.engine_arguments.push_back("--plugin=" + std::filesystem::absolute(plugin).string());
  }
  std::string last_words() const {
    std::ifstream in(cluster_->folder() / "engine.log");
    std::string line, last = "its log is empty";
    while (std::getline(in, line)) last = line.empty() ? last : line;
    return last;
  }

  local::OwnFolder folder_{"covey-run-"};
  std::unique_ptr<local::LocalCluster> cluster_;
};

// What the runner calls back: connections, benchmarks and progress.
class Run {
 public:
  Run(RunOptions& options, jobs::Job job) : options_(options), job_(std::move(job)) {
    folders_.inputs = std::filesystem::path(options.file).parent_path();
    folders_.outputs = options.out;
  }

  int dry_run() {
    std::vector<jobs::Prepared> steps;
    for (const auto& step : job_.steps) steps.push_back(jobs::prepare(job_, step, folders_, options_.resume));
    fmt::print("{}", options_.json ? jobs::plan_json_of(job_, steps) + "\n" : jobs::plan_of(job_, steps));
    return kOk;
  }

  int run() {
    watch_signals(on_interrupt);
    if (!options_.http.empty()) page_ = std::make_unique<ProgressPage>(options_.http);
    const auto report = jobs::run_job(job_, folders_, options_.resume, hooks());
    progress_.reset();
    if (!options_.brief.empty()) write_brief(options_.brief, report);
    if (options_.print_outputs) print_outputs(report);
    fmt::print("{}", options_.json ? jobs::json_of(report) + "\n" : jobs::table_of(report));
    return jobs::exit_status(report.end);
  }

 private:
  jobs::Hooks hooks() {
    jobs::Hooks hooks;
    hooks.connect = [this](const jobs::Step& step) { return connect(step); };
    hooks.benchmark = [this](const jobs::BenchmarkWork& work, const std::filesystem::path& folder) {
      return benchmark(work, folder);
    };
    hooks.interrupted = [] { return interrupted != 0; };
    hooks.on_begin = [this](const jobs::Step& step, const jobs::StepReport& report) { begin(step, report); };
    hooks.on_progress = [this](const jobs::StepReport& report) {
      progress_->update(report.ok + report.failed, report.failed);
      if (page_) page_->update(report);
    };
    hooks.on_tick = [this] { tend(); };
    return hooks;
  }

  std::unique_ptr<jobs::TaskPort> connect(const jobs::Step& step) {
    if (options_.local && !cluster_) {
      cluster_ = std::make_unique<OwnCluster>(options_, job_.cluster, folders_.inputs);
      options_.where.connect_file = cluster_->connect_file();
      options_.where.insecure = true;
    }
    if (!client_) client_ = connect_client(options_.where);
    if (cluster_) cluster_->wait_for_engines(*client_);
    return jobs::make_client_port(*client_, job_.name + "/" + step.name);
  }

  // With --local on clusters of its own, as `covey bench` has them.
  bool benchmark(const jobs::BenchmarkWork& work, const std::filesystem::path& folder) {
    BenchOptions bench;
    if (!options_.local) {
      bench.where = options_.where;
      if (bench.own_cluster()) bench.where.connect_file = (local::home_folder() / "client.json").string();
    }
    bench.engines.assign(work.engines.begin(), work.engines.end());
    bench.counts.assign(work.counts.begin(), work.counts.end());
    bench.sizes.assign(work.sizes.begin(), work.sizes.end());
    bench.dts_ms = work.dts_ms;
    bench.schemes = work.schemes;
    bench.transports = work.transports;
    bench.ideal_s = work.ideal_s;
    bench.quick = work.quick;
    bench.full = work.full;
    bench.no_limits = !work.limits;
    bench.report_folder = folder.string();
    if (options_.json) bench.lines = stderr;
    return bench.own_cluster() ? benchmark_alone(bench, work.experiment) : benchmark_named(bench, work.experiment);
  }

  // There is nothing to keep of half a benchmark, and its clusters go with this process.
  static bool benchmark_alone(BenchOptions& bench, const std::string& experiment) {
    watch_signals(local::end_with_folders);
    run_benchmark(bench, experiment);
    watch_signals(on_interrupt);
    return true;
  }

  // The cluster stays, and is not to go on with tasks that nobody waits for.
  static bool benchmark_named(BenchOptions& bench, const std::string& experiment) {
    const BenchInterrupt interrupt(&interrupted);
    try {
      run_benchmark(bench, experiment);
    } catch (const std::exception&) {
      if (!interrupt.happened()) throw;
      interrupted = 1;
      return false;
    }
    return true;
  }

  void begin(const jobs::Step& step, const jobs::StepReport& report) {
    const auto done = report.ok + report.failed;
    if (!options_.quiet) {
      fmt::print(stderr, "{}: {} of {} {}{}\n", step.name, report.total - done, report.total,
                 report.kind == "benchmark" ? "benchmark to run" : "tasks to run",
                 done > 0 ? fmt::format("; {} done earlier", done) : "");
    }
    progress_ = std::make_unique<Progress>(step.name, report.total, options_.quiet, done);
    ++begun_;
    if (!page_) return;
    page_->on_begin(begun_, job_.steps.size());
    page_->update(report);
  }

  void tend() {
    const auto now = std::chrono::steady_clock::now();
    if (!cluster_ || now < next_tend_) return;
    next_tend_ = now + kTendPause;
    cluster_->tend();
  }

  RunOptions& options_;
  jobs::Job job_;
  jobs::Folders folders_;
  std::unique_ptr<OwnCluster> cluster_;
  std::unique_ptr<client::Client> client_;  // goes before the cluster
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<ProgressPage> page_;
  std::size_t begun_ = 0;  // steps
  std::chrono::steady_clock::time_point next_tend_{};
};

int run(RunOptions& options) {
  try {
    Run run(options, load(options));
    return options.dry_run ? run.dry_run() : run.run();
  } catch (const jobs::BadJob& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kBadUsage;
  }
}

// Somebody may well take the controller's page for its address.
CLI::Validator nats_address() {
  return {[](std::string& url) {
            if (!url.starts_with("http")) return std::string();
            return fmt::format("'{}' is the address of the HTTP API: that of the NATS server is wanted, such as nats://127.0.0.1:4222", url);
          },
          std::string()};
}

}  // namespace

void add_run_command(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "Run a batch job: maps, graphs of tasks and benchmarks from a YAML file.");
  command->footer(
      "Examples:\n"
      "  covey run job.yaml --dry-run                 show what it would do\n"
      "  covey run job.yaml --local                   run it on a cluster of its own\n"
      "  covey run job.yaml --controller nats://127.0.0.1:4222\n"
      "  covey run job.yaml --set n=1000 --set steps.0.retries=3\n\n"
      "Started again after it was stopped or killed, it goes on where it was. docs/jobs.md describes job files.\n"
      "Exit status: 0; 1 tasks failed; 2 the job is wrong; 3 a deadline passed; 4 the cluster cannot be reached, or a\n"
      "file cannot be written; 130 interrupted.");
  command->add_option("JOB", options->file, "the job's YAML file")->required();
  command
      ->add_option("--set", options->settings,
                   "key=value: a parameter's name, or a path such as steps.0.retries; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command->add_option("--out", options->out, "folder for outputs; the current one unless given")->type_name("FOLDER");
  auto* local = command->add_flag("--local", options->local,
                                  "run on a cluster of its own, on this machine, for as long as it takes");
  command->add_option("--engines", options->engines, "engines of --local; the job's cluster.engines unless given")
      ->needs(local)
      ->check(CLI::Range(1, 1024));
  command->add_option("--plugin", options->plugins, "shared library for the engines of --local; may be repeated")
      ->needs(local)
      ->allow_extra_args(false)
      ->type_name("FILE");
  command->add_flag("--dry-run", options->dry_run, "check the job and its inputs, and show what is to be done");
  auto* restart = command->add_flag("--restart", options->resume.restart,
                                    "begin anew, and overwrite what earlier runs have written");
  command->add_flag("--retry-failed", options->resume.retry_failed, "run again what failed in earlier runs")
      ->excludes(restart);
  command->add_flag("--json", options->json, "the summary (or the plan) as one line of JSON");
  command->add_flag("--quiet", options->quiet, "no progress");
  command->add_option("--http", options->http, "serve GET /progress, how far it is, at this address, such as 127.0.0.1:8081")->type_name("HOST:PORT");
  command->add_option("--brief", options->brief, "file for a line of JSON of at most 4 KiB at the end, as Kubernetes keeps it of a container")->type_name("FILE");
  command->add_flag("--print-outputs", options->print_outputs, "print what the outputs hold at the end, before the summary");
  options->where.add_to(*command);
  auto* controller = command->add_option("--controller", options->where.nats_url, "address of the NATS server at which the controller is, as --nats")
                         ->check(nats_address())
                         ->type_name("URL");
  controller->excludes(command->get_option("--nats"));
  for (const auto* other : {"--connect", "--nats", "--controller"}) local->excludes(command->get_option(other));
  command->callback([options] { throw CLI::RuntimeError(run(*options)); });
}

}  // namespace covey::cli

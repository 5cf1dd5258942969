// covey bench: the three experiments, on a cluster of its own or a named one.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "cli/commands/bench.hpp"

namespace covey::cli {

namespace {

void say(const std::string& line) { fmt::print(stderr, "{}\n", line); }

void keep(BenchOptions& options, const bench::Rows& rows) {
  for (const auto& row : rows) options.rows.push_back(row);
}

// What an experiment takes where the command line does not say.
template <class T>
std::vector<T> given_or(const std::vector<T>& given, std::vector<T> otherwise) {
  return given.empty() ? std::move(otherwise) : given;
}

// One run of the bench.
struct Run {
  BenchOptions& options;
  Stage& stage;
  std::set<std::string> limits_known = {};  // the transports whose limits have been measured

  Names transports() const { return given_or(options.transports, {stage.usual_transport()}); }
  Names schemes(Names otherwise) const { return given_or(options.schemes, std::move(otherwise)); }
};

// Beside the first experiment over a transport, the physical limit of that transport.
void run_limits(Run& run, std::size_t engines, const std::string& transport) {
  if (!run.options.own_cluster() || run.options.no_limits || !run.limits_known.insert(transport).second) return;
  const auto target = run.stage.target(engines, "controller", transport);
  const std::size_t bytes = run.options.quick ? 50 << 20 : 200 << 20;
  keep(run.options, bench::limits(target, local::own_executable(), run.stage.engine_file(), bytes, say));
}

void run_sequential(Run& run, std::size_t engines, const std::string& scheme, const std::string& transport, bool blocking) {
  say(fmt::format("sequential {} {}{}", scheme, transport, blocking ? " from a blocking thread" : ""));
  const auto target = run.stage.target(engines, scheme, transport, blocking ? Names{"--no-inline"} : Names{});
  const auto* mode = blocking ? "blocking thread, slot's thread" : "coroutine, inline";
  keep(run.options, {bench::sequential(target, blocking, run.options.quick ? 1000 : 5000, mode)});
}

void run_latency(Run& run) {
  const auto engines = given_or(run.options.engines, {4});
  const auto counts =
      given_or(run.options.counts, {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768});
  const auto schemes = run.schemes({"controller", "direct"});
  for (const auto& transport : run.transports()) {
    run_limits(run, engines.front(), transport);
    for (const std::size_t count : engines) {
      for (const auto& scheme : schemes) {
        keep(run.options, bench::latency(run.stage.target(count, scheme, transport), counts, say));
        if (count == engines.front()) run_sequential(run, count, scheme, transport, false);
      }
    }
    if (!run.options.own_cluster()) continue;
    for (const auto& scheme : schemes) run_sequential(run, engines.front(), scheme, transport, true);
  }
}

void run_throughput(Run& run) {
  const auto engines = given_or(run.options.engines, {4}).front();
  const auto sizes = given_or(run.options.sizes, {1000, 4000, 16000, 32000});
  for (const auto& transport : run.transports()) {
    run_limits(run, engines, transport);
    for (const auto& scheme : run.schemes({"controller", "direct"})) {
      keep(run.options, bench::throughput(run.stage.target(engines, scheme, transport), sizes, 100, say));
    }
  }
}

void run_map(Run& run) {
  const auto dts = given_or(run.options.dts_ms, run.options.quick ? std::vector<double>{1, 4, 16, 64, 128}
                                                                  : std::vector<double>{1, 2, 4, 8, 16, 32, 64, 128});
  for (const auto& transport : run.transports()) {
    for (const std::size_t count : given_or(run.options.engines, {4, 31, 63})) {
      run_limits(run, count, transport);
      for (const auto& scheme : run.schemes({"controller"})) {
        keep(run.options, bench::map(run.stage.target(count, scheme, transport), dts, run.options.ideal_s, say));
      }
    }
  }
}

void run_exec(Run& run) {
  const auto target = run.stage.target(4, "controller", run.transports().front(), {"--allow-exec"});
  keep(run.options, {bench::exec_rate(target, run.options.quick ? 1024 : 4096)});
}

}  // namespace

void add_bench_commands(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  auto* command = app.add_subcommand("bench", "Run the latency, throughput and map experiments.");
  command->footer("Examples:\n  covey bench all --quick --report report\n  covey bench latency --engines 4 --n 32768,1000000\n  covey bench map --engines 63 --dt 1,4,16");
  command->require_subcommand(1);
  command->fallthrough();
  command->add_option("--engines", options->engines, "engines, as a list: 4,31,63")->delimiter(',')->check(CLI::Range(1, 4096));
  command->add_option("--n", options->counts, "tasks at a time (latency)")->delimiter(',')->check(CLI::PositiveNumber);
  command->add_option("--bytes", options->sizes, "sizes of arrays (throughput)")->delimiter(',')->check(CLI::PositiveNumber);
  command->add_option("--dt", options->dts_ms, "milliseconds of each sleep (map)")->delimiter(',')->check(CLI::PositiveNumber);
  command->add_option("--ideal", options->ideal_s, "seconds that a map should ideally take: 2, or 1 with --quick")->check(CLI::PositiveNumber);
  command->add_option("--scheme", options->schemes, "controller, direct")->delimiter(',')->check(CLI::IsMember({"controller", "direct"}));
  command->add_option("--transport", options->transports, "how the client reaches NATS: plain, tls")
      ->delimiter(',')
      ->check(CLI::IsMember({"plain", "tls"}));
  command->add_option("--json", options->json_file, "write the rows there")->type_name("FILE");
  command->add_option("--report", options->report_folder, "write results.json, plots and index.html there")->type_name("FOLDER");
  command->add_flag("--quick", options->quick, "fewer and shorter rounds: ideals of 1 s, five values of dt");
  command->add_flag("--full", options->full, "the whole matrix");
  command->add_flag("--no-limits", options->no_limits, "leave out bare NATS");
  options->where.add_to(*command);
  using Runner = void (*)(Run&);
  const auto add = [&](const char* name, const char* description, std::vector<Runner> runners) {
    command->add_subcommand(name, description)->fallthrough()->callback([options, runners] {
      if (options->ideal_s == 0) options->ideal_s = options->quick ? 1 : 2;
      {
        Stage stage(*options);
        Run run{*options, stage};
        for (const auto runner : runners) runner(run);
      }
      write_results(*options);
    });
  };
  add("latency", "n asynchronous echo('')", {run_latency});
  add("throughput", "echo of arrays of growing size", {run_throughput});
  add("map", "many sleeps of 1 to 128 ms", {run_map});
  add("exec", "many runs of /bin/true", {run_exec});
  add("all", "latency, throughput and map", {run_latency, run_throughput, run_map});

  auto where = std::make_shared<Where>();
  auto* peer = app.add_subcommand("bench-peer", "The other end of the bare NATS measurement.")->group("");
  where->add_to(*peer);
  peer->callback([where] { throw CLI::RuntimeError(bench::serve_limits(where->resolve())); });
}

}  // namespace covey::cli

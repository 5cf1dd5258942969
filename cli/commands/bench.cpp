// covey bench: the three experiments, on a cluster of its own or a named one.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "cli/commands/bench.hpp"
#include "cli/commands/bench_interrupt.hpp"

namespace covey::cli {

namespace {

constexpr std::size_t kUsualEngines = 4, kArrays = 100;

void say(const std::string& line) { fmt::print(stderr, "{}\n", line); }

void keep(BenchOptions& options, const bench::Rows& rows) {
  for (const auto& row : rows) {
    options.rows.push_back(row);
    if (!options.rows_as_they_come) continue;
    fmt::print(options.lines, "{}\n", boost::json::serialize(row));
    std::fflush(options.lines);
  }
}

// What an experiment takes where the command line does not say.
template <class T>
std::vector<T> given_or(const std::vector<T>& given, std::vector<T> otherwise) {
  return given.empty() ? std::move(otherwise) : given;
}

template <class T>
std::vector<T> doubling(T first, T last) {
  std::vector<T> values;
  for (T value = first; value <= last; value *= 2) values.push_back(value);
  return values;
}

using Counts = std::vector<std::size_t>;

// One run of the bench.
struct Run {
  BenchOptions& options;
  Stage& stage;
  std::set<std::string> limits_known = {};  // the transports whose limits have been measured

  bool whole_matrix() const { return options.full && options.own_cluster(); }
  Names transports() const { return given_or(options.transports, {stage.usual_transport()}); }
  Names all_transports() const { return whole_matrix() ? given_or(options.transports, {"plain", "tls", "ssh"}) : transports(); }
  Names schemes() const { return given_or(options.schemes, {"controller", "direct"}); }
  Counts engines(Counts otherwise) const {
    return options.own_cluster() ? given_or(options.engines, std::move(otherwise)) : Counts{stage.named_engines()};
  }
};

// The physical limit of a transport; null where it is not to be measured, or cannot.
std::unique_ptr<bench::BareNats> bare_nats(const Run& run, const bench::Target& target) {
  if (!run.options.own_cluster() || run.options.no_limits) return nullptr;
  return std::make_unique<bench::BareNats>(target.connect, local::own_executable(), run.stage.engine_file());
}

// It stands beside the first experiment over a transport.
void run_limits(Run& run, std::size_t engines, const std::string& transport) {
  if (!run.limits_known.insert(transport).second) return;
  const auto bare = bare_nats(run, run.stage.target(engines, "controller", transport));
  if (bare) keep(run.options, bare->limits(transport, run.options.quick ? 50 << 20 : 200 << 20, say));
}

void run_sequential(Run& run, std::size_t engines, const std::string& scheme, const std::string& transport, bool blocking) {
  say(fmt::format("sequential {} {}{}", scheme, transport, blocking ? " from a blocking thread" : ""));
  const auto target = run.stage.target(engines, scheme, transport, blocking ? Names{"--no-inline"} : Names{});
  const auto* mode = blocking ? "blocking thread, slot's thread" : "coroutine, inline";
  const auto bare = bare_nats(run, target);
  keep(run.options, {bench::sequential(target, blocking, run.options.quick ? 1000 : 5000, mode, bare.get())});
}

// Roundtrip rates by the number of engines.
void run_engines_series(Run& run) {
  const auto counts = given_or(run.options.counts, {32'768, 1'000'000});
  for (const std::size_t engines : doubling<std::size_t>(1, 128)) {
    if (engines == kUsualEngines) continue;  // measured already
    for (const auto& scheme : run.schemes()) {
      keep(run.options, bench::latency(run.stage.target(engines, scheme, run.all_transports().front()), counts, say));
    }
  }
}

void run_latency(Run& run) {
  auto usual = doubling<std::size_t>(1, 32'768);
  if (run.options.full) usual.push_back(1'000'000);
  const auto counts = given_or(run.options.counts, std::move(usual));
  const auto engines = run.engines({kUsualEngines});
  for (const auto& transport : run.all_transports()) {
    run_limits(run, engines.front(), transport);
    for (const std::size_t count : engines) {
      for (const auto& scheme : run.schemes()) {
        for (const std::size_t n : counts) keep(run.options, bench::latency(run.stage.target(count, scheme, transport), {n}, say));
        if (count == engines.front()) run_sequential(run, count, scheme, transport, false);
      }
    }
    if (!run.options.own_cluster()) continue;
    for (const auto& scheme : run.schemes()) run_sequential(run, engines.front(), scheme, transport, true);
  }
  if (run.whole_matrix() && run.options.engines.empty()) run_engines_series(run);
}

// Sizes of the command line have to travel; of the others what cannot is left out.
void on_refused(const BenchOptions& options, std::size_t size, const std::string& why) {
  if (!options.sizes.empty()) throw std::runtime_error(fmt::format("--bytes {}: {}", size, why));
  say(fmt::format("left out, {} bytes: {}", size, why));
}

void run_throughput(Run& run) {
  const auto sizes = given_or(run.options.sizes, run.options.full ? Counts{1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 64'000, 128'000, 256'000,
                                                                           512'000, 1'000'000, 2'000'000, 4'000'000, 8'000'000, 16'000'000,
                                                                           32'000'000, 64'000'000}
                                                                  : Counts{1'000, 4'000, 16'000, 32'000, 64'000, 256'000, 1'000'000, 4'000'000});
  bench::Sizes arrays{sizes, kArrays, say, [&](std::size_t size, const std::string& why) { on_refused(run.options, size, why); }};
  for (const auto& transport : run.all_transports()) {
    for (const std::size_t engines : run.engines({kUsualEngines})) {
      run_limits(run, engines, transport);
      for (const auto& scheme : run.schemes()) {
        for (const std::size_t size : sizes) {
          arrays.sizes = {size};
          keep(run.options, bench::throughput(run.stage.target(engines, scheme, transport), arrays));
          if (scheme == "controller") keep(run.options, bench::push(run.stage.target(engines, scheme, transport), arrays));
        }
      }
    }
  }
}

void run_map(Run& run) {
  const auto dts = given_or(run.options.dts_ms, run.options.quick ? std::vector<double>{1, 4, 16, 64, 128} : doubling<double>(1, 128));
  const double ideal_s = run.options.ideal_s > 0 ? run.options.ideal_s : run.options.quick ? 1 : 2;
  for (const auto& transport : run.transports()) {
    for (const std::size_t engines : run.engines({4, 31, 63})) {
      run_limits(run, engines, transport);
      for (const auto& scheme : given_or(run.options.schemes, {"controller"})) {
        for (const double dt : dts) keep(run.options, bench::map(run.stage.target(engines, scheme, transport), {dt}, ideal_s, say));
      }
    }
  }
}

void run_exec(Run& run) {
  const auto engines = run.engines({kUsualEngines}).front();
  const auto target = run.stage.target(engines, "controller", run.transports().front(), {"--allow-exec"});
  keep(run.options, {bench::exec_rate(target, run.options.quick ? 1024 : 4096)});
}

// What is wrong with options together, or with the named cluster.
void check(const Run& run) {
  const auto& options = run.options;
  const auto asked_for = [&](const char* transport) { return std::count(options.transports.begin(), options.transports.end(), transport) > 0; };
  const bool through_ssh = asked_for("ssh") || (run.whole_matrix() && options.transports.empty());
  if (!options.ssh.empty() && !through_ssh) throw CLI::ValidationError("--ssh", "is for the transport ssh: add --transport ssh");
  if (options.own_cluster()) return;
  const auto url = options.where.resolve().nats_url;
  const auto usual = run.stage.usual_transport();
  if (asked_for(usual == "tls" ? "plain" : "tls")) {
    throw CLI::ValidationError("--transport", fmt::format("the connection to {} is {}: leave --transport out, or say {} or ssh{}", url, usual, usual,
                                                          usual == "tls" ? "" : "; --tls-ca FILE makes it tls"));
  }
  for (const auto engines : options.engines) {
    if (engines == run.stage.named_engines()) continue;
    throw CLI::ValidationError("--engines", fmt::format("{}: the cluster at {} has {}: leave --engines out", engines, url, run.stage.named_engines()));
  }
}

// For lists: the value that is wrong is named, and what would be right.
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
  return {[low, high](std::string& text) {
            std::uint64_t value = 0;
            const auto end = text.data() + text.size();
            const auto parsed = std::from_chars(text.data(), end, value);
            const bool good = parsed.ec == std::errc() && parsed.ptr == end && value >= low && value <= high;
            return good ? std::string() : fmt::format("'{}' is not a whole number from {} to {}", text, low, high);
          },
          std::string()};
}

CLI::Validator number(double low, double high) {
  return {[low, high](std::string& text) {
            double value = 0;
            const auto end = text.data() + text.size();
            const auto parsed = std::from_chars(text.data(), end, value);
            const bool good = parsed.ec == std::errc() && parsed.ptr == end && value >= low && value <= high;
            return good ? std::string() : fmt::format("'{}' is not a number from {} to {}", text, low, high);
          },
          std::string()};
}

void add_options(CLI::App& command, BenchOptions& options) {
  command.add_option("--engines", options.engines, "engines, as a list: 4,31,63")->delimiter(',')->check(whole_number(1, 4096));
  command.add_option("--n", options.counts, "tasks at a time (latency), as a list")->delimiter(',')->check(whole_number(1, 100'000'000));
  command.add_option("--bytes", options.sizes, "sizes of arrays (throughput), as a list")->delimiter(',')->check(whole_number(1, 1 << 30));
  command.add_option("--dt", options.dts_ms, "milliseconds of each sleep (map), as a list")->delimiter(',')->check(number(0.01, 3'600'000));
  command.add_option("--ideal", options.ideal_s, "seconds that a map should ideally take: 2, or 1 with --quick")->check(number(0.001, 3'600));
  command.add_option("--scheme", options.schemes, "controller, direct")->delimiter(',')->check(CLI::IsMember({"controller", "direct"}));
  command.add_option("--transport", options.transports, "how the client reaches NATS: plain, tls, ssh")
      ->delimiter(',')
      ->check(CLI::IsMember({"plain", "tls", "ssh"}));
  command.add_option("--ssh", options.ssh, "SSH server for the transport ssh, which sees NATS under the same address; a private one on loopback unless given")
      ->check([](const std::string& server) {
        const bool good = !server.empty() && server.front() != '-' && server.find_first_of(" \t\n") == std::string::npos;
        return good ? std::string() : fmt::format("'{}' is no SSH server: user@host or ssh://user@host:port is", server);
      })
      ->type_name("USER@HOST");
  command.add_option("--json", options.json_file, "write the rows there")->type_name("FILE");
  command.add_flag("--rows", options.rows_as_they_come, "print each row as a line of JSON as soon as it is there");
  command.add_option("--report", options.report_folder, "write results.json there, for bench/report/render.py to draw")->type_name("FOLDER");
  auto* quick = command.add_flag("--quick", options.quick, "fewer and shorter rounds: ideals of 1 s, five values of dt");
  command.add_flag("--full", options.full, "the whole matrix: a million tasks, 1 to 128 engines, plain, tls and ssh, arrays up to 64 MB")->excludes(quick);
  command.add_flag("--no-limits", options.no_limits, "leave out bare NATS");
  options.where.add_to(command);
}

using Runner = void (*)(Run&);

std::vector<Runner> runners_of(const std::string& experiment) {
  if (experiment == "latency") return {run_latency};
  if (experiment == "throughput") return {run_throughput};
  if (experiment == "map") return {run_map};
  if (experiment == "exec") return {run_exec};
  return {run_latency, run_throughput, run_map};
}

}  // namespace

void run_benchmark(BenchOptions& options, const std::string& experiment) {
  {
    Stage stage(options);
    Run run{options, stage};
    check(run);
    for (const auto runner : runners_of(experiment)) runner(run);
  }
  write_results(options);
}

// A cluster of its own goes with the process; another's is not to go on with tasks that nobody waits for.
void run_from_command_line(BenchOptions& options, const std::string& experiment) {
  if (options.own_cluster()) return run_benchmark(options, experiment);
  const BenchInterrupt interrupt;
  try {
    run_benchmark(options, experiment);
  } catch (const std::exception&) {
    if (!interrupt.happened()) throw;
    say("interrupted; its tasks are cancelled");
    throw CLI::RuntimeError(kInterrupted);
  }
}

void add_bench_commands(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  auto* command = app.add_subcommand("bench", "Run the latency, throughput and map experiments.");
  command->footer(
      "Without --connect or --nats it runs on clusters of its own.\n\n"
      "Examples:\n"
      "  covey bench all --quick --report report\n"
      "  covey bench latency --engines 4 --n 32768,1000000\n"
      "  covey bench latency --transport plain,tls,ssh --scheme direct\n"
      "  covey bench throughput --transport ssh --ssh me@gateway --connect client.json\n"
      "  covey bench map --engines 63 --dt 1,4,16");
  command->require_subcommand(1);
  command->fallthrough();
  add_options(*command, *options);
  const auto add = [&](const char* name, const char* description) {
    command->add_subcommand(name, description)->fallthrough()->callback([options, name] { run_from_command_line(*options, name); });
  };
  add("latency", "n asynchronous echo('')");
  add("throughput", "arrays of growing size, echoed by all engines and pushed to one");
  add("map", "many sleeps of 1 to 128 ms");
  add("exec", "many runs of /bin/true");
  add("all", "latency, throughput and map");

  auto where = std::make_shared<Where>();
  auto* peer = app.add_subcommand("bench-peer", "The other end of the bare NATS measurement.")->group("");
  where->add_to(*peer);
  peer->callback([where] { throw CLI::RuntimeError(bench::serve_limits(where->resolve())); });
}

}  // namespace covey::cli

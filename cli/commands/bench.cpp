// covey bench: the three experiments, on a cluster of its own or a named one.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <ctime>
#include <fstream>

#include "bench/experiments.hpp"
#include "cli/commands/command.hpp"
#include "cli/local/local_cluster.hpp"

namespace covey::cli {

namespace json = boost::json;

namespace {

struct BenchOptions {
  Where where;
  std::vector<std::size_t> engines, counts, sizes;
  std::vector<double> dts_ms;
  std::vector<std::string> schemes{"controller", "direct"}, transports{"plain"};
  double ideal_s = 2;
  std::string json_file, report_folder;
  bool quick = false, full = false, no_limits = false;
  json::array rows;

  bool own_cluster() const { return where.connect_file.empty() && where.nats_url.empty(); }
};

void say(const std::string& line) { fmt::print(stderr, "{}\n", line); }

// Clusters of the bench's own, one at a time; gone with this object.
class Stage {
 public:
  explicit Stage(BenchOptions& options) : options_(options) {}

  bench::Target target(std::size_t engines, const std::string& scheme, const std::string& transport,
                       const std::vector<std::string>& engine_arguments = {}) {
    if (!options_.own_cluster()) return {options_.where.resolve(), engines, scheme, transport};
    if (cluster_ && engine_arguments_ == engine_arguments && transport_ == transport && cluster_->engines() == engines) {
      return {cluster_->client(), engines, scheme, transport};
    }
    cluster_.reset();
    engine_arguments_ = engine_arguments;
    transport_ = transport;
    local::LocalCluster::Options options;
    options.folder = std::filesystem::temp_directory_path() / fmt::format("covey-bench-{}", ::getpid());
    options.executable = local::own_executable();
    options.engines = engines;
    options.engine_arguments = engine_arguments;
    cluster_ = std::make_unique<local::LocalCluster>(options);
    return {cluster_->client(), engines, scheme, transport};
  }
  local::LocalCluster* cluster() { return cluster_.get(); }
  ~Stage() {
    if (!cluster_) return;
    const auto folder = cluster_->folder();
    cluster_.reset();
    std::filesystem::remove_all(folder);
  }

 private:
  BenchOptions& options_;
  std::unique_ptr<local::LocalCluster> cluster_;
  std::vector<std::string> engine_arguments_;
  std::string transport_;
};

void keep(BenchOptions& options, const bench::Rows& rows) {
  for (const auto& row : rows) options.rows.push_back(row);
}

void run_limits(BenchOptions& options, Stage& stage) {
  if (!options.own_cluster() || options.no_limits) return;
  const auto target = stage.target(4, "controller", "plain");
  keep(options, bench::limits(target.connect, local::own_executable(), (stage.cluster()->folder() / "engine.json").string(), say));
}

void run_latency(BenchOptions& options, Stage& stage) {
  const auto engines = options.engines.empty() ? std::vector<std::size_t>{4} : options.engines;
  auto counts = options.counts;
  if (counts.empty()) counts = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  for (const auto& transport : options.transports) {
    for (const std::size_t count : engines) {
      for (const auto& scheme : options.schemes) {
        const auto target = stage.target(count, scheme, transport);
        keep(options, bench::latency(target, counts, say));
        if (count == engines.front()) {
          say(fmt::format("sequential {} {}", scheme, transport));
          keep(options, {bench::sequential(target, false, options.quick ? 1000 : 5000, "coroutine, inline")});
        }
      }
    }
    if (!options.own_cluster()) continue;
    for (const auto& scheme : options.schemes) {
      say(fmt::format("sequential {} {} from a blocking thread", scheme, transport));
      const auto target = stage.target(engines.front(), scheme, transport, {"--no-inline"});
      keep(options, {bench::sequential(target, true, options.quick ? 1000 : 5000, "blocking thread, slot's thread")});
    }
  }
}

void run_throughput(BenchOptions& options, Stage& stage) {
  auto sizes = options.sizes;
  if (sizes.empty()) sizes = {1000, 4000, 16000, 32000};
  for (const auto& transport : options.transports) {
    for (const auto& scheme : options.schemes) {
      keep(options, bench::throughput(stage.target(4, scheme, transport), sizes, 100, say));
    }
  }
}

void run_map(BenchOptions& options, Stage& stage) {
  const auto engines = options.engines.empty() ? std::vector<std::size_t>{4, 31, 63} : options.engines;
  auto dts = options.dts_ms;
  if (dts.empty()) dts = options.quick ? std::vector<double>{1, 4, 16, 64, 128} : std::vector<double>{1, 2, 4, 8, 16, 32, 64, 128};
  for (const std::size_t count : engines) {
    keep(options, bench::map(stage.target(count, "controller", "plain"), dts, options.ideal_s, say));
  }
}

void run_exec(BenchOptions& options, Stage& stage) {
  keep(options, {bench::exec_rate(stage.target(4, "controller", "plain", {"--allow-exec"}), options.quick ? 1024 : 4096)});
}

double number(const json::object& row, std::string_view key) {
  const auto* value = row.if_contains(key);
  return value == nullptr ? 0 : value->to_number<double>();
}

std::string line_of(const json::object& row) {
  const std::string experiment(row.at("experiment").as_string());
  const auto text = [&](std::string_view key) {
    const auto* value = row.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  if (experiment == "limit" && text("what") == "request_reply") {
    return fmt::format("bare NATS request/reply: p50 {:.0f} us, p99 {:.0f} us", number(row, "p50_us"), number(row, "p99_us"));
  }
  if (experiment == "limit") {
    return fmt::format("bare NATS one-way, {:>7.0f} B: {:>9.0f} messages/s, {:.2f} GB/s", number(row, "bytes"), number(row, "messages_per_s"),
                       number(row, "bytes_per_s") / 1e9);
  }
  const auto head = fmt::format("{:<10} {:<10} {:<5} engines {:>3.0f}", experiment, text("scheme"), text("transport"), number(row, "engines"));
  if (experiment == "sequential") {
    return fmt::format("{}  p50 {:.0f} us, p99 {:.0f} us, p99.9 {:.0f} us  ({})", head, number(row, "p50_us"), number(row, "p99_us"),
                       number(row, "p999_us"), text("mode"));
  }
  if (experiment == "throughput") {
    return fmt::format("{}  {:>9.0f} B: sent {:.2f} ms, roundtrip {:.2f} ms, {:.2f} Gbit/s", head, number(row, "bytes"), number(row, "sent_s") * 1e3,
                       number(row, "roundtrip_s") * 1e3, number(row, "gbit_per_s"));
  }
  if (experiment == "map") {
    return fmt::format("{}  dt {:>5.0f} ms, n {:>6.0f}: efficiency {:.3f}, {:.0f} us overhead a task", head, number(row, "dt") * 1e3, number(row, "n"),
                       number(row, "efficiency"), number(row, "overhead_us_per_task"));
  }
  return fmt::format("{}  n {:>8.0f}: sent {:>10.0f}/s, roundtrip {:>10.0f}/s", head, number(row, "n"),
                     number(row, "sent_s") > 0 ? number(row, "n") / number(row, "sent_s") : 0, number(row, "roundtrip_tasks_per_s"));
}

std::string now_text() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

void write_results(const BenchOptions& options) {
  for (const auto& row : options.rows) fmt::print("{}\n", line_of(row.get_object()));
  const json::object document{
      {"meta", json::object{{"date", now_text()},
                            {"machine", json::object{{"cores", ::sysconf(_SC_NPROCESSORS_ONLN)}, {"model", cpu_model()}}},
                            {"covey", COVEY_VERSION},
                            {"quick", options.quick}}},
      {"rows", options.rows}};
  auto file = options.json_file;
  if (!options.report_folder.empty()) {
    std::filesystem::create_directories(options.report_folder);
    if (file.empty()) file = options.report_folder + "/results.json";
  }
  if (file.empty()) return;
  std::ofstream out(file);
  out << json::serialize(document) << "\n";
  if (!out) throw std::runtime_error("cannot write " + file);
  fmt::print("Results are in {}\n", file);
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
  command->add_option("--ideal", options->ideal_s, "seconds that a map should ideally take")->capture_default_str()->check(CLI::PositiveNumber);
  command->add_option("--scheme", options->schemes, "controller, direct")->delimiter(',')->check(CLI::IsMember({"controller", "direct"}));
  command->add_option("--transport", options->transports, "plain")->delimiter(',')->check(CLI::IsMember({"plain"}));
  command->add_option("--json", options->json_file, "write the rows there")->type_name("FILE");
  command->add_option("--report", options->report_folder, "write results.json, plots and index.html there")->type_name("FOLDER");
  command->add_flag("--quick", options->quick, "fewer and shorter rounds: ideals of 1 s, five values of dt");
  command->add_flag("--full", options->full, "the whole matrix");
  command->add_flag("--no-limits", options->no_limits, "leave out bare NATS");
  options->where.add_to(*command);
  using Runner = void (*)(BenchOptions&, Stage&);
  const auto add = [&](const char* name, const char* description, std::vector<Runner> runners) {
    command->add_subcommand(name, description)->fallthrough()->callback([options, runners] {
      if (options->quick) options->ideal_s = 1;
      {
        Stage stage(*options);
        run_limits(*options, stage);
        for (const auto runner : runners) runner(*options, stage);
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

// What the benches found: a line for each row, and results.json.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "cli/commands/bench.hpp"

namespace covey::cli {

namespace json = boost::json;

namespace {

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
    const auto over = row.contains("over_bare") ? fmt::format(", {:.2f} x bare NATS", number(row, "over_bare")) : std::string();
    return fmt::format("{}  p50 {:.0f} us{}, p99 {:.0f} us, p99.9 {:.0f} us  ({})", head, number(row, "p50_us"), over, number(row, "p99_us"),
                       number(row, "p999_us"), text("mode"));
  }
  if (experiment == "throughput" || experiment == "push") {
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

}  // namespace

void write_results(const BenchOptions& options) {
  for (const auto& row : options.rows) {
    if (!options.rows_as_they_come) fmt::print(options.lines, "{}\n", line_of(row.get_object()));
  }
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
  fmt::print(options.lines, "Results are in {}\n", file);
}

}  // namespace covey::cli

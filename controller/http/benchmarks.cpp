#include "controller/http/benchmarks.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "controller/http/fields.hpp"
#include "controller/http/handlers.hpp"
#include "controller/http/requests.hpp"
#include "controller/http/services.hpp"
#include "controller/http/task_json.hpp"

namespace covey::api {

namespace json = boost::json;

namespace {

constexpr auto kLookPause = std::chrono::milliseconds(200);
constexpr auto kStopGrace = std::chrono::milliseconds(500);
constexpr auto kEndGrace = std::chrono::seconds(15);  // from SIGTERM to SIGKILL: it cancels its tasks, and has 10 s for that
constexpr std::size_t kMostNumbers = 32, kMostMessage = 2'000;

// What can be varied, by experiment, and what is taken where a request does not say.
struct Parameter {
  std::string_view experiment, name;
  bool whole;
  double least, most;
  std::vector<double> usual;
  std::vector<std::string> schemes;
};
const Parameter kParameters[] = {
    {"latency", "n", true, 1, 1'000'000, {1, 4, 16, 64, 256, 1'024, 4'096, 16'384}, {"controller", "direct"}},
    {"throughput", "bytes", true, 1, 64'000'000, {1'000, 4'000, 16'000, 64'000, 256'000, 1'000'000, 4'000'000}, {"controller", "direct"}},
    {"map", "dt", false, 0.01, 10'000, {1, 4, 16, 64, 128}, {"controller"}},
};

std::vector<double> numbers_of(Fields& fields, const Parameter& parameter) {
  const json::value* value = fields.any(parameter.name);
  if (value == nullptr) return parameter.usual;
  const json::array* list = value->if_array();
  const auto good = [&](const json::value& one) {
    if (!one.is_number()) return false;
    const double number = one.to_number<double>();
    return number >= parameter.least && number <= parameter.most && (!parameter.whole || number == std::floor(number));
  };
  if (list == nullptr || list->empty() || list->size() > kMostNumbers || !std::all_of(list->begin(), list->end(), good)) {
    fields.wrong(parameter.name, fmt::format("'{}' is no list of numbers that are possible here.", parameter.name),
                 fmt::format("1 to {} {}numbers from {} to {}", kMostNumbers, parameter.whole ? "whole " : "", parameter.least, parameter.most));
    return {};
  }
  std::vector<double> numbers;
  for (const auto& one : *list) numbers.push_back(one.to_number<double>());
  return numbers;
}

std::vector<std::string> schemes_of(Fields& fields, const Parameter& parameter) {
  auto schemes = fields.texts("scheme", 2);
  for (const auto& scheme : schemes) {
    if (scheme != "controller" && scheme != "direct") {
      fields.wrong("scheme", fmt::format("There is no scheme '{}'.", scheme), "some of controller, direct, in a list");
    }
  }
  return schemes.empty() ? parameter.schemes : schemes;
}

// How many rows `covey bench` is going to tell: latency ends with one task after another, and arrays are also pushed to an
// engine that the scheme controller names.
std::size_t rows_of(const std::string& experiment, std::size_t numbers, const std::vector<std::string>& schemes) {
  if (experiment == "latency") return schemes.size() * (numbers + 1);
  const auto pushed = experiment == "throughput" ? std::count(schemes.begin(), schemes.end(), "controller") : 0;
  return numbers * (schemes.size() + static_cast<std::size_t>(pushed));
}

std::string utc(std::chrono::system_clock::time_point at) {
  return timestamp(std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
}

Problem no_benchmark(const Services& services, const std::string& id) {
  return {Kind::not_found, fmt::format("There is no benchmark '{}'.", id), "id",
          fmt::format("the id that POST /v1/benchmarks answered; the last {} are kept, the limit http-benchmarks-kept", services.options.limits.benchmarks_kept)};
}

}  // namespace

Outcome<BenchmarkRequest> parse_benchmark(const json::object& body) {
  Fields fields(body, {});
  BenchmarkRequest request{fields.required_text("experiment", 20), {}, 0};
  const auto of_it = [&](const Parameter& parameter) { return parameter.experiment == request.experiment; };
  const auto parameter = std::find_if(std::begin(kParameters), std::end(kParameters), of_it);
  if (parameter == std::end(kParameters)) {
    fields.wrong("experiment", fmt::format("There is no experiment '{}'.", request.experiment), "latency, throughput or map");
    return *fields.problem();
  }
  const auto numbers = numbers_of(fields, *parameter);
  const auto schemes = schemes_of(fields, *parameter);
  request.arguments = {fmt::format("--{}", parameter->name), fmt::format("{}", fmt::join(numbers, ",")), "--scheme", fmt::format("{}", fmt::join(schemes, ","))};
  request.rows = rows_of(request.experiment, numbers.size(), schemes);
  if (fields.boolean("quick", true)) request.arguments.emplace_back("--quick");
  fields.refuse_others();
  if (fields.problem()) return *fields.problem();
  return request;
}

Benchmarks::Benchmarks(boost::asio::io_context& io, BenchmarkOptions options, const Limits& limits)
    : options_(std::move(options)), limits_(limits), timer_(io) {}
Benchmarks::~Benchmarks() { stop(); }

void Benchmarks::stop() {
  timer_.cancel();
  if (!child_) return;
  child_->stop(kStopGrace);
  end(-1);
}

// ---- one run ----

Outcome<json::object> Benchmarks::start(const BenchmarkRequest& request) {
  if (options_.connect_file.empty()) {
    return Problem{Kind::unavailable, "This controller runs no benchmarks: it was started without --http-benchmarks.", {},
                   "covey controller --http-benchmarks FILE, with what a client needs to connect"};
  }
  if (running_ != nullptr) {
    return Problem{Kind::busy, fmt::format("The benchmark {} is running, and a second one would spoil it.", running_->id), {}, {}, 5};
  }
  auto name = (std::filesystem::temp_directory_path() / "covey-benchmark-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0) return Problem{Kind::internal, fmt::format("The file {} cannot be made.", name), {}, {}};
  ::close(file);
  output_ = name;
  process::ChildProcess::Options child;
  child.argv = {options_.executable, "bench", request.experiment, "--rows", "--connect", options_.connect_file};
  child.argv.insert(child.argv.end(), request.arguments.begin(), request.arguments.end());
  child.output_file = name;
  try {
    child_ = std::make_unique<process::ChildProcess>(child);
  } catch (const std::system_error& error) {
    std::filesystem::remove(output_);
    return Problem{Kind::internal, fmt::format("{} cannot be started: {}.", options_.executable, error.code().message()), {}, {}};
  }
  if (runs_.size() == limits_.benchmarks_kept) runs_.pop_back();
  running_ = &runs_.emplace_front();
  running_->id = fmt::format("b{}", next_++);
  running_->experiment = request.experiment;
  running_->rows_wanted = request.rows;
  ending_ = Ending::none;
  deadline_ = std::chrono::steady_clock::now() + limits_.benchmark_time;
  read_ = 0;
  watch();
  return describe(*running_, true);
}

void Benchmarks::watch() {
  timer_.expires_after(kLookPause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !child_) return;
    look();
    if (child_) watch();
  });
}

void Benchmarks::look() {
  const auto status = child_->poll();
  read_lines(status.has_value());
  if (status) return end(*status);
  const auto now = std::chrono::steady_clock::now();
  if (ending_ == Ending::none && now >= deadline_) tell_to_end(Ending::too_long);
  if (ending_ != Ending::none && now >= told_at_ + kEndGrace) child_->signal(SIGKILL);
}

void Benchmarks::tell_to_end(Ending why) {
  ending_ = why;
  told_at_ = std::chrono::steady_clock::now();
  child_->signal(SIGTERM);
}

// Rows are lines of JSON; any other line says what is going on, or what went wrong.
void Benchmarks::read_lines(bool to_the_end) {
  std::ifstream in(output_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(read_));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto complete = to_the_end ? text.size() : text.rfind('\n') + 1;
  for (std::size_t at = 0; at < complete;) {
    const auto line_end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, line_end - at);
    at = line_end + 1;
    boost::system::error_code error;
    auto row = line.starts_with('{') ? json::parse(line, error) : json::value();
    if (row.is_object() && !error) {
      running_->rows.push_back(std::move(row));
    } else if (!line.empty()) {
      running_->message = line.substr(0, kMostMessage);
    }
  }
  read_ += std::min(complete, text.size());
}

void Benchmarks::end(int status) {
  running_->state = status == 0 ? "completed" : ending_ == Ending::cancelled ? "cancelled" : "failed";
  running_->ended = Clock::now();
  if (status == 0) running_->message.clear();
  if (status != 0 && ending_ == Ending::too_long) {
    running_->message = fmt::format("It took longer than the limit http-benchmark-time, {} s, and was ended.",
                                    std::chrono::duration<double>(limits_.benchmark_time).count());
  }
  running_ = nullptr;
  child_.reset();
  std::error_code ignored;
  std::filesystem::remove(output_, ignored);
}

// ---- what is told ----

json::object Benchmarks::describe(const Run& run, bool with_rows) const {
  json::object told{{"id", run.id}, {"experiment", run.experiment}, {"state", run.state}, {"started", utc(run.started)}, {"row_count", run.rows.size()},
                    {"row_total", run.rows_wanted}};
  if (run.ended != Clock::time_point{}) told["ended"] = utc(run.ended);
  if (!run.message.empty()) told[run.state == "failed" ? "error" : "message"] = run.message;
  if (with_rows) told["rows"] = run.rows;
  return told;
}

std::optional<json::object> Benchmarks::describe(const std::string& id) const {
  const auto run = std::find_if(runs_.begin(), runs_.end(), [&](const Run& one) { return one.id == id; });
  if (run == runs_.end()) return std::nullopt;
  return describe(*run, true);
}

json::array Benchmarks::list() const {
  json::array all;
  for (const Run& run : runs_) all.push_back(describe(run, false));
  return all;
}

Benchmarks::Removed Benchmarks::remove(const std::string& id) {
  const auto run = std::find_if(runs_.begin(), runs_.end(), [&](const Run& one) { return one.id == id; });
  if (run == runs_.end()) return Removed::no;
  if (&*run != running_) {
    runs_.erase(run);
    return Removed::gone;
  }
  if (ending_ == Ending::none) tell_to_end(Ending::cancelled);
  return Removed::ending;
}

// ---- handlers ----

namespace {

Reply reply_of(const json::object& benchmark, unsigned status) {
  Reply reply(status, json::serialize(benchmark) + "\n");
  reply.headers.emplace_back("Location", fmt::format("/v1/benchmarks/{}", std::string_view(benchmark.at("id").as_string())));
  return reply;
}

}  // namespace

Answer post_benchmarks(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  if (auto problem = refuse_other_media(*exchange)) co_return *problem;
  auto body = co_await exchange->read_body();
  if (!body) co_return body.error();
  auto value = parse_json(*body, exchange->services.options.limits.nesting);
  if (!value) co_return value.error();
  if (!value->is_object()) {
    co_return Problem{Kind::invalid_field, "A benchmark is a JSON object.", {}, R"(an object such as {"experiment": "latency", "n": [1, 1000]})"};
  }
  const auto request = parse_benchmark(value->get_object());
  if (!request) co_return request.error();
  Benchmarks& benchmarks = exchange->services.benchmarks;
  KeyedRequest keyed(*exchange, *body);
  if (auto problem = keyed.problem()) co_return *problem;
  if (const auto* before = keyed.before()) {
    const auto told = benchmarks.describe(before->made);
    if (!told) co_return Problem{Kind::gone, fmt::format("The benchmark '{}' of this Idempotency-Key is here no more.", before->made), {}, {}};
    auto reply = reply_of(*told, 200);
    reply.headers.emplace_back("Idempotency-Replayed", "true");
    co_return reply;
  }
  const auto started = benchmarks.start(*request);
  if (!started) co_return started.error();
  keyed.done([&](IdempotencyKeys::Entry& entry) { entry.made = started->at("id").as_string(); });
  co_return reply_of(*started, 202);
}

Answer list_benchmarks(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  co_return Reply(200, json::serialize(json::object{{"benchmarks", exchange->services.benchmarks.list()}}) + "\n");
}

Answer get_benchmark(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  const auto told = exchange->services.benchmarks.describe(exchange->params[0]);
  if (!told) co_return no_benchmark(exchange->services, exchange->params[0]);
  co_return Reply(200, json::serialize(*told) + "\n");
}

Answer delete_benchmark(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  switch (exchange->services.benchmarks.remove(exchange->params[0])) {
    case Benchmarks::Removed::no: co_return no_benchmark(exchange->services, exchange->params[0]);
    case Benchmarks::Removed::gone: co_return Reply(204, {});
    case Benchmarks::Removed::ending: break;
  }
  co_return Reply(202, fmt::format("{{\"id\":\"{}\",\"state\":\"cancelling\"}}\n", exchange->params[0]));
}

}  // namespace covey::api

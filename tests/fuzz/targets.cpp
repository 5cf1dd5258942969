#include "tests/fuzz/targets.hpp"

#include <boost/json.hpp>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "bench/jobs/parse.hpp"
#include "bench/jobs/records.hpp"
#include "client/core/client_core.hpp"
#include "controller/core/broker.hpp"
#include "controller/http/benchmarks.hpp"
#include "controller/http/router.hpp"
#include "controller/http/task_json.hpp"
#include "controller/http/tokens.hpp"
#include "engine/core/engine_core.hpp"
#include "engine/exec/builtins.hpp"
#include "engine/exec/chunk.hpp"
#include "operator/api/parallel_cluster.hpp"
#include "operator/api/parallel_job.hpp"
#include "operator/kube/json.hpp"
#include "operator/kube/list_watch.hpp"
#include "operator/kube/watch_event.hpp"
#include "operator/reconcile/job_observed.hpp"
#include "operator/reconcile/observed.hpp"

namespace covey::fuzz {
namespace {

const wire::Time kNow{std::chrono::seconds(1000)};
constexpr wire::Incarnation kController{1}, kEngine{2}, kClient{3};

struct Sink : wire::Outlet {
  void send(std::string_view, wire::ByteSpan) override {}
  void log(std::string_view) override {}
};

struct EngineSink : engine::Port {
  void send(std::string_view, wire::ByteSpan) override {}
  void log(std::string_view) override {}
  void start(const engine::RunOrder& order) override { held.push_back(order.run); }
  std::vector<engine::RunHandle> recall(std::size_t) override { return std::exchange(held, {}); }
  bool cancel(engine::RunHandle run) override { return std::erase(held, run) > 0; }
  void listen_direct(bool) override {}
  std::vector<engine::RunHandle> held;
};

struct ClientSink : client::Port {
  void send(std::string_view, wire::ByteSpan) override {}
  void log(std::string_view) override {}
  void on_result(std::uint64_t, const client::ResultView&) override {}
  void on_response(std::uint64_t, std::string_view) override {}
  void on_window(std::uint64_t) override {}
};

std::string frame(const wire::Header& header, wire::ByteSpan body) {
  std::string message(wire::kHeaderBytes, '\0');
  wire::write_header(reinterpret_cast<std::byte*>(message.data()), header);
  message += wire::as_text(body);
  return message;
}

std::string hello(wire::Role role, wire::Incarnation from) {
  wire::Writer out;
  wire::Hello greeting;
  greeting.role = role;
  greeting.session = wire::SessionId{9};
  wire::encode(out, greeting);
  return frame({wire::FrameKind::hello, 1, from, wire::Incarnation::none, 0, 0}, out.span());
}

}  // namespace

// The input arrives raw, and as the body of a valid frame of a link, so that the records are reached too.
void frames_to_controller(wire::ByteSpan input) {
  Sink sink;
  controller::Broker broker(kController, wire::Subjects("fuzz"), {}, sink);
  broker.on_connected(kNow);
  for (const auto& [role, from] : {std::pair{wire::Role::client, kClient}, std::pair{wire::Role::engine, kEngine}}) {
    broker.on_frame(role, input, kNow);
    broker.on_frame(role, wire::as_bytes(hello(role, from)), kNow);
    const auto body = input.first(std::min(input.size(), wire::kMaxFrameBytes - wire::kHeaderBytes));
    broker.on_frame(role, wire::as_bytes(frame({wire::FrameKind::data, 1, from, kController, 1, 0}, body)), kNow);
    broker.end_turn(kNow);
    broker.check();
  }
  broker.on_timer(kNow + std::chrono::seconds(10));
  broker.check();
}

void frames_to_engine(wire::ByteSpan input) {
  EngineSink sink;
  engine::EngineCore core(kEngine, wire::Subjects("fuzz"), {}, sink);
  core.on_connected(kNow);
  wire::Writer welcome;
  wire::encode(welcome, wire::Welcome{});
  core.on_frame(wire::Role::controller, wire::as_bytes(frame({wire::FrameKind::welcome, 1, kController, kEngine, 0, 0}, welcome.span())), kNow);
  const auto body = input.first(std::min(input.size(), wire::kMaxFrameBytes - wire::kHeaderBytes));
  core.on_frame(wire::Role::controller, wire::as_bytes(frame({wire::FrameKind::data, 1, kController, kEngine, 1, 0}, body)), kNow);
  core.on_frame(wire::Role::client, wire::as_bytes(frame({wire::FrameKind::direct, 1, kClient, wire::Incarnation::none, 1, 0}, body)), kNow);
  for (const auto role : {wire::Role::controller, wire::Role::client, wire::Role::engine}) core.on_frame(role, input, kNow);
  core.end_turn(kNow);
}

void frames_to_client(wire::ByteSpan input) {
  ClientSink sink;
  client::ClientCore core(kClient, wire::SessionId{9}, wire::Subjects("fuzz"), "fuzz", sink);
  core.on_connected(kNow);
  wire::TaskSpec spec;
  spec.function = "echo";
  const auto number = core.add_spec(spec);
  for (int i = 0; i < 4; ++i) core.submit({client::Scheme::controller, number, {}, nullptr, {}, 0});
  wire::Writer welcome;
  wire::encode(welcome, wire::Welcome{100, 1 << 20, 500});
  core.on_frame(wire::Role::controller, wire::as_bytes(frame({wire::FrameKind::welcome, 1, kController, kClient, 0, 0}, welcome.span())), kNow);
  core.end_turn(kNow);
  const auto body = input.first(std::min(input.size(), wire::kMaxFrameBytes - wire::kHeaderBytes));
  core.on_frame(wire::Role::controller, wire::as_bytes(frame({wire::FrameKind::data, 1, kController, kClient, 1, 0}, body)), kNow);
  for (const auto role : {wire::Role::controller, wire::Role::engine}) core.on_frame(role, input, kNow);
  core.end_turn(kNow);
}

void whole_values(wire::ByteSpan input) {
  if (const auto spec = wire::decode_spec(input)) {
    wire::Writer out;
    wire::encode_spec(out, *spec);
    if (wire::decode_spec(out.span()) != spec) std::abort();
  }
  if (const auto extras = wire::decode_extras(input)) {
    wire::Writer out;
    wire::encode_extras(out, *extras);
    if (wire::decode_extras(out.span()) != extras) std::abort();
  }
  static_cast<void>(wire::decode_report(input));
  static_cast<void>(wire::decode_content(input));
  static_cast<void>(wire::decode_hello(input));
  static_cast<void>(wire::decode_welcome(input));
  static_cast<void>(wire::decode_refuse(input));
  static_cast<void>(wire::parse_task_id(wire::as_text(input)));
  static_cast<void>(wire::Subjects("fuzz").sender_role(wire::as_text(input)));
}

void admin_requests(wire::ByteSpan input) {
  Sink sink;
  controller::Broker broker(kController, wire::Subjects("fuzz"), {}, sink);
  broker.on_connected(kNow);
  if (broker.ask(wire::as_text(input), kNow).empty()) std::abort();
}

void arguments(wire::ByteSpan input) {
  static const auto table = [] {
    engine::FunctionTable functions;
    engine::add_builtins(functions);
    return functions;
  }();
  const auto buffer = wire::Buffer(nullptr, input);
  for (const auto* name : {"echo", "fail", "sum", "sleep", "spin"}) {
    engine::CallContext context(engine::CallContext::Clock::now());
    context.cancel(false);  // so that a long sleep is none
    engine::run_guarded(*table.find(name), context, {wire::Codec::json, buffer});
    engine::run_guarded(*table.find(name), context, {wire::Codec::bytes, buffer});
    engine::run_chunk(*table.find(name), context, {wire::Codec::bytes, buffer});
  }
}

// A job or problems, never both and never neither; and what a map's inputs become is a list.
void job_files(wire::ByteSpan input) {
  const auto text = wire::as_text(input);
  for (const auto& setting : {std::string("steps.0.retries=1"), std::string(text.substr(0, 40))}) {
    const auto parsed = jobs::parse_job(text, "fuzz", {setting});
    if (parsed.job.has_value() != parsed.problems.empty()) std::abort();
  }
  const auto parsed = jobs::parse_job(text, "fuzz");
  if (parsed.job.has_value() != parsed.problems.empty()) std::abort();
  if (jobs::to_string(parsed.problems).empty() != parsed.problems.empty()) std::abort();
  for (std::size_t i = 0; parsed.job && i < parsed.job->steps.size(); ++i) {
    const auto* map = std::get_if<jobs::MapWork>(&parsed.job->steps[i].work);
    std::string filled;
    if (map != nullptr && map->arguments.fill({1, R"({"a":[1,{"b":"}"}]})", {}}, filled) && filled[0] != '[') std::abort();
  }
}

// What stays is a prefix, and it is found again as it was.
void job_outputs(wire::ByteSpan input) {
  const std::string text(wire::as_text(input));
  for (const auto& format : {jobs::RecordFormat::of_map(jobs::Format::ndjson, {}), jobs::RecordFormat::of_tasks(jobs::Format::csv)}) {
    std::istringstream in(text);
    const auto recovered = format.recover(in, 100);
    const auto* kept = std::get_if<jobs::Recovered>(&recovered);
    if (kept == nullptr) continue;
    if (kept->bytes > text.size()) std::abort();
    std::istringstream again(text.substr(0, kept->bytes));
    const auto second = format.recover(again, 100);
    if (!std::holds_alternative<jobs::Recovered>(second) || std::get<jobs::Recovered>(second).bytes != kept->bytes) std::abort();
  }
}

// What is valid JSON to the one that keeps nothing is valid to the other, and a task that is taken can be told.
void http_bodies(wire::ByteSpan input) {
  const auto text = wire::as_text(input);
  const auto value = api::parse_json(text, 32);
  if (value.has_value() != api::is_json(text, 32)) std::abort();
  if (!value) return;
  const boost::json::array* list = value->if_array();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) static_cast<void>(api::parse_task((*list)[i], i, "[i]"));
  const auto task = api::parse_task(*value, 0, {});
  if (task && task->spec.function.empty()) std::abort();
  std::vector<std::string_view> others;
  if (value->is_object()) {
    static_cast<void>(api::parse_spec(value->get_object(), {}, others));
    const auto benchmark = api::parse_benchmark(value->get_object());
    if (benchmark && (benchmark->arguments.empty() || benchmark->rows == 0)) std::abort();
  }
  std::string out;
  api::append_outcome(out, input, 1, kEngine, api::Printed::always);
  std::string bytes;
  if (api::decode_base64(text, bytes) && api::encode_base64(bytes).size() != text.size()) std::abort();
}

void http_targets(wire::ByteSpan input) {
  const auto text = wire::as_text(input);
  if (const auto target = api::parse_target(text)) {
    static_cast<void>(api::find_route(boost::beast::http::verb::get, target->segments));
    static_cast<void>(target->query.check({"wait"}));
    static_cast<void>(api::duration_parameter(target->query, "wait", {}, std::chrono::seconds(1)));
    static_cast<void>(api::number_parameter(target->query, "limit", 1, 1, 10));
  }
  static_cast<void>(api::parse_duration(text));
  api::Tokens tokens;
  if (tokens.parse(text).empty() && tokens.size() == 0) std::abort();
}

// The API server lets no such object in, but an older schema's, or a webhook's, may be anything.
void kubernetes_objects(wire::ByteSpan input) {
  const auto text = wire::as_text(input);
  static_cast<void>(kube::parse_watch_line(text));
  auto value = kube::parse_json(text);
  if (!value) return;
  static_cast<void>(crd::parse_parallel_cluster(*value));
  const auto job = crd::parse_parallel_job(*value);
  static_cast<void>(reconcile::read_job_cluster(&*value, job));
  static_cast<void>(reconcile::read_job_record(*value));
  static_cast<void>(reconcile::read_job_pod(*value));
  static_cast<void>(reconcile::read_progress(*value));
  static_cast<void>(reconcile::read_pod(*value));
  std::vector<reconcile::Engine> engines;
  static_cast<void>(reconcile::read_engines(*value, engines));
  static_cast<void>(kube::parse_page(std::move(*value)));
}

}  // namespace covey::fuzz

// /metrics, in Prometheus's text format.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>

#include "controller/http/handlers.hpp"
#include "controller/http/requests.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

namespace json = boost::json;

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::uint64_t kMaxEngines = 1000;

double number(const json::value& value) { return value.to_number<double>(); }

class Families {
 public:
  MetricFamily& add(std::string name, std::string help, MetricType type) {
    MetricFamily family;
    family.name = std::move(name);
    family.help = std::move(help);
    family.type = type;
    families_.push_back(std::move(family));
    return families_.back();
  }
  void gauge(std::string name, std::string help, double value) { put(add(std::move(name), std::move(help), MetricType::Gauge), {}, value); }
  void counter(std::string name, std::string help, double value) { put(add(std::move(name), std::move(help), MetricType::Counter), {}, value); }
  static void put(MetricFamily& family, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    family.metric.push_back(std::move(metric));
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void add_status(Families& out, const json::object& status) {
  const auto& tasks = status.at("tasks").as_object();
  out.counter("covey_tasks_submitted_total", "Tasks that the controller has taken", number(tasks.at("submitted")));
  auto& ended = out.add("covey_tasks_completed_total", "Tasks that have ended", MetricType::Counter);
  Families::put(ended, {{"status", "ok"}}, number(tasks.at("completed")));
  Families::put(ended, {{"status", "failed"}}, number(tasks.at("failed")));
  out.counter("covey_tasks_requeued_total", "Tasks that went back into the queue", number(tasks.at("requeued")));
  out.gauge("covey_tasks_unfinished", "Tasks that have not ended", number(tasks.at("unfinished")));
  out.gauge("covey_queue_depth", "Tasks that could run now and are with no engine", number(tasks.at("ready")));
  out.gauge("covey_tasks_assigned", "Tasks that engines have", number(tasks.at("assigned")));
  const auto& engines = status.at("engines").as_object();
  out.gauge("covey_engines", "Engines that are here", number(engines.at("live")));
  out.gauge("covey_slots", "Slots of all engines", number(engines.at("slots")));
  out.gauge("covey_slots_busy", "Slots that have a task", number(engines.at("busy_slots")));
  out.counter("covey_engines_lost_total", "Engines that fell silent", number(engines.at("lost")));
  out.gauge("covey_clients", "Clients over NATS", number(status.at("clients")));
  const auto& results = status.at("results").as_object();
  out.gauge("covey_result_bytes", "Results that nobody has taken yet", number(results.at("bytes")));
  out.counter("covey_results_evicted_total", "Results that were dropped to keep to the limit", number(results.at("evicted")));
}

// Buckets of powers of two, in microseconds.
void add_figures(Families& out, const json::object& figures) {
  auto& family = out.add("covey_task_latency_seconds", "From a task's submission to its end", MetricType::Histogram);
  ClientMetric metric;
  std::uint64_t sum = 0;
  const auto& buckets = figures.at("latency_buckets").as_array();
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    sum += buckets[i].to_number<std::uint64_t>();
    const double bound = i + 1 == buckets.size() ? std::numeric_limits<double>::infinity() : std::ldexp(1e-6, static_cast<int>(i));
    metric.histogram.bucket.push_back({sum, bound});
  }
  metric.histogram.sample_count = sum;
  metric.histogram.sample_sum = number(figures.at("latency_sum_us")) * 1e-6;
  family.metric.push_back(std::move(metric));
  auto& functions = out.add("covey_function_tasks_total", "Tasks that have ended, by function; beyond 1,000 functions the name is empty", MetricType::Counter);
  for (const auto& value : figures.at("functions").as_array()) {
    const std::string name(value.at("function").as_string());
    Families::put(functions, {{"function", name}, {"status", "ok"}}, number(value.at("ok")));
    Families::put(functions, {{"function", name}, {"status", "failed"}}, number(value.at("failed")));
  }
}

void add_engines(Families& out, const json::array& engines) {
  const auto all = [&](std::string name, std::string help, MetricType type, const char* key, double scale) {
    auto& family = out.add(std::move(name), std::move(help), type);
    for (const auto& engine : engines) {
      Families::put(family, {{"engine", std::string(engine.at("id").as_string())}, {"name", std::string(engine.at("name").as_string())}},
                    number(engine.at(key)) * scale);
    }
  };
  all("covey_engine_tasks_total", "Tasks that an engine has ended; of the first 1,000 engines", MetricType::Counter, "completed", 1);
  all("covey_engine_tasks", "Tasks that an engine has", MetricType::Gauge, "tasks", 1);
  all("covey_engine_mean_run_seconds", "How long an engine's tasks take", MetricType::Gauge, "mean_run_us", 1e-6);
  all("covey_engine_memory_bytes", "Memory that an engine's process has resident", MetricType::Gauge, "memory_bytes", 1);
  all("covey_engine_idle_seconds", "How long an engine has had nothing to do", MetricType::Gauge, "idle_s", 1);
}

void add_nats(Families& out, const NatsFigures& nats) {
  out.gauge("covey_nats_connected", "Whether the controller is connected to NATS", nats.connected ? 1 : 0);
  out.counter("covey_nats_reconnects_total", "Connections to NATS that were made anew", static_cast<double>(nats.reconnects));
  out.counter("covey_nats_dropped_messages_total", "Messages that were dropped because the controller did not read them in time",
              static_cast<double>(nats.dropped));
  out.gauge("covey_nats_buffered_bytes", "Bytes that wait to be written to NATS", static_cast<double>(nats.buffered_bytes));
}

void add_http(Families& out, const Services& services) {
  auto& answers = out.add("covey_http_answers_total", "Answers of this API, by route and status", MetricType::Counter);
  for (const auto& [key, count] : services.figures.answers) {
    Families::put(answers, {{"route", std::string(key.first)}, {"status", std::to_string(key.second)}}, static_cast<double>(count));
  }
  out.gauge("covey_http_connections", "Open connections", static_cast<double>(services.figures.connections));
  out.gauge("covey_http_blob_bytes", "Bytes of blobs", static_cast<double>(services.blobs.bytes()));
  out.gauge("covey_http_streams", "Open streams of events and results", static_cast<double>(services.figures.streams));
  out.counter("covey_http_refused_connections_total", "Connections beyond the limit", static_cast<double>(services.figures.refused_connections));
  out.gauge("covey_http_map_result_bytes", "Results of maps that are kept", static_cast<double>(services.maps.budget().used));
}

}  // namespace

Answer get_metrics(Exchange* exchange) {
  Services& services = exchange->services;
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  json::object about{{"what", "status"}};
  const auto status = co_await ask(&services, std::move(about));
  if (!status) co_return status.error();
  json::object more{{"what", "figures"}};
  const auto figures = co_await ask(&services, std::move(more));
  if (!figures) co_return figures.error();
  json::object who{{"what", "engines"}, {"limit", kMaxEngines}};
  const auto engines = co_await ask(&services, std::move(who));
  if (!engines) co_return engines.error();
  const NatsFigures nats = co_await nats_figures(&services);
  Families out;
  add_status(out, *status);
  add_figures(out, *figures);
  add_engines(out, engines->at("engines").as_array());
  add_nats(out, nats);
  add_http(out, services);
  co_return Reply(200, out.text(), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace covey::api

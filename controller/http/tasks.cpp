// /v1/tasks: putting in tasks, and what became of them.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "controller/http/handlers.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

namespace json = boost::json;

namespace {

Problem no_task(const std::string& id) {
  return {Kind::not_found, fmt::format("No task '{}' is known here.", id), "id", "the id of a task, such as 00c0ffee00c0ffee-17"};
}

std::string describe(Services& services, const TaskRecord& record) {
  const wire::TaskSpec& spec = services.tasks.spec_of(record);
  std::string out = fmt::format(R"({{"id":"{}","state":"{}","function":)", wire::to_string(services.gateway.id_of(record.sequence)),
                                record.ended ? "completed" : "submitted");
  append_quoted(out, spec.function);
  if (!spec.label.empty()) {
    out += R"(,"label":)";
    append_quoted(out, spec.label);
  }
  fmt::format_to(std::back_inserter(out), R"(,"submitted":"{}")", timestamp(record.submitted_us));
  if (record.ended) {
    out += ',';
    append_outcome(out, record.report.span(), record.attempts, record.engine);
  }
  out += '}';
  return out;
}

Outcome<std::vector<TaskRequest>> parse_tasks(const json::value& body, const Limits& limits) {
  std::vector<TaskRequest> requests;
  const json::array* list = body.if_array();
  if (list == nullptr) {
    auto one = parse_task(body, 0, {});
    if (!one) return one.error();
    requests.push_back(std::move(*one));
    return requests;
  }
  if (list->empty() || list->size() > limits.list_tasks) {
    return Problem{list->empty() ? Kind::invalid_field : Kind::too_large, fmt::format("The list has {} tasks.", list->size()), {},
                   fmt::format("1 to {} tasks, the limit http-list-tasks; POST /v1/maps takes any number", limits.list_tasks)};
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto one = parse_task((*list)[i], i, fmt::format("[{}]", i));
    if (!one) return one.error();
    requests.push_back(std::move(*one));
  }
  return requests;
}

}  // namespace

Answer post_tasks(Exchange* exchange) {
  Services& services = exchange->services;
  const Limits& limits = services.options.limits;
  if (auto problem = exchange->target.query.check({"wait"})) co_return *problem;
  const auto wait = duration_parameter(exchange->target.query, "wait", {}, limits.wait);
  if (!wait) co_return wait.error();
  const auto text = co_await exchange->read_body();
  if (!text) co_return text.error();
  const auto body = parse_json(*text, limits.nesting);
  if (!body) co_return body.error();
  const auto requests = parse_tasks(*body, limits);
  if (!requests) co_return requests.error();
  if (services.gateway.room() < requests->size()) {
    co_return Problem{Kind::queue_full, "The controller lets the API have no more unfinished tasks now.", {}, {}, 1};
  }
  const std::uint64_t first = services.tasks.submit(*requests);
  const auto until = std::chrono::steady_clock::now() + *wait;
  bool ended = true;
  std::string out = body->is_array() ? "[" : "";
  for (std::size_t i = 0; i < requests->size(); ++i) {
    if (wait->count() > 0) co_await services.tasks.wait(first + i, until);
    const TaskRecord* record = services.tasks.find(first + i);
    if (i > 0) out += ',';
    if (record == nullptr) {
      fmt::format_to(std::back_inserter(out), R"({{"id":"{}","state":"dropped"}})", wire::to_string(services.gateway.id_of(first + i)));
      continue;
    }
    ended &= record->ended;
    out += describe(services, *record);
  }
  out += body->is_array() ? "]\n" : "\n";
  Reply reply(ended ? 200 : 202, std::move(out));
  if (!body->is_array()) reply.headers.emplace_back("Location", "/v1/tasks/" + wire::to_string(services.gateway.id_of(first)));
  co_return reply;
}

Answer get_task(Exchange* exchange) {
  Services& services = exchange->services;
  const auto id = wire::parse_task_id(exchange->params[0]);
  if (!id || id->session != services.gateway.session()) co_return no_task(exchange->params[0]);
  const TaskRecord* record = services.tasks.find(id->sequence);
  if (record == nullptr) co_return no_task(exchange->params[0]);
  co_return Reply(200, describe(services, *record) + "\n");
}

}  // namespace covey::api

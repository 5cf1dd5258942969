// /v1/tasks: putting in tasks, and what became of them.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "controller/http/fields.hpp"
#include "controller/http/handlers.hpp"
#include "controller/http/requests.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

namespace json = boost::json;

namespace {

constexpr auto kLookAgain = std::chrono::milliseconds(100);  // at tasks of other clients, which nobody tells us of

Problem no_task(const std::string& id) {
  return {Kind::not_found, fmt::format("'{}' is not the id of a task.", id), "id", "an id such as 00c0ffee00c0ffee-17"};
}

std::string describe(Services& services, const TaskRecord& record, std::string_view state) {
  const wire::TaskSpec& spec = services.tasks.spec_of(record);
  std::string out = fmt::format(R"({{"id":"{}","state":"{}","function":)", wire::to_string(services.gateway.id_of(record.sequence)), state);
  append_quoted(out, spec.function);
  if (!spec.label.empty()) {
    out += R"(,"label":)";
    append_quoted(out, spec.label);
  }
  fmt::format_to(std::back_inserter(out), R"(,"submitted":"{}")", timestamp(record.submitted_us));
  if (record.ended) {
    out += ',';
    ValueBlob value = record.value;
    if (services.blobs.find(value.id) == nullptr) value.id.clear();
    append_outcome(out, record.report.span(), record.attempts, record.engine, Printed::always, value);
  }
  out += '}';
  return out;
}

// The controller calls a task's id "task".
json::object renamed(json::object object) {
  json::object task;
  if (const auto* id = object.if_contains("task")) task["id"] = *id;
  for (const auto& member : object) {
    if (member.key() != "task") task[member.key()] = member.value();
  }
  return task;
}

std::string submission_of(Services& services, std::uint64_t first, std::uint64_t count) {
  return fmt::format("{}+{}", wire::to_string(services.gateway.id_of(first)), count);
}

// ---- putting in ----

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

// Puts the blobs' bytes where requests name them.
std::optional<Problem> take_blobs(const BlobStore& blobs, std::vector<TaskRequest>& requests, bool list) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].args_blob.empty()) continue;
    const auto* content = blobs.find(requests[i].args_blob);
    if (content == nullptr) {
      return Problem{Kind::not_found, fmt::format("No blob '{}' is here.", requests[i].args_blob), list ? fmt::format("[{}].args_blob", i) : "args_blob",
                     "the id of a blob that was PUT to /v1/blobs, or a task's value_blob"};
    }
    requests[i].args.buffer = *content;
  }
  return std::nullopt;
}

struct Submitted {
  std::uint64_t first = 0, count = 1;
  bool list = false;
  bool replayed = false;
};

// Waits for them as long as is wanted, and tells how they stand.
boost::asio::awaitable<Reply> answer_with(Services* services, Submitted tasks, std::chrono::milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  bool ended = true;
  std::string out;
  for (std::uint64_t sequence = tasks.first; sequence < tasks.first + tasks.count; ++sequence) {
    if (wait.count() > 0) co_await services->tasks.wait(sequence, until);
    const TaskRecord* record = services->tasks.find(sequence);
    if (!out.empty()) out += ',';
    if (record == nullptr) {
      fmt::format_to(std::back_inserter(out), R"({{"id":"{}","state":"dropped"}})", wire::to_string(services->gateway.id_of(sequence)));
      continue;
    }
    ended &= record->ended;
    out += describe(*services, *record, record->ended ? "completed" : "submitted");
  }
  if (tasks.list) out = fmt::format(R"({{"submission":"{}","tasks":[{}]}})", submission_of(*services, tasks.first, tasks.count), out);
  out += '\n';
  Reply reply(ended ? 200 : 202, std::move(out));
  if (!tasks.list) reply.headers.emplace_back("Location", "/v1/tasks/" + wire::to_string(services->gateway.id_of(tasks.first)));
  if (tasks.replayed) reply.headers.emplace_back("Idempotency-Replayed", "true");
  co_return reply;
}

Problem queue_full() { return {Kind::queue_full, "The controller lets the API have no more unfinished tasks now.", {}, {}, 1}; }

}  // namespace

Answer post_tasks(Exchange* exchange) {
  Services& services = exchange->services;
  const Limits& limits = services.options.limits;
  if (auto problem = exchange->target.query.check({"wait"})) co_return *problem;
  const auto wait = duration_parameter(exchange->target.query, "wait", {}, limits.wait);
  if (!wait) co_return wait.error();
  if (auto problem = refuse_other_media(*exchange)) co_return *problem;
  const auto text = co_await exchange->read_body();
  if (!text) co_return text.error();
  const auto body = parse_json(*text, limits.nesting);
  if (!body) co_return body.error();
  auto requests = parse_tasks(*body, limits);
  if (!requests) co_return requests.error();
  Submitted submitted;
  {
    KeyedRequest keyed(*exchange, *text);
    if (auto problem = keyed.problem()) co_return *problem;
    submitted = {0, requests->size(), body->is_array(), false};
    if (const auto* before = keyed.before()) {
      submitted.first = before->first;
      submitted.replayed = true;
    } else {
      if (auto problem = take_blobs(services.blobs, *requests, body->is_array())) co_return *problem;
      if (services.gateway.room() < requests->size()) co_return queue_full();
      submitted.first = services.tasks.submit(*requests);
      keyed.done([&](IdempotencyKeys::Entry& entry) { entry.first = submitted.first; });
    }
  }
  co_return co_await answer_with(&services, submitted, *wait);
}

Answer retry_task(Exchange* exchange) {
  Services& services = exchange->services;
  if (auto problem = exchange->target.query.check({"wait"})) co_return *problem;
  const auto wait = duration_parameter(exchange->target.query, "wait", {}, services.options.limits.wait);
  if (!wait) co_return wait.error();
  const auto id = wire::parse_task_id(exchange->params[0]);
  if (!id) co_return no_task(exchange->params[0]);
  const TaskRecord* record = id->session == services.gateway.session() ? services.tasks.find(id->sequence) : nullptr;
  if (record == nullptr) {
    co_return Problem{Kind::conflict, "Its arguments are not here: it came from another client, or was dropped from the history.", "id",
                      "a task that was put in with POST /v1/tasks and has ended lately"};
  }
  if (!record->ended) co_return Problem{Kind::conflict, "It has not ended yet.", "id", "a task that has ended"};
  Submitted submitted;
  {
    KeyedRequest keyed(*exchange, {});
    if (auto problem = keyed.problem()) co_return *problem;
    if (const auto* before = keyed.before()) {
      submitted.first = before->first;
      submitted.replayed = true;
    } else {
      if (services.gateway.room() == 0) co_return queue_full();
      submitted.first = services.tasks.submit_again(*record);
      keyed.done([&](IdempotencyKeys::Entry& entry) { entry.first = submitted.first; });
    }
  }
  co_return co_await answer_with(&services, submitted, *wait);
}

// ---- looking ----

namespace {

// A task that is not among ours: what the controller knows of it, with its result where that is kept.
boost::asio::awaitable<Outcome<json::object>> look_elsewhere(Services* services, wire::TaskId id) {
  const std::string name = wire::to_string(id);
  json::object request{{"what", "explain"}, {"task", name}};
  auto known = co_await ask(services, std::move(request), Kind::not_found);
  json::object again{{"what", "result"}, {"task", name}};
  auto result = co_await ask(services, std::move(again), Kind::not_found);
  if (!known && !result) co_return known.error();
  json::object task;
  if (known) task = renamed(std::move(*known));
  task.erase("why");
  if (result && result->contains("status")) {
    task["state"] = "completed";
    for (auto& member : *result) {
      if (member.key() != "task" && member.key() != "state") task[member.key()] = member.value();
    }
  }
  if (!task.contains("id")) task["id"] = name;
  co_return task;
}

// One that came over HTTP, and was deleted or dropped since. The controller may still know of it, but here it is gone.
bool is_forgotten(Services& services, const wire::TaskId& id) {
  return id.session == services.gateway.session() && services.tasks.find(id.sequence) == nullptr;
}

Problem forgotten(Services& services, const std::string& id) {
  return {Kind::not_found, fmt::format("The task '{}' is not here: it never was, was deleted, or is among the {} that the history has dropped.", id, services.tasks.dropped()), "id",
          "the id of a task that has not ended, or ended lately"};
}

// Adds what became of earlier runs, where engines ended with them.
void add_setbacks(std::string& described, const Outcome<json::object>& known) {
  const auto* setbacks = known ? known->if_contains("setbacks") : nullptr;
  if (setbacks == nullptr) return;
  described.pop_back();
  described += R"(,"setbacks":)" + json::serialize(*setbacks) + "}";
}

}  // namespace

Answer get_task(Exchange* exchange) {
  Services& services = exchange->services;
  if (auto problem = exchange->target.query.check({"wait"})) co_return *problem;
  const auto wait = duration_parameter(exchange->target.query, "wait", {}, services.options.limits.wait);
  if (!wait) co_return wait.error();
  const auto id = wire::parse_task_id(exchange->params[0]);
  if (!id) co_return no_task(exchange->params[0]);
  const auto until = std::chrono::steady_clock::now() + *wait;
  const bool ours = id->session == services.gateway.session() && services.tasks.find(id->sequence) != nullptr;
  if (ours) {
    if (wait->count() > 0) co_await services.tasks.wait(id->sequence, until);
    const TaskRecord* record = services.tasks.find(id->sequence);
    const bool smooth = record != nullptr && record->ended && record->attempts <= 1 && wire::report_status(record->report.span()) == wire::TaskStatus::ok;
    if (smooth) co_return Reply(200, describe(services, *record, "completed") + "\n");
    json::object request{{"what", "explain"}, {"task", exchange->params[0]}};
    const auto known = co_await ask(&services, std::move(request));
    record = services.tasks.find(id->sequence);  // it may have ended meanwhile
    if (record != nullptr) {
      const auto* state = known ? known->if_contains("state") : nullptr;
      const bool told = state != nullptr && state->is_string() && !record->ended;
      auto described = describe(services, *record, record->ended ? "completed" : told ? std::string_view(state->get_string()) : "submitted");
      add_setbacks(described, known);
      co_return Reply(200, described + "\n");
    }
  }
  if (is_forgotten(services, *id)) co_return forgotten(services, exchange->params[0]);
  for (;;) {
    const auto task = co_await look_elsewhere(&services, *id);
    if (!task) co_return task.error();
    const auto* state = task->if_contains("state");
    if ((state != nullptr && *state == "completed") || std::chrono::steady_clock::now() >= until) {
      co_return Reply(200, json::serialize(*task) + "\n");
    }
    co_await Signal::wait(std::make_shared<Signal>(services.io), kLookAgain);
  }
}

Answer explain_task(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  const auto id = wire::parse_task_id(exchange->params[0]);
  if (!id) co_return no_task(exchange->params[0]);
  if (is_forgotten(exchange->services, *id)) co_return forgotten(exchange->services, exchange->params[0]);
  json::object request{{"what", "explain"}, {"task", exchange->params[0]}};
  auto answer = co_await ask(&exchange->services, std::move(request));
  if (!answer) co_return answer.error();
  co_return Reply(200, json::serialize(renamed(std::move(*answer))) + "\n");
}

Answer delete_task(Exchange* exchange) {
  Services& services = exchange->services;
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  const auto id = wire::parse_task_id(exchange->params[0]);
  if (!id) co_return no_task(exchange->params[0]);
  const TaskRecord* record = id->session == services.gateway.session() ? services.tasks.find(id->sequence) : nullptr;
  if (record != nullptr && record->ended) {
    services.tasks.forget(id->sequence);
    co_return Reply(204, {});
  }
  if (record != nullptr) {
    services.gateway.cancel(*id);  // in order behind its submission, which may still be on its way
  } else {
    json::object request{{"what", "cancel"}, {"task", exchange->params[0]}};
    const auto answer = co_await ask(&services, std::move(request));
    if (!answer) co_return answer.error();
  }
  co_return Reply(202, fmt::format("{{\"id\":\"{}\",\"state\":\"cancelling\"}}\n", exchange->params[0]));
}

// ---- listing ----

namespace {

constexpr std::string_view kStates[] = {"waiting", "delayed", "ready", "assigned", "held", "completed"};

// "<session>" for all tasks of a client, or "<session>-<first>+<count>", which POST /v1/tasks answers for a list.
bool parse_submission(std::string_view text, json::object& request) {
  const auto plus = text.find('+');
  if (plus == std::string_view::npos) {
    if (!wire::parse_hex64(text)) return false;
    request["session"] = json::string_view(text.data(), text.size());
    return true;
  }
  const auto first = wire::parse_task_id(text.substr(0, plus));
  const auto count = parse_number(text.substr(plus + 1));
  if (!first || !count || *count == 0 || *count > 1ULL << 40) return false;
  request["session"] = wire::to_string(first->session);
  request["first"] = first->sequence;
  request["count"] = *count;
  return true;
}

Outcome<json::object> list_request(const Query& query) {
  if (auto problem = query.check({"state", "status", "function", "label", "submission", "limit", "cursor"})) return *problem;
  const auto limit = number_parameter(query, "limit", 100, 1, 1000);
  if (!limit) return limit.error();
  json::object request{{"what", "tasks"}, {"limit", *limit}};
  for (const auto* name : {"status", "function", "label"}) {
    const auto* value = query.find(name);
    if (value != nullptr && characters(*value) > kMaxNameLength) {
      return Problem{Kind::invalid_parameter, fmt::format("'{}' is longer than any that a task can have.", name), name,
                     fmt::format("up to {} characters", kMaxNameLength)};
    }
    if (value != nullptr) request[name] = *value;
  }
  if (const auto* state = query.find("state")) {
    if (std::find(std::begin(kStates), std::end(kStates), *state) == std::end(kStates)) {
      return Problem{Kind::invalid_parameter, fmt::format("There is no state '{}'.", *state), "state", fmt::format("one of {}", fmt::join(kStates, ", "))};
    }
    request["state"] = *state;
  }
  if (const auto* status = query.find("status")) {
    bool known = false;
    for (int i = 0; i <= static_cast<int>(wire::kLastTaskStatus); ++i) known |= *status == wire::to_string(static_cast<wire::TaskStatus>(i));
    if (!known) return Problem{Kind::invalid_parameter, fmt::format("There is no status '{}'.", *status), "status", "ok, failed, timed_out, cancelled and so on"};
  }
  if (const auto* submission = query.find("submission"); submission != nullptr && !parse_submission(*submission, request)) {
    return Problem{Kind::invalid_parameter, fmt::format("'{}' is no submission.", *submission), "submission",
                   "what POST /v1/tasks answered for a list, or a client's session, 16 hexadecimal digits"};
  }
  if (const auto* cursor = query.find("cursor")) {
    const bool good = cursor->size() > 1 && std::string_view("ucs").find((*cursor)[0]) != std::string_view::npos && parse_number(std::string_view(*cursor).substr(1));
    if (!good) return Problem{Kind::invalid_parameter, "This is no cursor.", "cursor", "what an earlier page had as 'next'"};
    request["cursor"] = *cursor;
  }
  return request;
}

}  // namespace

Answer list_tasks(Exchange* exchange) {
  auto request = list_request(exchange->target.query);
  if (!request) co_return request.error();
  auto answer = co_await ask(&exchange->services, std::move(*request), Kind::invalid_parameter);
  if (!answer) co_return answer.error();
  json::array tasks;
  for (auto& task : answer->at("tasks").as_array()) tasks.push_back(renamed(std::move(task.as_object())));
  json::object page{{"tasks", std::move(tasks)}, {"dropped", answer->at("dropped")}};
  if (const auto* next = answer->if_contains("next")) page["next"] = *next;
  co_return Reply(200, json::serialize(page) + "\n");
}

}  // namespace covey::api

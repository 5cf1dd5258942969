// /v1/engines, /v1/demand, /v1/queues: who works, how much there is to do.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "controller/http/fields.hpp"
#include "controller/http/handlers.hpp"
#include "controller/http/requests.hpp"
#include "controller/http/services.hpp"
#include "controller/http/task_json.hpp"

namespace covey::api {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxIdleListed = 1000;
constexpr int kMostPages = 32;
constexpr std::size_t kMostWhy = 500;

// An operator that led before, and has not noticed yet.
std::optional<Problem> refuse_old_leader(Exchange& exchange) {
  constexpr std::string_view kHeader = "Fencing-Token";
  if (!exchange.has_header(kHeader)) return std::nullopt;
  const auto token = read_fencing_token(exchange.header(kHeader));
  if (!token) return Problem{Kind::invalid_parameter, "The Fencing-Token cannot be read.", std::string(kHeader), "LEASE:EPOCH, such as 3f0c6d1e:7"};
  const auto highest = exchange.services.fences.highest(*token);
  if (highest == token->epoch) return std::nullopt;
  return Problem{Kind::stale_leader, fmt::format("A leader of epoch {} has spoken; this request is of epoch {}.", highest, token->epoch), std::string(kHeader),
                 "the token of the one that leads"};
}

boost::asio::awaitable<Reply> tell_engine(Exchange* exchange, std::string_view what, unsigned status) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  json::object request{{"what", json::string_view(what.data(), what.size())}, {"engine", exchange->params[0]}};
  const auto answer = co_await ask(&exchange->services, std::move(request));
  if (!answer) co_return answer.error();
  co_return Reply(status, json::serialize(*answer) + "\n");
}

// With an Idempotency-Key the engine is told once, and the answer is kept.
boost::asio::awaitable<Reply> tell_engine_once(Exchange* exchange, std::string_view what) {
  constexpr unsigned kAsked = 202;
  if (auto problem = refuse_old_leader(*exchange)) co_return *problem;
  KeyedRequest keyed(*exchange, {});
  if (auto problem = keyed.problem()) co_return *problem;
  if (const auto* before = keyed.before()) {
    Reply reply(kAsked, std::string(before->made));
    reply.headers.emplace_back("Idempotency-Replayed", "true");
    co_return reply;
  }
  auto reply = co_await tell_engine(exchange, what, kAsked);
  if (reply.status == kAsked) keyed.done([&](IdempotencyKeys::Entry& entry) { entry.made = reply.body; });
  co_return reply;
}

}  // namespace

Answer list_engines(Exchange* exchange) {
  const Query& query = exchange->target.query;
  if (auto problem = query.check({"limit", "cursor"})) co_return *problem;
  const auto limit = number_parameter(query, "limit", 200, 1, 1000);
  if (!limit) co_return limit.error();
  const auto from = number_parameter(query, "cursor", 0, 0, UINT32_MAX);
  if (!from) co_return from.error();
  json::object request{{"what", "engines"}, {"from", *from}, {"limit", *limit}};
  auto answer = co_await ask(&exchange->services, std::move(request));
  if (!answer) co_return answer.error();
  json::object page{{"engines", std::move(answer->at("engines"))}};
  if (const auto* next = answer->if_contains("next")) page["next"] = std::to_string(next->to_number<std::uint64_t>());
  co_return Reply(200, json::serialize(page) + "\n");
}

Answer get_engine(Exchange* exchange) { return tell_engine(exchange, "engine", 200); }
Answer drain_engine(Exchange* exchange) { return tell_engine_once(exchange, "drain"); }
Answer resume_engine(Exchange* exchange) { return tell_engine_once(exchange, "resume"); }
Answer delete_engine(Exchange* exchange) {
  if (auto problem = refuse_old_leader(*exchange)) co_return *problem;
  co_return co_await tell_engine(exchange, "leave", 202);
}

// For whoever sees engines' processes end: the controller would find out by their silence, and never why.
Answer give_up_engine(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  if (auto problem = refuse_other_media(*exchange)) co_return *problem;
  if (auto problem = refuse_old_leader(*exchange)) co_return *problem;
  auto body = co_await exchange->read_body();
  if (!body) co_return body.error();
  const auto value = parse_json(*body, exchange->services.options.limits.nesting);
  if (!value) co_return value.error();
  if (!value->is_object()) {
    co_return Problem{Kind::invalid_field, "How an engine ended is a JSON object.", {}, R"(an object such as {"why": "OOMKilled: its limit is 1Gi"})"};
  }
  Fields fields(value->get_object(), {});
  const auto why = fields.required_text("why", kMostWhy);
  fields.refuse_others();
  if (fields.problem()) co_return *fields.problem();
  KeyedRequest keyed(*exchange, *body);
  if (auto problem = keyed.problem()) co_return *problem;
  if (const auto* before = keyed.before()) {
    Reply reply(200, std::string(before->made));
    reply.headers.emplace_back("Idempotency-Replayed", "true");
    co_return reply;
  }
  json::object request{{"what", "lost"}, {"engine", exchange->params[0]}, {"why", why}};
  const auto answer = co_await ask(&exchange->services, std::move(request));
  if (!answer) co_return answer.error();
  Reply reply(200, json::serialize(*answer) + "\n");
  keyed.done([&](IdempotencyKeys::Entry& entry) { entry.made = reply.body; });
  co_return reply;
}

Answer list_queues(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  json::object request{{"what", "queues"}};
  const auto answer = co_await ask(&exchange->services, std::move(request));
  if (!answer) co_return answer.error();
  co_return Reply(200, json::serialize(*answer) + "\n");
}

// What an autoscaler wants to know. The engines come in pages, one question after another.
Answer get_demand(Exchange* exchange) {
  Services& services = exchange->services;
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  json::object about{{"what", "status"}};
  const auto status = co_await ask(&services, std::move(about));
  if (!status) co_return status.error();
  json::array idle;
  std::size_t idle_left_out = 0;
  std::uint64_t from = 0;
  for (int page = 0; page < kMostPages; ++page) {
    json::object request{{"what", "engines"}, {"from", from}, {"limit", 1000}};
    const auto answer = co_await ask(&services, std::move(request));
    if (!answer) co_return answer.error();
    for (const auto& value : answer->at("engines").as_array()) {
      const auto& engine = value.as_object();
      if (engine.at("state") != "idle") continue;
      if (idle.size() == kMaxIdleListed) {
        ++idle_left_out;
      } else {
        idle.push_back(json::object{{"id", engine.at("id")}, {"name", engine.at("name")}, {"slots", engine.at("slots")}, {"idle_s", engine.at("idle_s")}});
      }
    }
    const auto* next = answer->if_contains("next");
    if (next == nullptr) break;
    from = next->to_number<std::uint64_t>();
  }
  const auto& tasks = status->at("tasks").as_object();
  const auto& engines = status->at("engines").as_object();
  const json::object demand{{"backlog", tasks.at("ready")},
                            {"unfinished", tasks.at("unfinished")},
                            {"engines", engines.at("live")},
                            {"slots", engines.at("slots")},
                            {"busy_slots", engines.at("busy_slots")},
                            {"draining", engines.at("draining")},
                            {"uptime_s", status->at("uptime_s")},
                            {"idle", std::move(idle)},
                            {"idle_left_out", idle_left_out}};
  co_return Reply(200, json::serialize(demand) + "\n");
}

}  // namespace covey::api

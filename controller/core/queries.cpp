// Administrative questions: JSON in, JSON out. Answers stay under a frame's size; long lists say what was left out.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "controller/core/broker.hpp"

namespace covey::controller {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxListed = 200;
constexpr std::size_t kMaxLooked = 1000;         // records that one answer may cost
constexpr std::size_t kMaxInlineResult = 40'000;  // bytes of a result that an answer may carry

json::object problem(std::string_view text) { return {{"error", text}}; }

double seconds(wire::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string_view string_of(const json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

std::uint64_t number_of(const json::object& request, std::string_view key, std::uint64_t otherwise) {
  const auto* value = request.if_contains(key);
  boost::system::error_code error;
  const auto number = value == nullptr ? otherwise : value->to_number<std::uint64_t>(error);
  return error ? otherwise : number;
}

json::object describe(const Engine& engine, wire::Time now) {
  json::array labels, functions;
  for (const auto& label : engine.hello.labels) labels.emplace_back(label);
  for (const auto& function : engine.hello.functions) functions.emplace_back(function);
  return {{"id", wire::to_string(engine.id)},
          {"name", engine.hello.name},
          {"slots", engine.hello.slots},
          {"state", engine.draining ? "draining" : engine.adopting ? "joining" : engine.load > 0 ? "busy" : "idle"},
          {"tasks", engine.load},
          {"credit", engine.credit},
          {"completed", engine.completed},
          {"mean_run_us", engine.mean_run_us},
          {"memory_bytes", engine.memory_bytes},
          {"up_s", seconds(now - engine.joined)},
          {"idle_s", engine.load > 0 || engine.completed != engine.completed_then ? 0 : seconds(now - engine.last_busy)},
          {"labels", std::move(labels)},
          {"functions", std::move(functions)}};
}

std::optional<wire::DrainMode> drain_mode(std::string_view what) {
  if (what == "drain") return wire::DrainMode::drain;
  if (what == "resume") return wire::DrainMode::resume;
  if (what == "leave") return wire::DrainMode::leave;
  return std::nullopt;
}

}  // namespace

std::string Broker::ask(std::string_view request, wire::Time now) {
  boost::system::error_code error;
  const auto value = json::parse(json::string_view(request.data(), request.size()), error);
  if (error || !value.is_object()) return json::serialize(problem("a request is a JSON object with a member 'what'"));
  const json::object& object = value.get_object();
  const auto what = string_of(object, "what");
  if (what == "status") return json::serialize(describe_status(now));
  if (what == "engines") {
    const auto limit = std::min<std::uint64_t>(number_of(object, "limit", kMaxListed), kMaxLooked);
    return json::serialize(describe_engines(number_of(object, "from", 0), limit, now));
  }
  if (what == "engine") return json::serialize(describe_engine(string_of(object, "engine"), now));
  if (what == "tasks") return json::serialize(list_tasks(object, now));
  if (what == "queues") return json::serialize(list_queues(kMaxLooked));
  if (what == "events") return json::serialize(list_events(object, now));
  if (what == "figures") return json::serialize(describe_figures());
  if (const auto mode = drain_mode(what)) return json::serialize(drain_engine(string_of(object, "engine"), *mode));
  if (what == "lost") return json::serialize(give_up_engine(string_of(object, "engine"), string_of(object, "why"), now));
  const auto id = wire::parse_task_id(string_of(object, "task"));
  if (what != "explain" && what != "result" && what != "cancel") {
    return json::serialize(
        problem(fmt::format("unknown request '{}'; there are status, engines, engine, tasks, queues, events, figures, explain, result, cancel, drain, resume, leave, lost", what)));
  }
  if (!id) return json::serialize(problem("'task' must be a task's id, such as 00c0ffee00c0ffee-17"));
  if (what == "explain") return json::serialize(explain(*id, now));
  if (what == "result") return json::serialize(kept_result(*id));
  const TaskIndex index = find_task(*id);
  if (index == kNone) return json::serialize(problem(fmt::format("no unfinished task {}", wire::to_string(*id))));
  on_cancel(*id, now);
  return json::serialize(json::object{{"cancelled", wire::to_string(*id)}});
}

json::object Broker::describe_status(wire::Time now) const {
  // Beyond so many engines, what the last sweep saw has to do.
  EngineTotals totals = totals_;
  if (engines_.size() <= kMaxLooked) {
    totals = {};
    for (const auto& engine : engines_) {
      if (engine) totals.add(*engine);
    }
  }
  const auto local = session_by_id_.find(local_session_);
  const bool local_here = local != session_by_id_.end() && sessions_[local->second]->peer;
  const std::size_t clients = peers_.size() - live_engines_ - (local_here ? 1 : 0);
  const auto& counts = latency_.counts();
  return {{"controller", wire::to_string(self_)},
          {"uptime_s", seconds(now - started_)},
          {"tasks", json::object{{"unfinished", tasks_.size()},
                                 {"ready", ready_.size()},
                                 {"assigned", totals.assigned},
                                 {"submitted", counters_.submitted},
                                 {"completed", counters_.completed},
                                 {"failed", counters_.failed},
                                 {"requeued", counters_.requeued}}},
          {"engines", json::object{{"live", live_engines_}, {"slots", totals.slots},
                                   {"busy_slots", totals.busy_slots},
                                   {"idle", totals.idle},
                                   {"draining", totals.draining},
                                   {"lost", counters_.engines_lost}}},
          {"clients", clients},
          {"results", json::object{{"bytes", result_bytes_}, {"evicted", counters_.results_evicted}}},
          {"latency", json::object{{"buckets", json::array(counts.begin(), counts.end())}}},
          {"late_results", counters_.late_results},
          {"recalls", counters_.recalls},
          {"frames", json::object{{"malformed", counters_.malformed_frames},
                                  {"foreign", counters_.foreign_frames},
                                  {"other_version", counters_.other_version_frames},
                                  {"stale", counters_.stale_frames}}}};
}

// `next` is where the following page begins; it is missing at the end.
json::object Broker::describe_engines(std::uint64_t from, std::uint64_t limit, wire::Time now) const {
  json::array list;
  std::size_t looked = 0;
  std::uint64_t at = from;
  for (; at < engines_.size() && list.size() < limit && looked < kMaxLooked; ++at, ++looked) {
    if (engines_[at]) list.push_back(describe(*engines_[at], now));
  }
  json::object answer{{"left_out", from == 0 ? live_engines_ - list.size() : 0}};
  if (at < engines_.size()) answer["next"] = at;
  answer["engines"] = std::move(list);
  return answer;
}

json::object Broker::describe_engine(std::string_view id, wire::Time now) {
  const auto number = wire::parse_hex64(id);
  const Engine* engine = number ? find_engine(static_cast<wire::Incarnation>(*number)) : nullptr;
  return engine == nullptr ? problem(fmt::format("no engine '{}' here", id)) : describe(*engine, now);
}

json::object Broker::drain_engine(std::string_view id, wire::DrainMode mode) {
  const auto number = wire::parse_hex64(id);
  Engine* engine = number ? find_engine(static_cast<wire::Incarnation>(*number)) : nullptr;
  if (engine == nullptr) return problem(fmt::format("no engine '{}' here", id));
  wire::encode(engine->peer->link.record(), wire::DrainRecord{mode});
  touch(*engine->peer);
  engine->asked = mode;
  engine->draining = mode != wire::DrainMode::resume;
  return {{"engine", id}, {"draining", engine->draining}};
}

// Somebody saw it end, which we would find by its silence; and says why, which we would never know.
json::object Broker::give_up_engine(std::string_view id, std::string_view why, wire::Time now) {
  const auto number = wire::parse_hex64(id);
  const auto incarnation = static_cast<wire::Incarnation>(number.value_or(0));
  const bool here = number && find_engine(incarnation) != nullptr;
  if (here) engine_lost(find_engine(incarnation)->peer->index, false, now, why);
  if (!here && !(number && setbacks_.explain(incarnation, why))) return problem(fmt::format("no engine '{}' here, and no task that it was running", id));
  return {{"engine", id}, {"given_up", here}};
}

json::array Broker::describe_setbacks(const wire::TaskId& task, wire::Time now) const {
  json::array setbacks;
  for (const auto* setback : setbacks_.of(task)) {
    json::object entry{{"engine", wire::to_string(setback->engine)}, {"name", setback->name}, {"ago_s", seconds(now - setback->at)}};
    if (const auto why = setbacks_.why(setback->engine); !why.empty()) entry["why"] = why;
    setbacks.push_back(std::move(entry));
  }
  return setbacks;
}

json::object Broker::kept_result(const wire::TaskId& id) {
  const Session* session = find_session(id.session);
  const ResultStore::Result* result = session == nullptr ? nullptr : session->kept.find(id.sequence);
  if (result == nullptr && session != nullptr) result = session->unsent.find(id.sequence);
  if (result == nullptr) {
    const TaskIndex index = find_task(id);
    if (index != kNone) return {{"task", wire::to_string(id)}, {"state", to_string(tasks_[index].state)}};
    return problem(fmt::format("no task {} and no result of it is here", wire::to_string(id)));
  }
  json::object answer{{"task", wire::to_string(id)}, {"attempts", result->attempts}, {"engine", wire::to_string(result->engine)}};
  const auto report = wire::decode_report(wire::as_bytes(result->report));
  if (!report) {
    answer["status"] = to_string(wire::TaskStatus::result_expired);
    return answer;
  }
  answer["status"] = to_string(report->status);
  if (!report->error.empty()) answer["error"] = report->error;
  answer["duration_us"] = report->duration_us;
  const auto content = wire::decode_content(report->content);
  if (!content) return answer;
  if (content->reference) {
    const wire::BlobReference& blob = *content->reference;
    answer["codec"] = to_string(content->codec);
    answer["value_bytes"] = blob.size;
    answer["value_at"] = json::object{{"holder", wire::to_string(blob.holder)},
                                      {"role", blob.holder_role == static_cast<std::uint8_t>(wire::Role::controller) ? "controller" : "engine"},
                                      {"blob", std::to_string(blob.blob)}};
  } else if (content->codec != wire::Codec::json || content->bytes.size() > kMaxInlineResult) {
    answer["codec"] = to_string(content->codec);
    answer["value_bytes"] = content->bytes.size();
  } else if (!content->bytes.empty()) {
    boost::system::error_code error;
    const auto text = wire::as_text(content->bytes);
    answer["value"] = json::parse(json::string_view(text.data(), text.size()), error);
  }
  return answer;
}

namespace {

json::array names(const std::vector<wire::Dependency>& dependencies) {
  json::array list;
  for (const auto& dependency : dependencies) {
    if (list.size() == kMaxListed) break;
    list.emplace_back(wire::to_string(dependency.task));
  }
  return list;
}

}  // namespace

// Why a task waits, or what happened to it.
json::object Broker::explain(const wire::TaskId& id, wire::Time now) {
  const TaskIndex index = find_task(id);
  json::object answer{{"task", wire::to_string(id)}};
  if (index == kNone) {
    const auto* past = history_.find(id);
    if (past == nullptr) {
      return problem(fmt::format("no task {} is known here ({} older ones were dropped from the history)", wire::to_string(id),
                                 history_.dropped()));
    }
    answer["state"] = "completed";
    answer["status"] = to_string(past->status);
    answer["attempts"] = past->attempts;
    answer["engine"] = wire::to_string(past->engine);
    answer["took_s"] = seconds(past->completed - past->submitted);
    if (auto setbacks = describe_setbacks(id, now); !setbacks.empty()) answer["setbacks"] = std::move(setbacks);
    answer["why"] = past->status == wire::TaskStatus::ok ? "it ran" : fmt::format("it ended as {}", to_string(past->status));
    return answer;
  }
  const Task& task = tasks_[index];
  const wire::TaskSpec& spec = specs_[task.spec];
  answer["state"] = to_string(task.state);
  answer["function"] = spec.function;
  answer["since_s"] = seconds(now - task.submitted);
  answer["attempts"] = task.attempts;
  answer["retries"] = task.retries;
  answer["why"] = why(index);
  if (auto setbacks = describe_setbacks(id, now); !setbacks.empty()) answer["setbacks"] = std::move(setbacks);
  if (task.has_side) {
    const SideTask& side = side_.at(index);
    answer["after"] = names(side.extras.after.tasks);
    answer["follow"] = names(side.extras.follow.tasks);
  }
  if (task.engine != kNone && engines_[task.engine]) answer["engine"] = wire::to_string(engines_[task.engine]->id);
  return answer;
}

std::string Broker::why(TaskIndex index) const {
  const Task& task = tasks_[index];
  switch (task.state) {
    case TaskState::assigned: return "an engine has it";
    case TaskState::delayed: return "its function failed, and it waits for its next retry";
    case TaskState::held: return "it has completed, and its client has not yet read its result";
    case TaskState::waiting: {
      const SideTask& side = side_.at(index);
      if (side.outcome_pending) return "it may run at most once, and an engine may still report it";
      if (side.awaits_twin) return "an unfinished task has the same idempotency key, and it shares its outcome";
      return fmt::format("{} of its dependencies have not ended", side.after.waiting_for() + side.follow.waiting_for());
    }
    default: break;
  }
  if (live_engines_ == 0) return "no engines are here";
  const Demand demand = demand_of(index);
  std::size_t suited = 0, with_room = 0, looked = 0;
  for (const auto& engine : engines_) {
    if (++looked > kMaxLooked) break;
    if (!engine || !may_take(*engine, demand)) continue;
    ++suited;
    with_room += room(*engine, demand) > 0 ? 1 : 0;
  }
  const wire::TaskSpec& spec = specs_[task.spec];
  if (suited == 0 && !spec.targets.empty()) return "none of its target engines is here";
  if (suited == 0 && !spec.labels.empty()) return fmt::format("no engine has the labels it wants: {}", fmt::join(spec.labels, ", "));
  if (suited == 0) return "the engine that it has to follow its dependencies to is not here";
  if (with_room == 0 && !demand.in_company) return "an engine died while it may have run it: it waits for an engine with nothing else";
  if (with_room == 0) return fmt::format("all {} engines that may run it hold as many tasks as they want", suited);
  return fmt::format("{} tasks are ready, and it will be handed out in its turn", ready_.size());
}

}  // namespace covey::controller

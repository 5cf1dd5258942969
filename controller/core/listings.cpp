// Lists for those who administer: tasks in pages, queues, events, figures. One answer looks at no more than 1,000 records. See
// broker.hpp and docs/protocol.md.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "controller/core/broker.hpp"

namespace covey::controller {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxLooked = 1000;

double seconds(wire::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string_view text_of(const json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

std::uint64_t number_of(const json::object& request, std::string_view key, std::uint64_t otherwise) {
  const auto* value = request.if_contains(key);
  boost::system::error_code error;
  const auto number = value == nullptr ? otherwise : value->to_number<std::uint64_t>(error);
  return error ? otherwise : number;
}

}  // namespace

// What of a task has a name.
struct Broker::Named {
  std::string_view function, label;
};

Broker::Named Broker::named(SpecIndex spec) const {
  return spec == kNone ? Named{} : Named{specs_[spec].function, specs_[spec].label};
}
Broker::Named Broker::named(const History::Entry& past) const { return {specs_.functions()[past.function], past.label}; }

// Empty texts and unset numbers let everything pass.
struct Broker::TaskFilter {
  std::string_view state, status, function, label;
  wire::SessionId session = wire::SessionId::none;
  std::uint64_t first = 0, count = 0;  // of the session's numbers; a count of 0: all of them

  bool passes(const Named& task) const {
    return (function.empty() || task.function == function) && (label.empty() || task.label == label);
  }
  bool passes(const wire::TaskId& id) const {
    if (session == wire::SessionId::none) return true;
    return id.session == session && (count == 0 || (id.sequence >= first && id.sequence - first < count));
  }
};

// What an answer may still cost, and what it holds so far.
class Broker::TaskPage {
 public:
  TaskPage(const TaskFilter& wanted, std::uint64_t limit, wire::Time at) : filter(wanted), now(at), limit_(limit) {}
  bool full() const { return looked_ >= kMaxLooked || tasks.size() >= limit_; }
  void look() { ++looked_; }

  const TaskFilter& filter;
  const wire::Time now;
  json::array tasks;
  std::string next;  // the cursor of the following page; empty: there is none

 private:
  std::uint64_t limit_;
  std::size_t looked_ = 0;
};

json::object Broker::common_part(const wire::TaskId& id, std::string_view state, const Named& named) {
  json::object task{{"task", wire::to_string(id)}, {"state", state}};
  if (!named.function.empty()) task["function"] = named.function;
  if (!named.label.empty()) task["label"] = named.label;
  return task;
}

json::object Broker::list_tasks(const json::object& request, wire::Time now) const {
  TaskFilter filter{text_of(request, "state"), text_of(request, "status"), text_of(request, "function"), text_of(request, "label"),
                    static_cast<wire::SessionId>(wire::parse_hex64(text_of(request, "session")).value_or(0)),
                    number_of(request, "first", 0), number_of(request, "count", 0)};
  TaskPage page(filter, std::clamp<std::uint64_t>(number_of(request, "limit", 100), 1, kMaxLooked), now);
  const auto cursor = text_of(request, "cursor");
  const std::string digits(cursor.empty() ? std::string_view() : cursor.substr(1));
  const std::uint64_t from = std::strtoull(digits.c_str(), nullptr, 10);
  if (filter.count > 0) {
    list_submission(page, std::max(from, filter.first));
  } else if (cursor.starts_with('c')) {
    list_completed(page, from);
  } else {
    list_unfinished(page, from);
    if (page.next.empty() && !page.full()) list_completed(page, history_.total());
    else if (page.next.empty()) page.next = fmt::format("c{}", history_.total());
  }
  json::object answer{{"tasks", std::move(page.tasks)}, {"dropped", history_.dropped()}};
  if (!page.next.empty()) answer["next"] = page.next;
  return answer;
}

// In the order of the records; what is submitted meanwhile may or may not be among them.
void Broker::list_unfinished(TaskPage& page, std::uint64_t from) const {
  if (page.filter.state == "completed" || !page.filter.status.empty()) return;
  for (std::uint64_t at = from; at < tasks_.end(); ++at) {
    if (page.full()) {
      page.next = fmt::format("u{}", at);
      return;
    }
    page.look();
    const Task& task = tasks_[static_cast<TaskIndex>(at)];
    if (task.state == TaskState::unused) continue;
    const wire::TaskId id{sessions_[task.session]->id, task.sequence};
    const Named spec = named(task.spec);
    if (!page.filter.passes(id) || !page.filter.passes(spec)) continue;
    if (!page.filter.state.empty() && page.filter.state != to_string(task.state)) continue;
    auto entry = common_part(id, to_string(task.state), spec);
    entry["attempts"] = task.attempts;
    entry["since_s"] = seconds(page.now - task.submitted);
    if (task.engine != kNone && engines_[task.engine]) entry["engine"] = wire::to_string(engines_[task.engine]->id);
    page.tasks.push_back(std::move(entry));
  }
}

// The latest first.
void Broker::list_completed(TaskPage& page, std::uint64_t from) const {
  if (!page.filter.state.empty() && page.filter.state != "completed") return;
  for (std::uint64_t number = std::min(from, history_.total()); number > history_.dropped(); --number) {
    if (page.full()) {
      page.next = fmt::format("c{}", number);
      return;
    }
    page.look();
    const History::Entry& past = history_.at(number);
    if (!page.filter.passes(past.task) || !page.filter.passes(named(past))) continue;
    if (!page.filter.status.empty() && page.filter.status != to_string(past.status)) continue;
    page.tasks.push_back(describe_past(past, page.now));
  }
}

json::object Broker::describe_past(const History::Entry& past, wire::Time now) const {
  auto entry = common_part(past.task, "completed", named(past));
  entry["status"] = to_string(past.status);
  entry["attempts"] = past.attempts;
  if (past.engine != wire::Incarnation::none) entry["engine"] = wire::to_string(past.engine);
  entry["took_s"] = seconds(past.completed - past.submitted);
  entry["since_s"] = seconds(now - past.submitted);
  return entry;
}

// Tasks with consecutive numbers, looked up one by one.
void Broker::list_submission(TaskPage& page, std::uint64_t from) const {
  const auto known = session_by_id_.find(page.filter.session);
  const std::uint64_t end = page.filter.first + page.filter.count;
  for (std::uint64_t sequence = from; sequence < end; ++sequence) {
    if (page.full()) {
      page.next = fmt::format("s{}", sequence);
      return;
    }
    page.look();
    const wire::TaskId id{page.filter.session, sequence};
    const TaskIndex index = known == session_by_id_.end() ? kNone : sessions_[known->second]->tasks.find(sequence);
    if (index == kNone) {
      const History::Entry* past = history_.find(id);
      if (past == nullptr || (!page.filter.state.empty() && page.filter.state != "completed")) continue;
      if (!page.filter.passes(named(*past))) continue;
      if (page.filter.status.empty() || page.filter.status == to_string(past->status)) page.tasks.push_back(describe_past(*past, page.now));
      continue;
    }
    const Task& task = tasks_[index];
    const Named spec = named(task.spec);
    if (!page.filter.status.empty() || !page.filter.passes(spec)) continue;
    if (!page.filter.state.empty() && page.filter.state != to_string(task.state)) continue;
    auto entry = common_part(id, to_string(task.state), spec);
    entry["attempts"] = task.attempts;
    entry["since_s"] = seconds(page.now - task.submitted);
    page.tasks.push_back(std::move(entry));
  }
}

// ---- queues ----

json::object Broker::list_queues(std::uint64_t limit) const {
  json::array queues;
  ready_.look([&](std::int32_t priority, const Demand& demand, std::size_t depth) {
    if (queues.size() >= limit) return false;
    json::object queue{{"priority", priority}, {"ready", depth}};
    if (demand.constraint != kNone) {
      const wire::TaskSpec& spec = specs_[demand.constraint];
      json::array targets, labels;
      for (const auto id : spec.targets) targets.emplace_back(wire::to_string(id));
      for (const auto& label : spec.labels) labels.emplace_back(label);
      queue["targets"] = std::move(targets);
      queue["labels"] = std::move(labels);
    }
    if (demand.follow != wire::Incarnation::none) queue["follow"] = wire::to_string(demand.follow);
    if (!demand.in_company) queue["alone"] = true;
    if (demand.no_prefetch) queue["at_most_once"] = true;
    queues.push_back(std::move(queue));
    return true;
  });
  const std::size_t left_out = ready_.lanes() - queues.size();
  return {{"queues", std::move(queues)}, {"left_out", left_out}, {"ready", ready_.size()}, {"unfinished", tasks_.size()}};
}

// ---- events ----

// What has happened since the numbers of the last answer: comings and goings of engines, and, if `tasks` is asked for, the
// latest tasks to have ended, with a count of those that were too many.
json::object Broker::list_events(const json::object& request, wire::Time now) const {
  json::array engines, tasks;
  std::uint64_t engine = number_of(request, "engine_after", engine_events_.total());
  engine = std::clamp(engine, engine_events_.dropped(), engine_events_.total());
  for (std::uint64_t number = engine + 1; number <= engine_events_.total(); ++number) {
    constexpr std::string_view kNames[] = {"joined", "left", "lost"};
    const EngineEvent& event = engine_events_.at(number);
    engines.push_back(json::object{{"event", kNames[static_cast<std::size_t>(event.kind)]},
                                   {"engine", wire::to_string(event.engine)},
                                   {"name", event.name},
                                   {"slots", event.slots}});
  }
  json::object answer{{"engines", std::move(engines)}, {"engine_after", engine_events_.total()}, {"task_after", history_.total()}};
  const std::uint64_t budget = std::min<std::uint64_t>(number_of(request, "tasks", 0), kMaxLooked - answer["engines"].as_array().size());
  if (budget == 0) return answer;
  const std::uint64_t after = std::min(number_of(request, "task_after", history_.total()), history_.total());
  const std::uint64_t first = std::max({after, history_.dropped(), history_.total() - std::min(budget, history_.total())});
  for (std::uint64_t number = first + 1; number <= history_.total(); ++number) tasks.push_back(describe_past(history_.at(number), now));
  answer["tasks"] = std::move(tasks);
  answer["skipped"] = first - after;
  return answer;
}

// ---- figures ----

json::object Broker::describe_figures() const {
  json::array buckets, functions;
  for (const auto count : latency_.counts()) buckets.emplace_back(count);
  for (std::size_t i = 0; i < functions_.size(); ++i) {
    if (functions_[i].ok + functions_[i].failed == 0) continue;
    functions.push_back(json::object{{"function", specs_.functions()[i]}, {"ok", functions_[i].ok}, {"failed", functions_[i].failed}});
  }
  return {{"latency_buckets", std::move(buckets)}, {"latency_sum_us", latency_.sum_us()}, {"functions", std::move(functions)}};
}

}  // namespace covey::controller

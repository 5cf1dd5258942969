// /v1/maps: a function over any number of inputs, and its results as a stream.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>

#include "controller/http/fields.hpp"
#include "controller/http/handlers.hpp"
#include "controller/http/requests.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr auto kFeedPause = std::chrono::milliseconds(20);  // looks again at what wakes nobody: the queue's room
constexpr auto kFeedTurn = std::size_t{2000};               // inputs before others have their turn
constexpr auto kNewsPause = std::chrono::seconds(5);
constexpr std::int64_t kRangeEnd = 1LL << 38;  // either way, so that a range's numbers can be counted
constexpr std::size_t kResultsPiece = 64 * 1024;
constexpr std::size_t kInputsPiece = 64 * 1024;

bool is_map_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Problem no_map(const std::string& id) {
  return {Kind::not_found, fmt::format("No map '{}' is known here.", id), "id", "the id of a map; GET /v1/maps lists them"};
}

asio::awaitable<void> until_hungry(std::shared_ptr<Map> map) {
  while (!map->may_feed() && map->state() != Map::State::cancelled) co_await Signal::wait(map->hungry(), kFeedPause);
}

// ---- inputs that the request's own JSON has ----

struct Inputs {
  json::array list;
  std::int64_t start = 0, stop = 0, step = 1;
  bool is_range = false;

  std::uint64_t size() const {
    if (!is_range) return list.size();
    if (step == 0) return 0;
    const auto span = step > 0 ? static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start)
                               : static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(stop);
    const auto stride = step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
    if ((step > 0 && start >= stop) || (step < 0 && start <= stop)) return 0;
    return (span - 1) / stride + 1;
  }
  std::string at(std::uint64_t index) const {
    if (!is_range) return json::serialize(list[index]);
    return std::to_string(start + static_cast<std::int64_t>(index) * step);
  }
};

asio::awaitable<void> feed_all(std::shared_ptr<Map> map, std::shared_ptr<const Inputs> inputs) {
  const std::uint64_t count = inputs->size();
  for (std::uint64_t i = 0; i < count && map->state() != Map::State::cancelled; ++i) {
    if (!map->may_feed()) co_await until_hungry(map);
    if (map->state() == Map::State::cancelled) break;
    map->feed(inputs->at(i));
    if (i % kFeedTurn == kFeedTurn - 1) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  map->end_of_inputs();
}

Outcome<Inputs> parse_inputs(Fields& fields, bool spread) {
  Inputs inputs;
  const json::value* list = fields.any("inputs");
  const json::value* range = fields.any("range");
  if ((list == nullptr) == (range == nullptr)) {
    fields.wrong("inputs", "There have to be either inputs or a range.", "an array 'inputs', or an object 'range' with start, stop and step");
  } else if (list != nullptr) {
    const bool good = list->is_array() && (!spread || std::all_of(list->get_array().begin(), list->get_array().end(),
                                                                  [](const json::value& one) { return one.is_array(); }));
    if (good) {
      inputs.list = list->get_array();
    } else {
      fields.wrong("inputs", "The inputs are not a list, or with 'spread' not a list of lists.", "an array");
    }
  } else if (range->is_object()) {
    Fields of(range->get_object(), "range");
    inputs.is_range = true;
    inputs.start = of.integer("start", 0, -kRangeEnd, kRangeEnd);
    inputs.stop = of.integer("stop", 0, -kRangeEnd, kRangeEnd);
    inputs.step = of.integer("step", 1, -kRangeEnd, kRangeEnd);
    if (of.any("stop") == nullptr) of.wrong("stop", "'stop' is missing.", "an integer, the first that is not in the range");
    if (inputs.step == 0) of.wrong("step", "A range does not stand still.", "an integer that is not 0");
    of.refuse_others();
    fields.adopt(of);
  } else {
    fields.wrong("range", "A range is an object.", R"(an object such as {"start": 0, "stop": 10})");
  }
  if (auto problem = fields.problem()) return *problem;
  return inputs;
}

struct MapRequest {
  Map::Plan plan;
  Inputs inputs;
};

Outcome<MapRequest> parse_map(const json::value& body) {
  if (!body.is_object()) {
    return Problem{Kind::invalid_field, "A map is a JSON object.", {}, R"(an object such as {"function": "echo", "range": {"stop": 10}})"};
  }
  MapRequest request;
  std::vector<std::string_view> others;
  auto spec = parse_spec(body.get_object(), {}, others);
  if (!spec) return spec.error();
  request.plan.spec = std::move(*spec);
  Fields fields(body.get_object(), {});
  request.plan.id = fields.text("id", 64);
  request.plan.spread = fields.boolean("spread", false);
  auto inputs = parse_inputs(fields, request.plan.spread);
  if (!inputs) return inputs.error();
  request.inputs = std::move(*inputs);
  for (const auto name : others) {
    if (name == "id" || name == "spread" || name == "inputs" || name == "range") continue;
    return Problem{Kind::unknown_field, fmt::format("There is no field '{}' here.", name), std::string(name),
                   "function, inputs, range, spread, id, and what tasks have in common"};
  }
  return request;
}

// ---- inputs that are streamed in ----

// The query's parameters as the members that a map in JSON would have.
Outcome<Map::Plan> plan_of_query(const Query& query) {
  json::object object;
  Map::Plan plan;
  for (const auto& [name, value] : query.all()) {
    if (object.contains(name)) return Problem{Kind::invalid_parameter, fmt::format("The parameter '{}' is given twice.", name), name, "one value"};
    if (name == "id") {
      plan.id = value;
    } else if (name == "priority" || name == "max_attempts" || name == "retries") {
      boost::system::error_code error;
      object[name] = json::parse(value, error);
      if (error) object[name] = value;
    } else if (name == "spread") {
      const auto spread = bool_parameter(query, name, false);
      if (!spread) return spread.error();
      plan.spread = *spread;
    } else if (name == "labels" || name == "targets") {
      json::array list;
      for (std::string_view rest = value; !rest.empty();) {
        const auto one = rest.substr(0, rest.find(','));
        list.emplace_back(json::string_view(one.data(), one.size()));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
      }
      object[name] = std::move(list);
    } else {
      object[name] = value;
    }
  }
  std::vector<std::string_view> others;
  auto spec = parse_spec(object, {}, others);
  if (!spec) {
    auto problem = spec.error();
    problem.kind = Kind::invalid_parameter;
    return problem;
  }
  if (!others.empty()) {
    return Problem{Kind::invalid_parameter, fmt::format("There is no parameter '{}' here.", others[0]), std::string(others[0]),
                   "function, spread, id, and what tasks have in common"};
  }
  plan.spec = std::move(*spec);
  return plan;
}

// Cuts a stream of bytes into lines.
class LineFeed {
 public:
  LineFeed(std::shared_ptr<Map> map, const Limits& limits) : map_(std::move(map)), limits_(limits) {}

  std::string_view take(std::string_view& piece) {
    const auto end = piece.find('\n');
    if (end == std::string_view::npos) {
      rest_ += piece;
      piece = {};
      return {};
    }
    line_.swap(rest_);
    line_ += piece.substr(0, end);
    rest_.clear();
    piece.remove_prefix(end + 1);
    return line_;
  }
  std::string_view last() { return rest_; }
  bool too_long() const { return rest_.size() > limits_.body_bytes; }
  bool put(std::string_view line, std::string& why) {
    ++number_;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return true;
    const auto first = line.find_first_not_of(" \t");
    if (!is_json(line, limits_.nesting) || (map_->plan().spread && line[first] != '[')) {
      why = fmt::format("line {} is not {}", number_, map_->plan().spread ? "a JSON array of arguments" : "a JSON value");
      return false;
    }
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    map_->feed(line);
    return true;
  }
  std::uint64_t number() const { return number_; }

 private:
  std::shared_ptr<Map> map_;
  const Limits& limits_;
  std::string rest_, line_;
  std::uint64_t number_ = 0;
};

// Ends the map's inputs also when the connection ends first.
struct Feeding {
  std::shared_ptr<Map> map;
  std::string why = "the connection ended before the inputs did";
  ~Feeding() {
    if (map->state() == Map::State::feeding || map->state() == Map::State::cancelled) {
      why.empty() ? map->end_of_inputs() : map->break_off(why);
    }
  }
};

asio::awaitable<Outcome<bool>> feed_lines(Exchange* exchange, std::shared_ptr<Map> map) {
  Feeding feeding{map};
  LineFeed lines(map, exchange->services.options.limits);
  std::string buffer(kInputsPiece, '\0');
  const auto wrong = [&](Kind kind) {
    exchange->close_after();
    return Problem{kind, fmt::format("{}; the {} inputs before it are in the map '{}'.", feeding.why, map->inputs(), map->plan().id),
                   fmt::format("line {}", lines.number()), "a JSON value in each line"};
  };
  for (;;) {
    const auto got = co_await exchange->read_some(buffer.data(), buffer.size());
    if (!got) {
      feeding.why = got.error().detail;
      co_return got.error();
    }
    if (*got == 0) break;
    std::string_view piece(buffer.data(), *got);
    while (!piece.empty()) {
      const auto line = lines.take(piece);
      if (line.data() == nullptr) break;
      if (!map->may_feed()) co_await until_hungry(map);
      if (map->state() == Map::State::cancelled) co_return wrong(Kind::conflict);
      std::string why;
      if (!lines.put(line, why)) {
        feeding.why = why;
        co_return wrong(Kind::malformed_json);
      }
    }
    if (lines.too_long()) {
      feeding.why = fmt::format("line {} is longer than the limit http-body-bytes", lines.number() + 1);
      co_return wrong(Kind::too_large);
    }
  }
  std::string why;
  if (!lines.put(lines.last(), why)) {
    feeding.why = why;
    co_return wrong(Kind::malformed_json);
  }
  feeding.why.clear();
  co_return true;
}

// ---- both ----

Outcome<std::shared_ptr<Map>> make_map(Services& services, Map::Plan plan) {
  if (plan.id.empty()) plan.id = services.maps.fresh_id();
  if (!is_map_id(plan.id)) return Problem{Kind::invalid_field, "This is no id for a map.", "id", "1 to 64 of A-Z, a-z, 0-9, - and _"};
  if (services.maps.find(plan.id) != nullptr) return Problem{Kind::conflict, fmt::format("There is a map '{}' already.", plan.id), "id", "another id"};
  auto map = services.maps.make(std::move(plan));
  if (!map) {
    return Problem{Kind::too_many, fmt::format("{} maps are under way, the limit http-maps.", services.options.limits.maps), {}, {}, 5};
  }
  return map;
}

Reply reply_of(const Map& map, unsigned status) {
  Reply reply(status, map.describe() + "\n");
  reply.headers.emplace_back("Location", "/v1/maps/" + map.plan().id);
  return reply;
}

}  // namespace

Answer post_maps(Exchange* exchange) {
  Services& services = exchange->services;
  const bool lines = exchange->media_type() == "application/x-ndjson" || exchange->media_type() == "application/ndjson";
  std::string text;
  std::shared_ptr<const Inputs> inputs;
  Map::Plan plan;
  if (lines) {
    auto wanted = plan_of_query(exchange->target.query);
    if (!wanted) co_return wanted.error();
    plan = std::move(*wanted);
  } else {
    if (auto problem = exchange->target.query.check({})) co_return *problem;
    if (auto problem = refuse_other_media(*exchange)) co_return *problem;
    auto read = co_await exchange->read_body();
    if (!read) co_return read.error();
    text = std::move(*read);
    const auto body = parse_json(text, services.options.limits.nesting);
    if (!body) co_return body.error();
    auto wanted = parse_map(*body);
    if (!wanted) co_return wanted.error();
    plan = std::move(wanted->plan);
    inputs = std::make_shared<const Inputs>(std::move(wanted->inputs));
  }
  KeyedRequest keyed(*exchange, text);
  if (auto problem = keyed.problem()) co_return *problem;
  if (const auto* before = keyed.before()) {
    const auto map = services.maps.find(before->made);
    if (!map) co_return Problem{Kind::gone, fmt::format("The map '{}' of this Idempotency-Key is here no more.", before->made), {}, {}};
    auto reply = reply_of(*map, 200);
    reply.headers.emplace_back("Idempotency-Replayed", "true");
    co_return reply;
  }
  auto map = make_map(services, std::move(plan));
  if (!map) co_return map.error();
  keyed.done([&](IdempotencyKeys::Entry& entry) { entry.made = (*map)->plan().id; });
  if (!lines) {
    asio::co_spawn(services.io, feed_all(*map, inputs), [](const std::exception_ptr&) {});
    co_return reply_of(**map, 202);
  }
  const auto fed = co_await feed_lines(exchange, *map);
  if (!fed) co_return fed.error();
  co_return reply_of(**map, 202);
}

Answer list_maps(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  std::string out = R"({"maps":[)";
  bool first = true;
  for (const auto& map : exchange->services.maps.all()) {
    if (!std::exchange(first, false)) out += ',';
    out += map->describe();
  }
  fmt::format_to(std::back_inserter(out), "],\"dropped\":{}}}\n", exchange->services.maps.dropped());
  co_return Reply(200, std::move(out));
}

Answer get_map(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  const auto map = exchange->services.maps.find(exchange->params[0]);
  if (!map) co_return no_map(exchange->params[0]);
  co_return Reply(200, map->describe() + "\n");
}

Answer delete_map(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  if (!exchange->services.maps.find(exchange->params[0])) co_return no_map(exchange->params[0]);
  exchange->services.maps.remove(exchange->params[0]);
  co_return Reply(204, {});
}

Answer get_map_results(Exchange* exchange) {
  Services& services = exchange->services;
  const Query& query = exchange->target.query;
  if (auto problem = query.check({"after", "order", "values"})) co_return *problem;
  const auto after = number_parameter(query, "after", 0, 0, 1ULL << 62);
  if (!after) co_return after.error();
  const auto* order = query.find("order");
  if (order != nullptr && *order != "input" && *order != "completion") {
    co_return Problem{Kind::invalid_parameter, "There is no such order.", "order", "input or completion"};
  }
  const auto* values = query.find("values");
  if (values != nullptr && *values != "blob" && *values != "inline") {
    co_return Problem{Kind::invalid_parameter, "Large values come in no such way.", "values", "blob or inline"};
  }
  const auto map = services.maps.find(exchange->params[0]);
  if (!map) co_return no_map(exchange->params[0]);
  if (exchange->is_head()) co_return Reply(200, {}, "application/x-ndjson");
  const StreamPlace place(services);
  if (!place.granted()) co_return place.problem();
  Map::Reader reader(map, *after, {order == nullptr || *order == "input", values != nullptr && *values == "inline"});
  bool there = co_await exchange->begin("application/x-ndjson", true);
  while (there) {
    const std::string text = reader.next(kResultsPiece);
    if (!text.empty()) {
      there = co_await exchange->write(text);
    } else if (reader.at_end()) {
      break;
    } else {
      co_await Signal::wait(reader.news(), kNewsPause);
    }
  }
  if (there) co_await exchange->finish();
  co_return Reply::done();
}

}  // namespace covey::api

#include "client/direct_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <utility>

#include "client/partition.hpp"
#include "client/session.hpp"
#include "client/submission.hpp"

namespace covey::client {

namespace json = boost::json;

namespace {

constexpr std::size_t kLongestName = 255;  // bytes of a variable's name; the engines' own limit

wire::Payload payload_of(std::string&& text) { return {wire::Codec::json, wire::Buffer(std::move(text))}; }

wire::Payload arguments_of(const Program& program) {
  json::object object;
  object["argv"] = json::array(program.argv.begin(), program.argv.end());
  if (!program.env.empty()) {
    json::object variables;
    for (const auto& [name, value] : program.env) variables[name] = value;
    object["env"] = std::move(variables);
  }
  if (!program.cwd.empty()) object["cwd"] = program.cwd;
  if (program.stdin_text) object["stdin"] = *program.stdin_text;
  return payload_of(json::serialize(json::array{std::move(object)}));
}

}  // namespace

DirectView::DirectView(std::shared_ptr<Session> session, std::vector<wire::Incarnation> engines)
    : session_(std::move(session)), engines_(std::move(engines)) {
  if (engines_.empty()) throw std::invalid_argument("a DirectView needs at least one engine");
  auto sorted = engines_;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) throw std::invalid_argument(fmt::format("a DirectView names the engine {} twice", wire::to_string(*twice)));
}

DirectView DirectView::at(const std::vector<std::size_t>& indexes) const {
  std::vector<wire::Incarnation> some;
  for (const auto index : indexes) {
    if (index >= engines_.size()) throw std::out_of_range(fmt::format("engine {} of a DirectView of {}", index, engines_.size()));
    some.push_back(engines_[index]);
  }
  DirectView view(session_, std::move(some));
  view.options = options;
  return view;
}

// ---- submitting ----

const std::vector<std::shared_ptr<SpecText>>& DirectView::specs_for(std::string_view function, std::string_view variable) {
  if (!options.targets.empty()) throw std::invalid_argument("a DirectView has its targets itself: leave options.targets empty");
  wire::TaskSpec wanted = spec_of(function, options);
  wanted.variable = variable;
  if (specs_.empty() || !(cached_ == wanted)) {
    cached_ = wanted;
    specs_.clear();
    for (const auto engine : engines_) {
      wanted.targets = {engine};
      specs_.push_back(session_->share_spec(wanted));
    }
  }
  return specs_;
}

AsyncResult DirectView::submit(std::string_view function, std::string_view variable, const std::vector<wire::Payload>& args) {
  const auto& specs = specs_for(function, variable);
  const auto extras = extras_of(options);
  auto state = std::make_shared<ResultState>(session_);
  state->hold_many(engines_.size());
  auto segment = std::make_unique<Segment>();
  segment->state = state;
  segment->elements = engines_.size();
  std::vector<Session::Pending> tasks;
  tasks.reserve(engines_.size());
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    Session::Pending& pending = tasks.emplace_back();
    put_args(pending, wire::Payload(args[args.size() == 1 ? 0 : i]), session_->max_payload());
    pending.extras = extras;
    pending.spec = specs[i].get();
  }
  submit_all(*session_, std::move(tasks), std::move(segment));
  return AsyncResult(std::move(state));
}

AsyncResult DirectView::submit_named(std::string_view function, std::string_view variable, const std::vector<wire::Payload>& args) {
  if (variable.empty() || variable.size() > kLongestName || variable.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(fmt::format("a variable's name has 1 to {} bytes and no NUL; got '{}'", kLongestName, variable.substr(0, kLongestName)));
  }
  return submit(function, variable, args);
}

// ---- what it can do ----

AsyncResult DirectView::apply(std::string_view function, wire::Payload args) { return submit(function, {}, {std::move(args)}); }
AsyncResult DirectView::apply(std::string_view function, std::string args_json) { return apply(function, payload_of(std::move(args_json))); }
AsyncResult DirectView::execute(const Program& program) { return apply("exec", arguments_of(program)); }

AsyncResult DirectView::push(std::string_view name, wire::Payload value) { return submit_named("push", name, {std::move(value)}); }
AsyncResult DirectView::push(std::string_view name, std::string json_text) { return push(name, payload_of(std::move(json_text))); }
AsyncResult DirectView::pull(std::string_view name) { return submit_named("pull", name, {{}}); }
AsyncResult DirectView::unset(std::string_view name) { return submit_named("unset", name, {{}}); }

AsyncResult DirectView::scatter(std::string_view name, const wire::Payload& whole, std::size_t item_bytes) {
  return submit_named("push", name, split(whole, size(), item_bytes));
}
AsyncResult DirectView::scatter(std::string_view name, std::string json_array) { return scatter(name, payload_of(std::move(json_array))); }

wire::Payload DirectView::gather(std::string_view name, std::chrono::nanoseconds timeout) { return join(pull(name).get_all(timeout)); }

}  // namespace covey::client

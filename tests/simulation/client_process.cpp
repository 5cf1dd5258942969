#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "tests/simulation/world.hpp"

namespace covey::simulation {

namespace {
constexpr std::uint64_t kMaxOutstanding = 3'000;
constexpr wire::Duration kLeaveTimeout = std::chrono::seconds(30);
}  // namespace

ClientProcess::ClientProcess(World& owner, std::uint64_t number, wire::Incarnation who, wire::SessionId session)
    : Process(owner, number), id(who), core(who, session, owner.subjects(), "client", *this), inbox(owner.subjects().client_inbox(who)) {
  inbox.pop_back();
}

void ClientProcess::send(std::string_view subject, wire::ByteSpan frame) { world.transmit(subject, frame); }
void ClientProcess::on_frame(wire::Role sender, wire::ByteSpan message) {
  wire::Frame frame;
  if (sender == wire::Role::controller && wire::read_frame(message, frame) == wire::FrameError::none) last_controller = frame.header.from;
  core.on_frame(sender, message, world.now());
}
void ClientProcess::on_timer() { core.on_timer(world.now()); }
void ClientProcess::on_connected() { core.on_connected(world.now()); }

void ClientProcess::end_turn() {
  core.end_turn(world.now());
  if (!leaving || (!core.spilled() && world.now() < leave_by)) return;
  core.say_goodbye();
  over = true;
}

void ClientProcess::leave() {
  leaving = true;
  leave_by = world.now() + kLeaveTimeout;
  core.spill();
}

// ---- tasks ----

std::uint64_t ClientProcess::room() const {
  const std::uint64_t most = std::min<std::uint64_t>(core.window(), kMaxOutstanding);
  return leaving || outstanding.size() >= most ? 0 : most - outstanding.size();
}

wire::TaskId ClientProcess::submit(Plan plan, const wire::TaskSpec& spec, const wire::SubmitExtras& extras, std::size_t args_size) {
  plan.large_args = args_size > wire::kInlinePayloadBytes;
  plan.once = spec.max_attempts == 1 && spec.retries == 0;
  plan.at_most_one_attempt = spec.max_attempts == 1;
  plan.attempts = plan.direct ? 1 : spec.max_attempts + spec.retries + 1;
  plan.timed = spec.timeout_ms > 0;
  plan.detached = spec.detached && !plan.direct;
  std::string args = args_of(plan, args_size);
  wire::Writer content, more;
  if (!plan.large_args) wire::encode_content(content, wire::Codec::bytes, wire::as_bytes(args));
  const wire::Payload large{wire::Codec::bytes, plan.large_args ? wire::Buffer(std::move(args)) : wire::Buffer()};
  if (!(extras == wire::SubmitExtras{})) wire::encode_extras(more, extras);
  const std::uint64_t cookie = next_cookie++;
  const auto scheme = plan.direct ? client::Scheme::direct : client::Scheme::controller;
  const auto sequence = core.submit({scheme, core.add_spec(spec), content.span(), plan.large_args ? &large : nullptr, more.span(), cookie});
  const wire::TaskId task = core.id_of(sequence);
  world.ledger().add(task, plan);
  outstanding.emplace(cookie, task);
  if (plan.detached) kept.emplace(task, Kept{wire::Incarnation::none, world.now()});
  ++world.report().submitted;
  return task;
}

void ClientProcess::cancel_some() {
  if (next_cookie == 1) return;
  const auto found = outstanding.find(next_cookie - 1 - world.below(std::min<std::uint64_t>(next_cookie - 1, 40)));
  if (found != outstanding.end()) cancel(found->second);
}

void ClientProcess::cancel(const wire::TaskId& task) {
  world.ledger().find(task)->cancelled = true;
  core.cancel(task);
}

void ClientProcess::on_result(std::uint64_t cookie, const client::ResultView& result) {
  const auto found = outstanding.find(cookie);
  if (found == outstanding.end()) return world.fail(fmt::format("result {} came twice, or was never asked for", cookie));
  const wire::TaskId task = found->second;
  outstanding.erase(found);
  world.check(world.ledger().ends(task, result.report.status, result.attempts, result.value.buffer.view()));
  if (const auto one = kept.find(task); one != kept.end()) one->second.controller = last_controller;
  ++(result.report.status == wire::TaskStatus::ok ? world.report().completed : world.report().failed);
}

// ---- kept results ----

void ClientProcess::ask_for_result(const wire::TaskId& task) {
  Kept& one = kept.try_emplace(task, Kept{wire::Incarnation::none, world.now()}).first->second;
  if (one.request != 0) return;
  one.request = core.request(fmt::format(R"({{"what":"result","task":"{}"}})", wire::to_string(task)));
  asked.emplace(one.request, task);
}

// What is kept is there for its lifetime, unless the controller has been another since.
void ClientProcess::on_response(std::uint64_t request, std::string_view text) {
  boost::system::error_code error;
  const auto json = boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
  if (error || !json.is_object()) return world.fail(fmt::format("an answer is no JSON object: {}", text));
  const auto question = asked.extract(request);
  if (question.empty()) return;
  const wire::TaskId task = question.mapped();
  Kept& one = kept.at(task);
  one.request = 0;
  if (const auto* status = json.as_object().if_contains("status")) {
    one.answered = true;
    return world.check(world.ledger().told(task, std::string_view(status->get_string())));
  }
  if (json.as_object().contains("state")) return;
  const bool promised = one.controller == last_controller && world.now() - one.submitted < kResultTtl;
  if (promised) world.fail(fmt::format("the result of the detached task {} is not there: {}", wire::to_string(task), text));
}

}  // namespace covey::simulation

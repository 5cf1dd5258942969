// The simulated controller, and the pretended executor of the simulated engines; client_process.cpp has the clients.
#include "tests/simulation/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/simulation/world.hpp"

namespace covey::simulation {

// ---- the controller ----

ControllerProcess::ControllerProcess(World& owner, std::uint64_t number, wire::Incarnation id, controller::Config config)
    : Process(owner, number), broker(id, owner.subjects(), config, *this) {}
void ControllerProcess::send(std::string_view subject, wire::ByteSpan frame) { world.transmit(subject, frame); }
void ControllerProcess::log(std::string_view line) {
  world.tell([&] { return fmt::format("controller: {}", line); });
}
void ControllerProcess::on_frame(wire::Role sender, wire::ByteSpan frame) { broker.on_frame(sender, frame, world.now()); }
void ControllerProcess::on_timer() { broker.on_timer(world.now()); }
void ControllerProcess::on_connected() { broker.on_connected(world.now()); }
void ControllerProcess::end_turn() { broker.end_turn(world.now()); }

// ---- engines ----

namespace {
constexpr wire::Duration kDrainTimeout = std::chrono::seconds(30);
}

EngineProcess::EngineProcess(World& owner, std::uint64_t number, wire::Incarnation who, engine::Config with)
    : Process(owner, number), id(who), config(std::move(with)), core(who, owner.subjects(), config, *this),
      inbox(owner.subjects().engine_inbox(who)) {
  inbox.pop_back();
}

void EngineProcess::send(std::string_view subject, wire::ByteSpan frame) { world.transmit(subject, frame); }
void EngineProcess::on_frame(wire::Role sender, wire::ByteSpan frame) { core.on_frame(sender, frame, world.now()); }
void EngineProcess::on_timer() { core.on_timer(world.now()); }
void EngineProcess::on_connected() { core.on_connected(world.now()); }

void EngineProcess::listen_direct(bool on) {
  hears_direct = on;
  if (!on) world.leave_group(serial);
}

void EngineProcess::end_turn() {
  if (over) return;
  highest_credit = std::max(highest_credit, core.credit());
  core.end_turn(world.now());
  highest_credit = std::max(highest_credit, core.credit());
  if (!core.leaving()) return;
  if (leave_by == wire::kNever) leave_by = world.now() + kDrainTimeout;
  if (!core.drained() && world.now() < leave_by) return;
  core.say_goodbye();
  over = true;
}

void EngineProcess::check_order(const engine::RunOrder& order) {
  world.check(world.ledger().arrives(order.task, order.args.buffer.view()));
  if (!order.recallable) return;  // the scheme direct knows no choice of engines
  const auto& targets = order.spec->targets;
  const bool target = targets.empty() || std::find(targets.begin(), targets.end(), id) != targets.end();
  const bool labelled = std::all_of(order.spec->labels.begin(), order.spec->labels.end(), [&](const auto& label) {
    return std::find(config.labels.begin(), config.labels.end(), label) != config.labels.end();
  });
  if (!target || !labelled) world.fail(fmt::format("task {} came to an engine that it does not allow", wire::to_string(order.task)));
}

std::size_t EngineProcess::held_of_controller() const {
  const auto of_controller = [](const auto& run) { return run.recallable; };
  const auto queued = std::count_if(queue.begin(), queue.end(), of_controller);
  const auto runs = std::count_if(running.begin(), running.end(), [&](const auto& item) { return of_controller(item.second); });
  return static_cast<std::size_t>(queued + runs);
}

void EngineProcess::start(const engine::RunOrder& order) {
  check_order(order);
  const std::string_view args = order.args.buffer.view();
  if (args.size() < 3) return;
  const Run run{order.run, order.task, static_cast<Deed>(args[0]), static_cast<std::uint8_t>(args[1]), order.recallable};
  if (run.deed == Deed::quick && running.empty() && queue.empty()) {
    begun(run);
    return finish(run);
  }
  queue.push_back(run);
  if (highest_credit > 0 && queue.size() + running.size() > highest_credit && held_of_controller() > highest_credit) {
    world.fail(fmt::format("an engine holds {} tasks and never gave credit beyond {}", held_of_controller(), highest_credit));
  }
  begin_next();
}

void EngineProcess::begun(const Run& run) {
  ++world.report().runs;
  world.tell([&] { return fmt::format("{} begins on engine {} ({})", wire::to_string(run.task), wire::to_string(id), serial); });
  world.check(world.ledger().begins(run.task));
}

void EngineProcess::begin_next() {
  while (running.size() < config.slots && !queue.empty()) {
    const Run next = queue.front();
    queue.pop_front();
    begun(next);
    running.emplace(next.handle, next);
    const auto duration = next.deed == Deed::slow ? world.micros(1'000, 400'000) : world.micros(1, 2'000);
    world.post_run_done(duration, serial, next.handle);
  }
}

void EngineProcess::on_run_done(std::uint64_t handle) {
  const auto found = running.find(handle);
  if (found == running.end()) return;
  const Run ended = found->second;
  running.erase(found);
  if (ended.deed == Deed::poison && !world.calm()) {
    over = true;
    return;
  }
  finish(ended);
  begin_next();
}

void EngineProcess::finish(const Run& ended) {
  using wire::TaskStatus;
  wire::Writer report, content;
  const auto status = ended.cancelled ? TaskStatus::cancelled : ended.deed == Deed::fail ? TaskStatus::failed : TaskStatus::ok;
  if (status == TaskStatus::ok && ended.value_kb > 0) {
    auto value = wire::Buffer(std::string(std::size_t{ended.value_kb} * 1'000, static_cast<char>(ended.value_kb)));
    wire::encode_content(content, wire::Codec::bytes, core.hold(std::move(value)));
  }
  wire::encode_report(report, {status, status == TaskStatus::ok ? "" : "as asked", 0, 0, content.span()});
  core.on_finished(ended.handle, report.span(), std::chrono::microseconds(500));
}

std::vector<engine::RunHandle> EngineProcess::recall(std::size_t count) {
  std::vector<engine::RunHandle> taken;
  for (std::size_t i = queue.size(); i-- > 0 && taken.size() < count;) {
    if (!queue[i].recallable) continue;
    taken.push_back(queue[i].handle);
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return taken;
}

bool EngineProcess::cancel(engine::RunHandle handle) {
  if (const auto run = running.find(handle); run != running.end()) {
    run->second.cancelled = true;
    world.post_run_done(world.micros(1, 1'000), serial, handle);
    return false;
  }
  const auto found = std::find_if(queue.begin(), queue.end(), [&](const Run& run) { return run.handle == handle; });
  if (found == queue.end()) return false;
  queue.erase(found);
  return true;
}

}  // namespace covey::simulation

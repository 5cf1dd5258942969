#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace covey::simulation {

namespace {

constexpr std::size_t kEngines = 6, kClients = 3;
constexpr std::uint64_t kMaxOutstanding = 3'000;

// What a simulated task does is written in its content.
enum class Deed : char { quick = 'q', brief = 'b', slow = 's', fail = 'f', poison = 'p' };

// A task's arguments: its deed, the size of its value in kilobytes, and filler.
std::string args_of(Deed deed, std::uint8_t value_kb, std::size_t size) {
  std::string args(std::max<std::size_t>(size, 2), static_cast<char>(deed));
  args[1] = static_cast<char>(value_kb);
  return args;
}

}  // namespace

// ---- processes ----

struct World::Process {
  Process(World& owner, std::uint64_t number) : world(owner), serial(number) {}
  virtual ~Process() = default;
  virtual void on_frame(wire::Role sender, wire::ByteSpan frame) = 0;
  virtual void on_timer() = 0;
  virtual void on_connected() = 0;
  virtual void on_disconnected() = 0;
  virtual void on_run_done(std::uint64_t) {}
  virtual void end_turn() = 0;
  virtual wire::Time deadline() const = 0;
  virtual bool hears(std::string_view subject) const = 0;

  World& world;
  std::uint64_t serial;
  wire::Time timer = wire::kNever;  // the earliest timer event that is posted
};

struct World::ControllerProcess : World::Process, wire::Outlet {
  ControllerProcess(World& owner, std::uint64_t number, wire::Incarnation id, controller::Config config)
      : Process(owner, number), broker(id, owner.subjects_, config, *this) {}
  void send(std::string_view subject, wire::ByteSpan frame) override { world.transmit(subject, frame); }
  void log(std::string_view line) override {
    if (world.options_.verbose) fmt::print("{} controller: {}\n", world.report_.events, line);
  }
  void on_frame(wire::Role sender, wire::ByteSpan frame) override { broker.on_frame(sender, frame, world.now_); }
  void on_timer() override { broker.on_timer(world.now_); }
  void on_connected() override { broker.on_connected(world.now_); }
  void on_disconnected() override { broker.on_disconnected(); }
  void end_turn() override { broker.end_turn(world.now_); }
  wire::Time deadline() const override { return broker.next_deadline(); }
  bool hears(std::string_view subject) const override { return subject.starts_with("covey.sim.controller."); }
  controller::Broker broker;
};

struct World::EngineProcess : World::Process, engine::Port {
  EngineProcess(World& owner, std::uint64_t number, wire::Incarnation who, engine::Config config)
      : Process(owner, number), id(who), slots(config.slots), core(who, owner.subjects_, std::move(config), *this),
        inbox(owner.subjects_.engine_inbox(who)) {
    inbox.pop_back();
  }
  void send(std::string_view subject, wire::ByteSpan frame) override { world.transmit(subject, frame); }
  void log(std::string_view) override {}
  void on_frame(wire::Role sender, wire::ByteSpan frame) override { core.on_frame(sender, frame, world.now_); }
  void on_timer() override { core.on_timer(world.now_); }
  void on_connected() override { core.on_connected(world.now_); }
  void on_disconnected() override { core.on_disconnected(); }
  void end_turn() override {
    highest_credit = std::max(highest_credit, core.credit());
    core.end_turn(world.now_);
    highest_credit = std::max(highest_credit, core.credit());
  }
  wire::Time deadline() const override { return core.next_deadline(); }
  bool hears(std::string_view subject) const override { return subject.starts_with(inbox); }

  // ---- a pretended executor: `slots` runs at a time, in order ----
  struct Queued {
    engine::RunHandle run;
    wire::TaskId task;
    Deed deed;
    std::uint8_t value_kb;
    bool once;
    bool recallable;
  };
  void start(const engine::RunOrder& order) override {
    const std::string_view args = order.args.buffer.view();
    if (args.size() < 2 || args.back() != (args.size() > 2 ? args[0] : args[1])) {
      return world.fail(fmt::format("task {} got arguments that nobody sent", wire::to_string(order.task)));
    }
    const Deed deed = static_cast<Deed>(args[0]);
    const Queued queued{order.run, order.task, deed, static_cast<std::uint8_t>(args[1]), order.spec->max_attempts == 1 && order.spec->retries == 0, order.recallable};
    if (deed == Deed::quick && running.empty() && queue.empty()) {
      begun(queued);
      return finish(queued);
    }
    queue.push_back(queued);
    if (queue.size() + running.size() > highest_credit && highest_credit > 0) {
      world.fail(fmt::format("an engine holds {} tasks and never gave credit beyond {}", queue.size() + running.size(), highest_credit));
    }
    begin_next();
  }
  void begun(const Queued& queued) {
    ++world.report_.runs;
    if (world.options_.verbose && queued.once) {
      fmt::print("{} {} begins on engine {} ({})\n", world.report_.events, wire::to_string(queued.task), wire::to_string(id), serial);
    }
    if (queued.once && ++world.begun_once_[queued.task] > 1) {
      world.fail(fmt::format("task {} may run at most once, and has begun twice", wire::to_string(queued.task)));
    }
  }
  void begin_next() {
    while (running.size() < slots && !queue.empty()) {
      const Queued next = queue.front();
      queue.pop_front();
      begun(next);
      running.emplace(next.run, next);
      const auto duration = next.deed == Deed::slow ? world.micros(1'000, 400'000) : world.micros(1, 2'000);
      world.post(duration, serial, 2, next.run);
    }
  }
  void on_run_done(std::uint64_t run) override {
    const auto found = running.find(run);
    if (found == running.end()) return;
    const Queued ended = found->second;
    running.erase(found);
    if (ended.deed == Deed::poison && !world.calm_) {
      dead = true;
      return;
    }
    finish(ended);
    begin_next();
  }
  void finish(const Queued& ended) {
    wire::Writer report, content;
    const bool failed = ended.deed == Deed::fail;
    if (!failed && ended.value_kb > 0) {
      auto value = wire::Buffer(std::string(std::size_t{ended.value_kb} * 1'000, static_cast<char>(ended.value_kb)));
      wire::encode_content(content, wire::Codec::bytes, core.hold(std::move(value)));
    }
    wire::encode_report(report, {failed ? wire::TaskStatus::failed : wire::TaskStatus::ok, failed ? "as asked" : "", 0, 0, content.span()});
    core.on_finished(ended.run, report.span(), std::chrono::microseconds(500));
  }
  std::vector<engine::RunHandle> recall(std::size_t count) override {
    std::vector<engine::RunHandle> taken;
    for (std::size_t i = queue.size(); i-- > 0 && taken.size() < count;) {
      if (!queue[i].recallable) continue;
      taken.push_back(queue[i].run);
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return taken;
  }
  void listen_direct(bool on) override { hears_direct = on; }
  bool cancel(engine::RunHandle run) override {
    const auto found = std::find_if(queue.begin(), queue.end(), [&](const Queued& queued) { return queued.run == run; });
    if (found == queue.end()) return false;
    queue.erase(found);
    return true;
  }

  wire::Incarnation id;
  std::size_t slots;
  engine::EngineCore core;
  std::string inbox;
  std::deque<Queued> queue;
  std::unordered_map<engine::RunHandle, Queued> running;
  std::uint64_t highest_credit = 0;
  bool hears_direct = true;
  bool dead = false;
};

struct World::ClientProcess : World::Process, client::Port {
  ClientProcess(World& owner, std::uint64_t number, wire::Incarnation who)
      : Process(owner, number),
        id(who),
        core(who, static_cast<wire::SessionId>(owner.random_() | 1), owner.subjects_, "client", *this),
        inbox(owner.subjects_.client_inbox(who)) {
    inbox.pop_back();
  }
  void send(std::string_view subject, wire::ByteSpan frame) override { world.transmit(subject, frame); }
  void log(std::string_view) override {}
  void on_frame(wire::Role sender, wire::ByteSpan frame) override { core.on_frame(sender, frame, world.now_); }
  void on_timer() override { core.on_timer(world.now_); }
  void on_connected() override { core.on_connected(world.now_); }
  void on_disconnected() override { core.on_disconnected(); }
  void end_turn() override { core.end_turn(world.now_); }
  wire::Time deadline() const override { return core.next_deadline(); }
  bool hears(std::string_view subject) const override { return subject.starts_with(inbox); }

  void on_result(std::uint64_t cookie, const client::ResultView& result) override {
    const auto found = outstanding.find(cookie);
    if (found == outstanding.end()) return world.fail(fmt::format("result {} came twice, or was never asked for", cookie));
    const Expected& expected = found->second;
    if (result.attempts > expected.attempts) {
      world.fail(fmt::format("task {} took {} attempts, {} allowed", result.sequence, result.attempts, expected.attempts));
    }
    const bool ok = result.report.status == wire::TaskStatus::ok;
    const auto value = result.value.buffer.view();
    if (ok && (value.size() != std::size_t{expected.value_kb} * 1'000 || (!value.empty() && static_cast<std::uint8_t>(value.back()) != expected.value_kb))) {
      world.fail(fmt::format("task {} has a value of {} bytes, not of {} kB", result.sequence, value.size(), expected.value_kb));
    }
    outstanding.erase(found);
    ++(result.report.status == wire::TaskStatus::ok ? world.report_.completed : world.report_.failed);
  }
  void on_response(std::uint64_t, std::string_view) override {}
  void on_window(std::uint64_t) override {}

  wire::Incarnation id;
  client::ClientCore core;
  std::string inbox;
  struct Expected {
    std::uint32_t attempts;  // allowed
    std::uint8_t value_kb;
  };
  std::unordered_map<std::uint64_t, Expected> outstanding;  // by cookie
  std::uint64_t next_cookie = 1;
};

// ---- the world ----

World::World(Options options) : options_(options), random_(options.seed) {}
World::~World() = default;

void World::fail(std::string what) {
  if (report_.failure.empty()) report_.failure = fmt::format("event {}: {}", report_.events, what);
}

void World::post(wire::Duration delay, std::uint64_t process, int kind, std::uint64_t argument) {
  events_.push({now_ + delay, next_order_++, process, kind, argument, wire::Role::controller, nullptr});
}

// Within a subject, frames keep their order, as NATS does; now and then one is late, and overtaken.
void World::deliver(std::uint64_t process, wire::Role sender, std::string_view subject,
                    const std::shared_ptr<const std::string>& frame) {
  const bool bad = !calm_;
  if (bad && chance(options_.faults.loss)) {
    ++report_.lost_frames;
    return;
  }
  const int copies = bad && chance(options_.faults.duplication) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    wire::Time at = now_ + micros(1'000, 80'000);
    if (!bad || !chance(options_.faults.long_delay)) {
      auto& last = last_arrival_[std::hash<std::string_view>{}(subject) ^ process];
      last = at = std::max(last, now_ + micros(40, 400));
    }
    events_.push({at, next_order_++, process, 1, 0, sender, frame});
  }
}

void World::transmit(std::string_view subject, wire::ByteSpan frame) {
  if (!up_) return;
  ++report_.frames;
  const auto sender = subjects_.sender_role(subject);
  const auto shared = std::make_shared<const std::string>(wire::as_text(frame));
  if (subject == subjects_.announce()) {
    for (const auto& list : {engines_, clients_}) {
      for (const auto serial : list) deliver(serial, wire::Role::controller, subject, shared);
    }
  } else if (subject == subjects_.direct()) {
    if (!engines_.empty()) deliver(engines_[below(engines_.size())], wire::Role::client, subject, shared);
  } else {
    for (const auto& [serial, process] : processes_) {
      if (process->hears(subject)) return deliver(serial, *sender, subject, shared);
    }
  }
}

void World::start_controller() {
  controller::Config config;
  config.seed = random_();
  config.policy = static_cast<controller::Policy>(below(5));
  config.max_tasks = 20'000;
  config.result_ttl = std::chrono::seconds(30);  // so that what dead clients left is gone at the end
  config.payload_grace = std::chrono::seconds(10);
  const auto serial = next_serial_++;
  auto process = std::make_unique<ControllerProcess>(*this, serial, static_cast<wire::Incarnation>(random_()), config);
  controller_ = serial;
  auto& started = *(processes_[serial] = std::move(process));
  if (up_) started.on_connected();
  after_event(started);
}

void World::start_engine() {
  engine::Config config;
  config.slots = static_cast<std::uint32_t>(1 + below(3));
  config.first_credit = 1 + below(16);
  const auto serial = next_serial_++;
  auto process = std::make_unique<EngineProcess>(*this, serial, static_cast<wire::Incarnation>(random_()), config);
  engines_.push_back(serial);
  auto& started = *(processes_[serial] = std::move(process));
  if (up_) started.on_connected();
  after_event(started);
}

void World::start_client() {
  const auto serial = next_serial_++;
  auto process = std::make_unique<ClientProcess>(*this, serial, static_cast<wire::Incarnation>(random_()));
  clients_.push_back(serial);
  auto& started = *(processes_[serial] = std::move(process));
  if (up_) started.on_connected();
  after_event(started);
}

void World::kill(std::uint64_t serial) {
  ++report_.kills;
  if (options_.verbose) fmt::print("{} process {} dies\n", report_.events, serial);
  std::erase(engines_, serial);
  std::erase(clients_, serial);
  if (controller_ == serial) controller_ = 0;
  processes_.erase(serial);
}

void World::bus_up(bool up) {
  if (up == up_) return;
  up_ = up;
  if (options_.verbose) fmt::print("{} the bus is {}\n", report_.events, up ? "up" : "down");
  std::vector<std::uint64_t> all;
  for (const auto& [serial, process] : processes_) all.push_back(serial);
  std::sort(all.begin(), all.end());
  for (const auto serial : all) {
    Process& process = *processes_.at(serial);
    up ? process.on_connected() : process.on_disconnected();
    after_event(process);
  }
}

void World::inject_faults() {
  if (calm_) return;
  const Faults& faults = options_.faults;
  if (chance(faults.kill_engine) && !engines_.empty()) kill(engines_[below(engines_.size())]);
  if (chance(faults.leave_engine) && !engines_.empty()) {
    static_cast<EngineProcess&>(*processes_.at(engines_[below(engines_.size())])).core.drain(wire::DrainMode::leave);
  }
  if (chance(faults.kill_client) && !clients_.empty()) kill(clients_[below(clients_.size())]);
  if (chance(faults.kill_controller) && controller_ != 0) kill(controller_);
  if (up_ && chance(faults.bus_outage)) {
    bus_up(false);
    up_at_ = now_ + micros(1'000, 6'000'000);
  }
  if (controller_ == 0 && chance(0.01)) start_controller();
  if (engines_.size() < kEngines && chance(0.005)) start_engine();
  if (clients_.size() < kClients && chance(0.005)) start_client();
}

void World::submit_some(ClientProcess& client) {
  const std::uint64_t room = std::min<std::uint64_t>(client.core.window(), kMaxOutstanding);
  if (client.outstanding.size() >= room) return;
  wire::TaskSpec spec;
  spec.function = "deed";
  const auto kind = below(100);
  spec.max_attempts = kind < 15 ? 1 : static_cast<std::uint32_t>(2 + below(3));
  spec.retries = kind % 5 == 0 ? static_cast<std::uint32_t>(below(3)) : 0;
  spec.retry_delay_ms = spec.retries > 0 ? below(20) : 0;
  spec.priority = static_cast<std::int32_t>(below(3));
  spec.timeout_ms = kind == 99 ? 200 : 0;
  spec.detached = false;
  const auto number = client.core.add_spec(spec);
  const std::uint64_t count = 1 + below(below(10) == 0 ? 300 : 10);
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto roll = below(1'000);
    const Deed deed = roll < 700 ? Deed::quick : roll < 930 ? Deed::brief : roll < 960 ? Deed::slow : roll < 998 ? Deed::fail : Deed::poison;
    const bool large_args = below(50) == 0, large_value = below(50) == 0;
    const auto value_kb = static_cast<std::uint8_t>(large_value ? 33 + below(100) : 0);
    std::string args = args_of(deed, value_kb, large_args ? 33'000 + below(300'000) : 0);
    wire::Writer content, extras;
    if (!large_args) wire::encode_content(content, wire::Codec::bytes, wire::as_bytes(args));
    const wire::Payload large{wire::Codec::bytes, large_args ? wire::Buffer(std::move(args)) : wire::Buffer()};
    if (last != 0 && below(20) == 0) {
      wire::SubmitExtras more;
      (below(2) == 0 ? more.after : more.follow).tasks.push_back({client.core.id_of(last)});
      more.after.failure = more.follow.failure = below(2) == 0;
      wire::encode_extras(extras, more);
    }
    const std::uint64_t cookie = client.next_cookie++;
    client.outstanding.emplace(cookie, ClientProcess::Expected{spec.max_attempts + spec.retries + 1, value_kb});
    last = client.core.submit({client::Scheme::controller, number, content.span(), large_args ? &large : nullptr, extras.span(), cookie});
    ++report_.submitted;
    if (below(200) == 0) client.core.cancel(client.core.id_of(last));
  }
  report_.max_queue = std::max<std::uint64_t>(report_.max_queue, client.outstanding.size());
}

void World::after_event(Process& process) {
  process.end_turn();
  const wire::Time deadline = process.deadline();
  if (deadline < process.timer) {
    process.timer = deadline;
    events_.push({std::max(deadline, now_), next_order_++, process.serial, 0, 0, wire::Role::controller, nullptr});
  }
}

void World::step() {
  const Event event = events_.top();
  events_.pop();
  now_ = std::max(now_, event.at);
  ++report_.events;
  if (!up_ && now_ >= up_at_) bus_up(true);
  const auto found = processes_.find(event.process);
  if (found != processes_.end()) {
    Process& process = *found->second;
    if (event.kind == 0) {
      process.timer = wire::kNever;
      process.on_timer();
    } else if (event.kind == 1 && up_) {
      process.on_frame(event.sender, wire::as_bytes(*event.frame));
    } else if (event.kind == 2) {
      process.on_run_done(event.argument);
    }
    auto* engine = dynamic_cast<EngineProcess*>(&process);
    if (engine == nullptr || !engine->dead) after_event(process);
    if (engine != nullptr && engine->core.leaving() && engine->core.drained()) {
      engine->core.say_goodbye();
      engine->dead = true;
    }
    if (engine != nullptr && engine->dead) kill(event.process);
  }
  inject_faults();
  if (!calm_ && !clients_.empty() && chance(0.02)) {
    auto& client = static_cast<ClientProcess&>(*processes_.at(clients_[below(clients_.size())]));
    submit_some(client);
    after_event(client);
  }
  if (report_.events % 256 == 0 && controller_ != 0) {
    static_cast<ControllerProcess&>(*processes_.at(controller_)).broker.check();
  }
}

bool World::settled() const {
  for (const auto serial : clients_) {
    if (!static_cast<const ClientProcess&>(*processes_.at(serial)).outstanding.empty()) return false;
  }
  for (const auto serial : engines_) {
    if (static_cast<const EngineProcess&>(*processes_.at(serial)).core.held_values() > 0) return false;
  }
  const auto& broker = static_cast<const ControllerProcess&>(*processes_.at(controller_)).broker;
  return broker.unfinished_tasks() == 0 && broker.spilled_bytes() == 0;
}

Report World::run() {
  start_controller();
  for (std::size_t i = 0; i < kEngines; ++i) start_engine();
  for (std::size_t i = 0; i < kClients; ++i) start_client();
  while (report_.events < options_.events && report_.failure.empty()) {
    if (events_.empty()) {
      now_ += std::chrono::milliseconds(100);
      post(wire::Duration::zero(), 0, 0);
    }
    step();
  }
  // The weather clears: whatever has been promised has to come true within two minutes.
  calm_ = true;
  bus_up(true);
  if (controller_ == 0) start_controller();
  while (engines_.size() < kEngines) start_engine();
  const wire::Time deadline = now_ + std::chrono::minutes(2);
  while (!settled() && now_ < deadline && report_.failure.empty() && !events_.empty()) step();
  const auto& broker = static_cast<ControllerProcess&>(*processes_.at(controller_)).broker;
  broker.check();
  report_.late_results_used = broker.counters().late_results_used;
  report_.requeued = broker.counters().requeued;
  if (report_.failure.empty() && !settled()) {
    std::size_t waiting = 0;
    for (const auto serial : clients_) {
      const auto& client = static_cast<const ClientProcess&>(*processes_.at(serial));
      waiting += client.outstanding.size();
      if (options_.verbose) fmt::print("client {}: {} outstanding, linked {}\n", serial, client.outstanding.size(), client.core.linked());
    }
    std::size_t values = 0;
    for (const auto serial : engines_) values += static_cast<const EngineProcess&>(*processes_.at(serial)).core.held_values();
    fail(fmt::format("{} results never came, {} tasks are unfinished in the controller ({} ready, {} engines), {} values are held by "
                     "engines, and {} bytes are spilled",
                     waiting, broker.unfinished_tasks(), broker.ready_tasks(), broker.live_engines(), values, broker.spilled_bytes()));
  }
  return report_;
}

}  // namespace covey::simulation

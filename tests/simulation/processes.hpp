// The simulated processes: each is the real state machine with the world around it instead of a bus, a clock and threads.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/core/client_core.hpp"
#include "controller/core/broker.hpp"
#include "engine/core/engine_core.hpp"
#include "tests/simulation/ledger.hpp"

namespace covey::simulation {

class World;

struct Process {
  Process(World& owner, std::uint64_t number) : world(owner), serial(number) {}
  virtual ~Process() = default;
  virtual void on_frame(wire::Role sender, wire::ByteSpan frame) = 0;
  virtual void on_timer() = 0;
  virtual void on_connected() = 0;
  virtual void on_disconnected() = 0;
  virtual void on_run_done(std::uint64_t) {}
  virtual void on_direct_over() {}
  virtual void end_turn() = 0;
  virtual wire::Time deadline() const = 0;
  virtual bool hears(std::string_view subject) const = 0;

  World& world;
  std::uint64_t serial;
  wire::Time timer = wire::kNever;  // when it wants to be woken
  std::uint64_t timer_number = 0;   // of the event that does
  wire::Time stopped_until{};       // it does nothing, and what comes for it waits
  bool over = false;                // its process ends after this event
};

struct ControllerProcess : Process, wire::Outlet {
  ControllerProcess(World& owner, std::uint64_t number, wire::Incarnation id, controller::Config config);
  void send(std::string_view subject, wire::ByteSpan frame) override;
  void log(std::string_view line) override;
  void on_frame(wire::Role sender, wire::ByteSpan frame) override;
  void on_timer() override;
  void on_connected() override;
  void on_disconnected() override { broker.on_disconnected(); }
  void end_turn() override;
  wire::Time deadline() const override { return broker.next_deadline(); }
  bool hears(std::string_view subject) const override { return subject.starts_with("covey.sim.controller."); }
  controller::Broker broker;
};

// With a pretended executor: `slots` runs at a time, in order.
struct EngineProcess : Process, engine::Port {
  EngineProcess(World& owner, std::uint64_t number, wire::Incarnation who, engine::Config config);
  void send(std::string_view subject, wire::ByteSpan frame) override;
  void log(std::string_view) override {}
  void on_frame(wire::Role sender, wire::ByteSpan frame) override;
  void on_timer() override;
  void on_connected() override;
  void on_disconnected() override { core.on_disconnected(); }
  void end_turn() override;
  wire::Time deadline() const override { return core.next_deadline(); }
  bool hears(std::string_view subject) const override { return subject.starts_with(inbox); }
  void on_run_done(std::uint64_t run) override;
  void on_direct_over() override { core.on_direct_over(); }

  void start(const engine::RunOrder& order) override;
  std::vector<engine::RunHandle> recall(std::size_t count) override;
  bool cancel(engine::RunHandle run) override;
  void listen_direct(bool on) override;

  struct Run {
    engine::RunHandle handle;
    wire::TaskId task;
    Deed deed;
    std::uint8_t value_kb;
    bool recallable;
    bool cancelled = false;
  };
  void check_order(const engine::RunOrder& order);
  void begin_next();
  void begun(const Run& run);
  void finish(const Run& ended);
  std::size_t held_of_controller() const;

  wire::Incarnation id;
  engine::Config config;
  engine::EngineCore core;
  std::string inbox;
  std::deque<Run> queue;
  std::unordered_map<engine::RunHandle, Run> running;
  std::uint64_t highest_credit = 0;
  bool hears_direct = true;
  wire::Time leave_by = wire::kNever;
};

struct ClientProcess : Process, client::Port {
  ClientProcess(World& owner, std::uint64_t number, wire::Incarnation who, wire::SessionId session);
  void send(std::string_view subject, wire::ByteSpan frame) override;
  void log(std::string_view) override {}
  void on_frame(wire::Role sender, wire::ByteSpan frame) override;
  void on_timer() override;
  void on_connected() override;
  void on_disconnected() override { core.on_disconnected(); }
  void end_turn() override;
  wire::Time deadline() const override { return core.next_deadline(); }
  bool hears(std::string_view subject) const override { return subject.starts_with(inbox); }

  void on_result(std::uint64_t cookie, const client::ResultView& result) override;
  void on_response(std::uint64_t request, std::string_view json) override;
  void on_window(std::uint64_t) override {}

  std::uint64_t room() const;
  wire::TaskId submit(Plan plan, const wire::TaskSpec& spec, const wire::SubmitExtras& extras, std::size_t args_size);
  // Cancels one of its latest tasks, if that has not ended.
  void cancel_some();
  void cancel(const wire::TaskId& task);
  void ask_for_result(const wire::TaskId& task);
  // Hands over what others may need, and goes.
  void leave();

  // A detached task whose result the controller keeps, as far as this client knows.
  struct Kept {
    wire::Incarnation controller;  // that said so; none: nobody has
    wire::Time submitted;
    std::uint64_t request = 0;     // under way
    bool answered = false;
  };

  wire::Incarnation id;
  client::ClientCore core;
  std::string inbox;
  std::unordered_map<std::uint64_t, wire::TaskId> outstanding;  // by cookie
  std::uint64_t next_cookie = 1;
  std::unordered_map<wire::TaskId, Kept> kept;
  std::unordered_map<std::uint64_t, wire::TaskId> asked;        // requests for results
  wire::Incarnation last_controller = wire::Incarnation::none;  // whose frame came last
  bool leaving = false;
  wire::Time leave_by = wire::kNever;
};

}  // namespace covey::simulation

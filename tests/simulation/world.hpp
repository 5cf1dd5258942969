// A whole cluster in one thread and in virtual time: one controller at a time, engines and clients (all of them the real
// state machines), and between them a bus that loses, duplicates, delays and reorders frames and goes down altogether.
// Anything may die at any time. Everything follows from the seed.
//
// Checked at every event: a result reaches its caller once, and with a bounded number of attempts; a task that may run at
// most once never begins twice; an engine never holds more than the credit that it gave; payloads arrive as they were sent.
// Every few hundred events: the broker's own invariants. At the end, when faults stop: every task of a living client has
// completed, and nobody holds a payload any more.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "client/core/client_core.hpp"
#include "controller/core/broker.hpp"
#include "engine/core/engine_core.hpp"

namespace covey::simulation {

struct Faults {
  double loss = 0.01, duplication = 0.01, long_delay = 0.01;
  double kill_engine = 2e-4, leave_engine = 5e-5, kill_client = 3e-5, kill_controller = 4e-5, bus_outage = 5e-5;  // per event
};

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t events = 100'000;
  Faults faults;
  bool verbose = false;
};

struct Report {
  std::uint64_t events = 0, submitted = 0, completed = 0, failed = 0, runs = 0, kills = 0, frames = 0, lost_frames = 0;
  std::uint64_t late_results_used = 0, requeued = 0, max_queue = 0;
  std::string failure;  // empty: every promise held
};

class World {
 public:
  explicit World(Options options);
  ~World();
  Report run();

 private:
  struct Process;
  struct ControllerProcess;
  struct EngineProcess;
  struct ClientProcess;
  struct Event {
    wire::Time at;
    std::uint64_t order;
    std::uint64_t process;  // its serial number; dead ones are skipped
    int kind;               // 0 timer, 1 frame, 2 run finished
    std::uint64_t argument;
    wire::Role sender;
    std::shared_ptr<const std::string> frame;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  bool chance(double probability) { return std::uniform_real_distribution<>(0, 1)(random_) < probability; }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  wire::Duration micros(std::uint64_t low, std::uint64_t high) { return std::chrono::microseconds(low + below(high - low + 1)); }

  void post(wire::Duration delay, std::uint64_t process, int kind, std::uint64_t argument = 0);
  void transmit(std::string_view subject, wire::ByteSpan frame);
  void deliver(std::uint64_t process, wire::Role sender, std::string_view subject, const std::shared_ptr<const std::string>& frame);
  void after_event(Process& process);
  void inject_faults();
  void bus_up(bool up);
  void start_controller();
  void start_engine();
  void start_client();
  void kill(std::uint64_t process);
  void submit_some(ClientProcess& client);
  void step();
  bool settled() const;
  void fail(std::string what);

  Options options_;
  std::mt19937_64 random_;
  wire::Subjects subjects_{"sim"};
  wire::Time now_{std::chrono::seconds(1)};
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t next_order_ = 0;
  std::uint64_t next_serial_ = 1;
  std::unordered_map<std::uint64_t, std::unique_ptr<Process>> processes_;
  std::uint64_t controller_ = 0;
  std::vector<std::uint64_t> engines_, clients_;
  bool up_ = true;
  bool calm_ = false;  // faults have stopped
  wire::Time up_at_{};
  std::unordered_map<std::size_t, wire::Time> last_arrival_;  // by subject and receiver
  std::unordered_map<wire::TaskId, int> begun_once_;  // runs of tasks that may run at most once
  Report report_;
};

}  // namespace covey::simulation

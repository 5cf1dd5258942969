// A whole cluster in one thread and in virtual time: one controller at a time, engines and clients (all of them the real
// state machines), and between them a bus that loses, duplicates, delays and reorders frames and goes down altogether.
// Anything may die or stand still at any time. Everything follows from the seed.
//
// Checked at every event: a result reaches its caller once, with a bounded number of attempts and a status that its task allows;
// a task that may run at most once, and any of the scheme direct, never begins twice; tasks run only on engines that they allow;
// an engine never holds more than the credit that it gave; payloads arrive as they were sent. Every few hundred events: the
// broker's own invariants.
// At the end faults stop: every task of a living client has to complete, and nobody may hold a payload or a result any more.
// Then follows fair weather: work of every kind, of which each task has to run once and end as it should.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/simulation/ledger.hpp"
#include "tests/simulation/processes.hpp"

namespace covey::simulation {

struct Faults {
  double loss = 0.01, duplication = 0.01, long_delay = 0.01;
  // Per event.
  double kill_engine = 2e-4, leave_engine = 5e-5, kill_client = 3e-5, leave_client = 5e-5, kill_controller = 4e-5, bus_outage = 5e-5;
  double stop_process = 5e-5;
};

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t events = 100'000;
  Faults faults;
  bool verbose = false;
};

struct Report {
  std::uint64_t events = 0, submitted = 0, completed = 0, failed = 0, runs = 0, kills = 0, frames = 0, lost_frames = 0;
  std::uint64_t late_results_used = 0, requeued = 0;
  std::string failure;  // empty: every promise held
};

class World {
 public:
  explicit World(Options options);
  ~World();
  Report run();

  // ---- what processes see of it ----
  wire::Time now() const { return now_; }
  bool calm() const { return calm_; }
  const wire::Subjects& subjects() const { return subjects_; }
  Ledger& ledger() { return ledger_; }
  Report& report() { return report_; }
  void transmit(std::string_view subject, wire::ByteSpan frame);
  void leave_group(std::uint64_t engine);  // what the group has given to it so far still comes
  void post_run_done(wire::Duration delay, std::uint64_t process, std::uint64_t run) { post(delay, process, Event::Kind::run_done, run); }
  void fail(std::string what);
  // Fails with `what`, unless that is empty.
  void check(std::string what) {
    if (!what.empty()) fail(std::move(what));
  }
  template <class Text>
  void tell(Text&& text) const {
    if (options_.verbose) print(text());
  }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  wire::Duration micros(std::uint64_t low, std::uint64_t high) { return std::chrono::microseconds(low + below(high - low + 1)); }

 private:
  struct Event {
    enum class Kind : std::uint8_t { timer, frame, run_done, direct_over };
    wire::Time at;
    std::uint64_t order;
    std::uint64_t process;  // its serial number; dead ones are skipped
    Kind kind;
    wire::Role sender;
    std::uint64_t argument;
    std::shared_ptr<const std::string> frame;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  bool chance(double probability) { return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability; }
  void print(const std::string& line) const;

  // world.cpp
  void post(wire::Duration delay, std::uint64_t process, Event::Kind kind, std::uint64_t argument = 0);
  void after_event(Process& process);
  void step();
  void handle(const Event& event);
  bool run_until(const std::function<bool()>& done, wire::Duration limit);
  bool settled();
  std::string what_is_left();
  void calm_down();
  template <class Kind>
  Kind& process(std::uint64_t serial) {
    return static_cast<Kind&>(*processes_.at(serial));
  }
  controller::Broker& broker() { return process<ControllerProcess>(controller_).broker; }

  // bus.cpp
  void deliver(std::uint64_t process, wire::Role sender, std::string_view subject, const std::shared_ptr<const std::string>& frame,
               bool may_come_twice = true);
  void bus_up(bool up);

  // faults.cpp
  void start_controller();
  void start_engine();
  std::uint64_t start_client();
  void kill(std::uint64_t process);
  void inject_faults();
  void stop_some();

  // work.cpp
  void work();
  void submit_some(ClientProcess& client);
  void submit_direct(ClientProcess& client);
  void ask_something(ClientProcess& client);
  wire::TaskSpec some_spec();
  Plan some_plan(const wire::TaskSpec& spec);
  Plan keyed_plan(const wire::TaskSpec& spec, std::uint64_t key);
  wire::SubmitExtras some_extras(ClientProcess& client, std::uint64_t last, Plan& plan);

  // fair_weather.cpp
  void fair_weather();
  void submit_fair(ClientProcess& client, std::uint64_t keys);
  void leave_work_behind(ClientProcess& client);
  void ask_again(ClientProcess& client);
  void resume_engines();

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
  std::vector<wire::TaskId> left_behind_;  // detached tasks of clients that left in good order
  std::uint64_t next_key_ = 1;
  Ledger ledger_;
  Report report_;
};

inline constexpr std::size_t kEngines = 6, kClients = 3;
inline constexpr wire::Duration kResultTtl = std::chrono::seconds(30);  // so that what clients left behind is gone at the end

}  // namespace covey::simulation

// An engine process: the core on its loop, a connection to NATS, and the slots that run functions.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/bus/connection.hpp"
#include "common/bus/core_loop.hpp"
#include "common/bus/shared_loop.hpp"
#include "engine/core/engine_core.hpp"
#include "engine/exec/function.hpp"
#include "engine/exec/slot_pool.hpp"
#include "engine/exec/variables.hpp"

namespace covey::engine {

struct NodeOptions {
  bus::ConnectOptions nats;
  std::string cluster = "default";
  Config core;
  std::vector<std::string> plugins;     // shared libraries
  std::uint64_t variable_bytes = kDefaultVariableBytes;
  bool allow_exec = false;
  bool inline_functions = true;         // run quick built-ins on the loop; false: everything on a slot's thread
  std::chrono::seconds drain_timeout{30};
  std::chrono::seconds stuck_grace{10};  // a cancelled run that goes on for longer makes the engine drain and leave
};

class EngineNode : private Port {
 public:
  EngineNode(bus::SharedLoop& shared, NodeOptions options);
  ~EngineNode() override;

  // Loads plugins and connects; an error says what to do about it. Throws std::runtime_error for a bad plugin.
  boost::system::error_code start();
  // Takes no more, finishes what runs, says goodbye and stops the loop; the second call does not wait for what runs.
  void leave();
  int exit_status() const { return exit_status_; }
  // Once the loop has ended: cancels what still runs. False: something does not heed that within the grace.
  bool end_runs();

 private:
  void send(std::string_view subject, wire::ByteSpan frame) override;
  void log(std::string_view line) override;
  void start(const RunOrder& order) override;
  std::vector<RunHandle> recall(std::size_t count) override;
  bool cancel(RunHandle run) override;
  void listen_direct(bool on) override;

  void run_inline(const RunOrder& order, const Function& function);
  std::int64_t unix_us(wire::Time at);
  void refuse_unknown(RunHandle run, const std::string& function);
  void refuse_more(RunHandle run);
  void report(RunHandle run, const Outcome& outcome, std::int64_t started_unix_us, std::int64_t duration_ns);
  void wake();
  bool serve_loop(const std::function<bool()>& over);
  void collect();
  void watch();
  void watch_in(std::chrono::milliseconds pause);
  void say_goodbye();
  void look_at_memory(wire::Time now);
  void check_left();

  bus::SharedLoop& shared_;  // slots run it while they have nothing else to do
  boost::asio::io_context& io_;
  NodeOptions options_;
  Variables variables_;
  FunctionTable functions_;
  wire::Incarnation self_;
  wire::Subjects subjects_;
  std::unique_ptr<bus::Connection> connection_;
  std::unique_ptr<EngineCore> core_;
  std::unique_ptr<bus::CoreLoop<EngineCore>> loop_;
  std::unique_ptr<SlotPool> pool_;
  boost::asio::steady_timer watch_timer_;
  std::vector<Finished> finished_;
  wire::Writer scratch_, content_scratch_;
  double mean_inline_ns_ = 0;
  std::chrono::nanoseconds mean_job_{0};  // of what ran on slots
  std::size_t jobs_ = 0;                  // with the slots
  wire::Time last_inline_end_{};
  wire::Time unix_known_at_{};            // when the offset was last looked at
  wire::Duration unix_offset_{};          // Unix time less the steady clock's
  wire::Time memory_known_at_{};
  bool leaving_ = false;
  std::chrono::steady_clock::time_point leave_by_{};
  std::chrono::steady_clock::time_point connected_at_{};  // while leaving: when last
  int exit_status_ = 0;
  bool watches_idly_ = false;  // the watch comes late, since nothing ran when it was set
};

// Runs an engine until a signal or the controller ends it; returns the process's exit status.
int run_engine(NodeOptions options);

}  // namespace covey::engine

// An engine's side of the protocol: takes tasks within its credit, has them run, and reports every one of them exactly
// once per link, whatever happens to NATS or the controller.
//
// A pure state machine like the controller's broker: frames, time and finished runs go in; frames and runs come out
// through a Port. One thread at a time may call it. A turn is any number of events and then end_turn().
#pragma once

#include <cstdint>
#include <map>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/wire/outlet.hpp"
#include "common/wire/records.hpp"
#include "common/wire/subjects.hpp"
#include "common/wire/transfer.hpp"
#include "common/wire/uplink.hpp"
#include "engine/core/config.hpp"

namespace covey::engine {

// The engine's own name for a run, unique in its life.
using RunHandle = std::uint64_t;

struct RunOrder {
  RunHandle run = 0;
  wire::TaskId task;
  const wire::TaskSpec* spec = nullptr;  // valid during the call
  wire::Payload args;
  bool shared = false;                   // false: the bytes of args are valid during the call only
  bool recallable = true;                // false: scheme direct, which has nobody to give it back to
  wire::Time now{};                      // of the event that it came with
};

// What the core needs done, besides what an Outlet does.
class Port : public wire::Outlet {
 public:
  // Begins a run or queues it behind others, in order. It may call EngineCore::on_finished() before it returns.
  virtual void start(const RunOrder& order) = 0;
  // Takes back up to `count` recallable runs that have not begun, the newest first.
  virtual std::vector<RunHandle> recall(std::size_t count) = 0;
  // True: it had not begun and is gone. False: it runs, and will report soon.
  virtual bool cancel(RunHandle run) = 0;
  // Whether to listen for tasks of the scheme direct. It does at first. Once told not to, what is on its way still comes; then
  // EngineCore::on_direct_over() has to be called.
  virtual void listen_direct(bool on) = 0;
};

class EngineCore : private wire::Fetcher::Taker {
 public:
  EngineCore(wire::Incarnation self, const wire::Subjects& subjects, Config config, Port& port);

  // ---- events ----
  void on_frame(wire::Role sender, wire::ByteSpan message, wire::Time now);
  // No more tasks of the scheme direct come from when we listened for them.
  void on_direct_over() { --direct_ends_awaited_; }
  void on_connected(wire::Time now);
  void on_disconnected();
  void on_timer(wire::Time now);
  // Keeps a value that is too large to travel inline until it is wanted no more. The report of the same run has to follow,
  // with the reference as its content.
  wire::BlobReference hold(wire::Buffer value);
  // `report` is an encoded RunReport. `mean_run`: how long runs take lately, zero where unknown.
  void on_finished(RunHandle run, wire::ByteSpan report, wire::Duration mean_run);
  // How many bytes the process has resident; told to the controller where it has changed by more than a sixteenth.
  void on_memory(std::uint64_t bytes) { memory_ = bytes; }
  void end_turn(wire::Time now);
  wire::Time next_deadline() const;

  // drain: takes no more tasks and gives back those not begun; drained() once all that ran has been reported and
  // acknowledged. leave: the same, and there is no way back. resume: takes tasks again. The controller may ask for each.
  void drain(wire::DrainMode mode);
  bool draining() const { return mode_ != wire::DrainMode::resume; }
  bool leaving() const { return mode_ == wire::DrainMode::leave; }
  bool drained() const;
  void say_goodbye() { uplink_.say_goodbye(); }

  bool linked() const { return uplink_.link() != nullptr; }
  // Not empty: the controller will not have us, and this is why.
  const std::string& refusal() const { return uplink_.refusal(); }
  std::size_t held() const { return runs_.size(); }
  // Values that wait to be read, and their bytes.
  std::size_t held_values() const { return values_.size(); }
  std::uint64_t held_value_bytes() const { return value_bytes_; }
  // The largest payload that may travel at all.
  std::uint64_t max_payload() const { return uplink_.terms().max_payload; }
  std::uint64_t credit() const { return credit_; }
  std::uint64_t malformed_frames() const { return malformed_frames_; }
  std::uint64_t completed() const { return completed_; }

 private:
  // Scheme direct: a client, and the number of its link. A client begins another link when one of us may have forgotten it.
  using DirectId = std::pair<wire::Incarnation, std::uint32_t>;
  struct DirectClient {
    wire::Link link;
    std::string subject;
    wire::Time last_heard;
    wire::Time hold_until{};  // until then an acceptance waits for the result to travel with
  };
  struct Run {
    wire::TaskId task;
    std::uint64_t controller_handle = 0;  // 0: scheme direct
    DirectId client{};                    // scheme direct
  };
  // A run whose arguments are still on their way here.
  struct Awaiting {
    wire::TaskSpec spec;
    wire::Codec codec;
    wire::BlobReference blob;
    bool recallable;
  };
  // A value that its client has not yet read, and what was reported of it.
  struct Value {
    wire::Buffer bytes;
    wire::TaskId task;
    std::string report;                                  // empty until the run is reported
    DirectId client{};                                   // scheme direct
    bool of_controller() const { return client.first == wire::Incarnation::none; }
  };

  void on_controller_event(wire::Uplink::Event event);
  void on_linked();
  void on_lost();
  void on_records(wire::Reader& in);
  void on_run(const wire::RunRecord& record);
  void begin(const Run& run, const wire::TaskSpec& spec, wire::ByteSpan content, bool recallable);
  void await_args(RunHandle run, const wire::TaskSpec& spec, const wire::ContentView& content, bool recallable);
  void end_early(RunHandle run, wire::TaskStatus status, std::string_view error);
  std::vector<RunHandle> take_back(std::size_t count);
  bool cancel(RunHandle run);
  void on_fetched(std::uint64_t run, wire::Buffer payload) override;
  void on_fetch_failed(std::uint64_t run, wire::FetchError error) override;
  void on_payload_frame(wire::Role sender, const wire::Frame& frame, wire::Time now);
  void say_finished(const Run& finished, wire::ByteSpan report);
  void note_value(const Run& run, wire::ByteSpan report);
  void drop_value(wire::ByteSpan report);
  void spill_value(wire::ByteSpan report);
  void release(std::uint64_t value);
  void release_values_of(const DirectId& client);
  void report_again(wire::Link& link);
  void report_values_again(wire::Link& link);
  void spill_values();
  void spill(std::uint64_t number, const Value& value);
  void on_recall(std::uint64_t count);
  void on_stop_run(std::uint64_t handle);
  void on_direct_frame(const wire::Frame& frame, wire::Time now);
  void on_client_frame(const wire::Frame& frame, wire::Time now);
  void on_direct_cancel(DirectClient& client, const wire::TaskId& task);
  void sweep_direct(wire::Time now);
  DirectClient& direct_client(const wire::Header& header, wire::Time now);
  void refuse_direct(const Run& run);
  void fetch_args();
  void give_back(RunHandle run);
  void forget_run(std::unordered_map<RunHandle, Run>::iterator run);
  void listen_direct(bool on);
  void report_credit(wire::Duration mean_run);
  void report_memory();
  std::uint64_t wanted_credit(wire::Duration mean_run) const;

  wire::Incarnation self_;
  wire::Subjects subjects_;
  Config config_;
  Port& port_;
  wire::Uplink uplink_;
  wire::Fetcher fetcher_;  // of arguments, by RunHandle

  std::unordered_map<RunHandle, Run> runs_;
  std::unordered_map<std::uint64_t, RunHandle> run_by_controller_handle_;
  RunHandle next_run_ = 1;
  // The run being started, until its port says whether it will take longer: short ones never reach the tables.
  RunHandle starting_ = 0;
  Run starting_run_;
  bool starting_done_ = false;
  std::map<RunHandle, Awaiting> awaiting_;  // a part of runs_
  std::deque<RunHandle> to_fetch_;          // of those, and of some that are gone
  std::unordered_map<RunHandle, std::uint64_t> fetched_;  // bytes of arguments of runs that have asked for them
  std::uint64_t fetched_bytes_ = 0;

  std::map<std::uint64_t, Value> values_;   // by the number in their references
  std::uint64_t next_value_ = 1;
  std::uint64_t value_bytes_ = 0;
  wire::Time now_{};  // of the present event

  // Results of the time without a link.
  struct Unreported {
    wire::TaskId task;
    std::string report;
  };
  std::vector<Unreported> unreported_;

  std::unordered_map<std::uint64_t, wire::TaskSpec> specs_;  // by the controller's number, on this link
  std::map<DirectId, std::unique_ptr<DirectClient>> direct_clients_;
  std::uint64_t credit_ = 0;  // as last told
  bool credit_told_ = false;  // on this link
  std::uint64_t memory_ = 0, memory_told_ = 0;  // 0: not known; not told on this link
  wire::Duration mean_run_{};
  wire::DrainMode mode_ = wire::DrainMode::resume;
  int direct_ends_awaited_ = 0;  // of on_direct_over()
  wire::Time next_sweep_ = wire::kNever;
  bool connected_ = false;
  wire::Time connected_since_{};
  std::uint64_t malformed_frames_ = 0;
  std::uint64_t completed_ = 0;
};

}  // namespace covey::engine

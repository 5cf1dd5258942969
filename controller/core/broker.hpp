// The controller's heart: takes tasks from clients, gives them to engines, takes results back to clients, and loses none.
//
// A pure state machine: frames, connection changes and time go in; frames come out through an Outlet. It knows no socket, no
// clock and no thread, and everything it decides follows from what was put in, so a simulation can replay it. One
// thread at a time may call it.
//
// A turn is: any number of on_frame(), then end_turn(), which hands out tasks and sends what has gathered. Between
// turns, on_timer() has to be called at next_deadline().
//
// Invariants: a task is in exactly one of the states of TaskState and in the list that goes with it; an engine's load is
// the number of its assigned, adopted and ghost tasks; a task is assigned only to an engine with free credit; every
// unfinished task of a session is in its index; results leave exactly once per link and stay until acknowledged.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/wire/outlet.hpp"
#include "common/wire/records.hpp"
#include "common/wire/subjects.hpp"
#include "common/wire/transfer.hpp"
#include "controller/core/config.hpp"
#include "controller/core/dependencies.hpp"
#include "controller/core/figures.hpp"
#include "controller/core/history.hpp"
#include "controller/core/peers.hpp"
#include "controller/core/ready_queue.hpp"
#include "controller/core/setbacks.hpp"
#include "controller/core/spec_table.hpp"
#include "controller/core/task_table.hpp"

namespace covey::controller {

struct Counters {
  std::uint64_t submitted = 0, completed = 0, failed = 0;
  std::uint64_t late_results = 0;       // of attempts that were given up
  std::uint64_t late_results_used = 0;  // of these, the task had none yet
  std::uint64_t malformed_frames = 0, foreign_frames = 0, other_version_frames = 0, stale_frames = 0;
  std::uint64_t engines_lost = 0, recalls = 0, requeued = 0, results_evicted = 0;
};

class Broker : private wire::Fetcher::Taker {
 public:
  Broker(wire::Incarnation self, wire::Subjects subjects, Config config, wire::Outlet& port);

  // ---- events ----
  // `sender` is the role that the subject it came on grants its sender.
  void on_frame(wire::Role sender, wire::ByteSpan message, wire::Time now);
  void on_connected(wire::Time now);
  void on_disconnected();
  void on_timer(wire::Time now);
  void end_turn(wire::Time now);
  wire::Time next_deadline() const;

  // Answers an administrative question: JSON in, JSON out. docs/protocol.md lists them.
  std::string ask(std::string_view request, wire::Time now);
  // The session of the API in our own process: it neither counts as a client nor takes a share of the queue from them.
  void expect_local(wire::SessionId session) { local_session_ = session; }

  // ---- what tests and the simulation look at ----
  const Counters& counters() const { return counters_; }
  std::size_t unfinished_tasks() const { return tasks_.size(); }
  std::size_t ready_tasks() const { return ready_.size(); }
  std::size_t live_engines() const { return live_engines_; }
  std::uint64_t result_bytes() const { return result_bytes_; }
  std::uint64_t spilled_bytes() const { return spilled_bytes_; }
  wire::Incarnation incarnation() const { return self_; }
  // Walks everything and asserts the invariants above. Slow.
  void check() const;

 private:
  struct Timer {
    wire::Time at;
    Handle task;
    bool operator>(const Timer& other) const { return at > other.at; }
  };
  // A task of an earlier controller that an engine still has, until its client submits it again.
  struct Orphan {
    wire::Incarnation engine = wire::Incarnation::none;
    std::uint64_t handle = 0;
    std::string report;  // set once it has finished
    wire::Time since{};
  };

  // A result whose value its client has not yet read, as it was reported.
  struct HeldResult {
    wire::BlobReference blob;
    std::string report;
    std::uint32_t attempts = 0;
    wire::Incarnation engine = wire::Incarnation::none;
  };
  // A payload that is on its way into the spill store.
  struct Spilling {
    wire::Role role = wire::Role::engine;
    wire::BlobReference source;
  };

  // broker.cpp: peers and links
  void on_hello(wire::Role sender, const wire::Frame& frame, wire::Time now);
  void on_goodbye(const wire::Header& header, wire::Time now);
  void refuse(wire::Role role, const wire::Header& header, wire::RefuseReason reason, std::string_view text);
  void welcome(Peer& peer, std::uint64_t window);
  std::unique_ptr<Peer> make_peer(wire::Role role, std::uint32_t index, const wire::Header& header, wire::Time now);
  void end_link(Peer& peer, wire::Time now);
  Peer* find_peer(const wire::Header& header);
  void touch(Peer& peer);
  void flush(Peer& peer);
  void sweep(wire::Time now);
  void note_engines(wire::Time now);
  wire::Time silent_since(const Peer& peer) const;

  // sessions.cpp: clients
  void on_client_hello(const wire::Hello& hello, const wire::Header& header, wire::Time now);
  void on_client_records(Session& session, wire::Reader& in, wire::Time now);
  void on_spec(Session& session, const wire::SpecRecord& record);
  void on_submit(Session& session, const wire::SubmitRecord& record, wire::Time now);
  void on_cancel(const wire::TaskId& id, wire::Time now);
  bool known_already(Session& session, std::uint64_t sequence);
  bool claim_orphan(TaskIndex index, wire::Time now);
  void client_left(Session& session, wire::Time now);
  void unlink(Session& session, wire::Time now);
  void send_result(Session& session, const wire::ResultRecord& record);
  void say_kept(Session& session, const ResultStore::Result& result);
  void store(ResultStore& in, ResultStore::Result&& result);
  void pump_results(Session& session);
  void grant_windows();
  void expire_results(wire::Time now);
  Session& session_of(const Task& task) { return *sessions_[task.session]; }
  Session* find_session(wire::SessionId id);
  void drop_session_if_empty(SessionIndex index);

  // payloads.cpp: what is too large to travel through here, and stays with its holder
  void on_payload_frame(wire::Role sender, const wire::Frame& frame, wire::Time now);
  void on_taken(Session& session, const wire::TakenRecord& record, wire::Time now);
  void rerun_for_values_of(wire::Incarnation engine, wire::Time now);
  void relieve_full_engines();
  void give_up_value(TaskIndex index);
  void rerun_for_lost_value(TaskIndex index, wire::Time now);
  bool wait_for_args(TaskIndex index, wire::TaskStatus status, wire::Time now);
  void hold(TaskIndex index, const wire::BlobReference& blob, HeldResult&& result);
  void add_user(const wire::BlobReference& blob, TaskIndex user);
  void remove_user(const wire::BlobReference& blob, TaskIndex user);
  void release(const wire::BlobReference& blob);
  void release_unused(wire::ByteSpan report);
  void drop_payloads(TaskIndex index);
  bool has_taken_over_args(const Session& session, std::uint64_t sequence);
  void on_spill(const Peer& peer, const wire::SpillRecord& record);
  void on_fetched(std::uint64_t cookie, wire::Buffer payload) override;
  void on_fetch_failed(std::uint64_t cookie, wire::FetchError error) override;
  void take_over_args(const wire::BlobReference& source, const wire::BlobReference& copy);
  void take_over_value(TaskIndex index, const wire::BlobReference& copy);
  void set_args(TaskIndex index, const wire::BlobReference& blob);
  void forget_held_results(Session& session);

  // engines.cpp
  void on_engine_hello(const wire::Hello& hello, const wire::Header& header, wire::Time now);
  void on_drain(Engine& engine, wire::DrainMode mode);
  void on_engine_records(Engine& engine, wire::Reader& in, wire::Time now);
  void on_finished(Engine& engine, const wire::FinishedRecord& record, wire::Time now);
  void on_adopted_finished(Engine& engine, const wire::FinishedRecord& record, wire::Time now);
  void on_adopted_stopped(Engine& engine, TaskIndex index, wire::Time now);
  void keep_orphan_result(Engine& engine, const wire::FinishedRecord& record, wire::Time now);
  void on_returned(Engine& engine, Handle handle);
  void on_adopt(Engine& engine, const wire::AdoptRecord& record, wire::Time now);
  void on_adopted_all(Engine& engine, wire::Time now);
  // `why`: what somebody says who saw it end; empty where nobody did.
  void engine_lost(EngineIndex index, bool in_good_order, wire::Time now, std::string_view why = {});
  void note_setbacks(const Engine& engine, wire::Time now, std::string_view why);
  void give_up_assigned(Engine& engine, bool in_good_order, wire::Time now);
  void rerun_or_fail(Engine& engine, TaskIndex index, bool in_good_order, wire::Time now);
  bool can_ever_run(const Demand& demand);
  void fail_unschedulable(wire::Time now);

  // dispatch.cpp
  void dispatch(wire::Time now);
  void dispatch_lane(const ReadyQueue::Lane& lane, wire::Time now);
  Engine* choose(const Demand& demand, std::size_t& eligible);
  bool may_take(const Engine& engine, const Demand& demand) const;
  std::uint64_t room(const Engine& engine, const Demand& demand) const;
  bool runs_already(const Engine& engine, TaskIndex index) const;
  void assign(Engine& engine, TaskIndex index);
  void rename(TaskIndex index);
  void reserve(const Demand& demand);
  void recall_for_idle();
  Demand demand_of(TaskIndex index) const;
  void make_ready(TaskIndex index, bool front = false);
  void take_from_queue(TaskIndex index);
  void detach_from_engine(TaskIndex index, bool stop);

  // completion.cpp
  void complete(TaskIndex index, wire::ByteSpan report, wire::Incarnation engine, wire::Time now);
  void note_completed(History::Entry entry, SpecIndex spec);
  void fail(TaskIndex index, wire::TaskStatus status, std::string_view error, wire::Time now);
  bool retry(TaskIndex index, wire::Time now);
  void deliver(Session& session, bool detached, ResultStore::Result&& result);
  void forget(TaskIndex index);
  void destroy(TaskIndex index);
  void on_task_timer(TaskIndex index, wire::Time now);
  void set_timer(wire::Time at, TaskIndex index);
  void settle_dependents(const wire::TaskId& id, bool success, wire::Incarnation engine, wire::Time now);
  void admit(TaskIndex index, wire::Time now);
  void hold_to_result_limit();

  // queries.cpp
  boost::json::object describe_status(wire::Time now) const;
  boost::json::object describe_engines(std::uint64_t from, std::uint64_t limit, wire::Time now) const;
  boost::json::object describe_engine(std::string_view id, wire::Time now);
  boost::json::object drain_engine(std::string_view id, wire::DrainMode mode);
  boost::json::object give_up_engine(std::string_view id, std::string_view why, wire::Time now);
  boost::json::array describe_setbacks(const wire::TaskId& task, wire::Time now) const;
  boost::json::object kept_result(const wire::TaskId& id);
  boost::json::object explain(const wire::TaskId& id, wire::Time now);
  std::string why(TaskIndex index) const;

  // listings.cpp
  struct Named;
  struct TaskFilter;
  Named named(SpecIndex spec) const;
  Named named(const History::Entry& past) const;
  static boost::json::object common_part(const wire::TaskId& id, std::string_view state, const Named& named);
  class TaskPage;
  boost::json::object list_tasks(const boost::json::object& request, wire::Time now) const;
  void list_unfinished(TaskPage& page, std::uint64_t from) const;
  void list_completed(TaskPage& page, std::uint64_t from) const;
  void list_submission(TaskPage& page, std::uint64_t from) const;
  boost::json::object describe_past(const History::Entry& past, wire::Time now) const;
  boost::json::object list_queues(std::uint64_t limit) const;
  boost::json::object list_events(const boost::json::object& request, wire::Time now) const;
  boost::json::object describe_figures() const;

  wire::TaskId id_of(TaskIndex index) const {
    return {sessions_[tasks_[index].session]->id, tasks_[index].sequence};
  }
  Engine* find_engine(wire::Incarnation id);
  TaskIndex find_task(const wire::TaskId& id);

  wire::Incarnation self_;
  wire::Subjects subjects_;
  Config config_;
  wire::Outlet& port_;
  Counters counters_;
  std::mt19937_64 random_;

  TaskTable tasks_;
  SpecTable specs_;
  ReadyQueue ready_;
  std::unordered_map<TaskIndex, SideTask> side_;      // of tasks with has_side
  std::unordered_map<wire::TaskId, std::vector<Handle>> dependents_;  // waiting tasks, by what they wait for
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::unordered_map<TaskIndex, HeldResult> held_;                // of tasks in the state held
  std::map<wire::BlobReference, std::vector<TaskIndex>> users_;   // of values, and of arguments in the spill store
  std::unordered_map<std::uint64_t, wire::Buffer> spilled_;
  std::uint64_t spilled_bytes_ = 0;
  std::uint64_t next_spilled_ = 1;
  std::unordered_map<std::uint64_t, Spilling> spilling_;          // by the fetch's cookie
  std::uint64_t spilling_bytes_ = 0;
  std::uint64_t next_spilling_ = 1;
  wire::Fetcher fetcher_;
  History history_;
  Setbacks setbacks_;
  IdempotencyTable idempotency_;

  std::vector<std::unique_ptr<Engine>> engines_;  // null where an index is free
  std::size_t live_engines_ = 0;
  std::size_t next_engine_ = 0;  // where the round begins among equals
  std::uint64_t assignments_ = 0;
  EngineIndex reserved_ = kNone;  // is given nothing more, so that a suspect can run on it alone

  std::vector<std::unique_ptr<Session>> sessions_;
  std::unordered_map<wire::SessionId, SessionIndex> session_by_id_;
  wire::SessionId local_session_ = wire::SessionId::none;
  std::uint64_t result_bytes_ = 0;  // in all sessions' stores

  LatencyHistogram latency_;
  std::vector<FunctionFigures> functions_;  // by SpecTable's number of the function
  EngineEvents engine_events_;
  EngineTotals totals_;  // as of the last sweep
  std::unordered_map<wire::TaskId, Orphan> orphans_;
  std::uint64_t orphan_bytes_ = 0;

  std::unordered_map<wire::Incarnation, Peer*> peers_;
  struct EndedLink {
    std::uint32_t id = 0;
    wire::Time at{};
  };
  std::unordered_map<wire::Incarnation, EndedLink> ended_links_;  // the last of each peer
  std::vector<Peer*> dirty_;
  std::vector<wire::Incarnation> acks_owed_;
  wire::Time control_deadline_ = wire::kNever;
  bool connected_ = false;
  wire::Time connected_since_{};
  wire::Time started_{};
  wire::Time next_sweep_ = wire::kNever;
  wire::Writer scratch_;
};

}  // namespace covey::controller

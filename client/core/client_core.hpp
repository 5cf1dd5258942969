// A client's side of the protocol: submits tasks within its window, keeps each until its result is here, hands every
// result out exactly once, and submits again to a controller that has lost them.
//
// A pure state machine: frames, submissions and time go in; frames and results come out through a Port. One thread at a
// time may call it. A turn is any number of events and then end_turn().
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/core/task_pages.hpp"
#include "common/wire/outlet.hpp"
#include "common/wire/records.hpp"
#include "common/wire/subjects.hpp"
#include "common/wire/transfer.hpp"
#include "common/wire/uplink.hpp"

namespace covey::client {

// One result as it arrives; views are valid during the call.
struct ResultView {
  std::uint64_t sequence = 0;
  std::uint32_t attempts = 0;
  wire::Incarnation engine = wire::Incarnation::none;
  wire::RunReport report;
  wire::Payload value;  // where it was too large for the report, whose content is empty then
};

// What the core needs done, besides what an Outlet does.
class Port : public wire::Outlet {
 public:
  // Called once for each submitted task; `cookie` is what submit() was given. It may submit more.
  virtual void on_result(std::uint64_t cookie, const ResultView& result) = 0;
  virtual void on_response(std::uint64_t request, std::string_view json) = 0;
  // How fetch() ended: with the payload, or without one where its holder has it no more or does not answer.
  virtual void on_payload(std::uint64_t, std::optional<wire::Buffer>) {}
  // How many unfinished tasks the controller lets this client have, whenever it says so.
  virtual void on_window(std::uint64_t tasks) = 0;
};

enum class Scheme : std::uint8_t { controller, direct };

struct Submission {
  Scheme scheme = Scheme::controller;
  std::uint32_t spec = 0;  // from add_spec()
  wire::ByteSpan content;
  const wire::Payload* large = nullptr;  // instead of content: stays here until the engine that runs the task fetches it
  wire::ByteSpan extras;   // an encoded SubmitExtras, or empty; scheme controller only
  std::uint64_t cookie = 0;
};

class ClientCore : private wire::Fetcher::Taker {
 public:
  ClientCore(wire::Incarnation self, wire::SessionId session, const wire::Subjects& subjects, std::string name, Port& port);

  // ---- events ----
  void on_frame(wire::Role sender, wire::ByteSpan message, wire::Time now);
  void on_connected(wire::Time now);
  void on_disconnected();
  void on_timer(wire::Time now);
  void end_turn(wire::Time now);
  wire::Time next_deadline() const;

  // ---- what a user wants ----
  // A number for submissions, good until release_spec() has been called as often as add_spec() for these bytes.
  std::uint32_t add_spec(const wire::TaskSpec& spec);
  std::uint32_t add_spec(std::string encoded);
  void release_spec(std::uint32_t number) { unuse_spec(number); }
  // Gives a number that no unfinished task uses another meaning, for who keeps such numbers for himself.
  void replace_spec(std::uint32_t number, const wire::TaskSpec& spec);
  // The task's number in the session. The caller keeps within window(); before a link exists, tasks wait here.
  std::uint64_t submit(const Submission& submission);
  void cancel(const wire::TaskId& task);
  // Visits unfinished tasks: visit(sequence, cookie).
  template <class Visit>
  void for_each_task(Visit&& visit) const {
    tasks_.for_each([&](std::uint64_t sequence, const ClientTask& task) { visit(sequence, task.cookie); });
  }
  std::uint64_t request(std::string_view json);
  // Reads a payload of which the controller has said where it is, and that stays there.
  std::uint64_t fetch(const wire::BlobReference& blob);
  void forget_fetch(std::uint64_t fetch) { fetcher_.forget(fetch); }
  // Asks the controller to take over the arguments of unfinished tasks, before we leave; spilled() once it has those and all
  // tasks, or cannot.
  void spill();
  bool spilled();
  void say_goodbye();

  bool linked() const { return uplink_.link() != nullptr; }
  const std::string& refusal() const { return uplink_.refusal(); }
  wire::SessionId session() const { return session_; }
  wire::TaskId id_of(std::uint64_t sequence) const { return {session_, sequence}; }
  std::uint64_t window() const { return window_; }
  std::size_t unfinished() const { return tasks_.size(); }
  std::size_t specs() const { return spec_by_bytes_.size(); }
  std::uint64_t max_payload() const { return uplink_.terms().max_payload; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t malformed_frames() const { return malformed_frames_; }

  static constexpr std::size_t kMostIdleSpecs = 1024;  // that are kept although nobody uses them
  static constexpr wire::Duration kAcceptance = std::chrono::seconds(5);  // scheme direct: an engine accepts a frame within

 private:
  struct Spec {
    std::string encoded;
    std::uint32_t defined_on = 0;  // the link on which the controller was told
    std::uint64_t direct_run_us = 50;  // scheme direct: how long a task takes, lately; at first a guess
    std::uint64_t uses = 0;        // by holders of its number and by unfinished tasks
    std::list<std::uint32_t>::iterator idle{};  // where in idle_specs_, if nobody uses it
  };
  // Scheme direct: tasks that travelled together.
  struct DirectFrame {
    std::vector<std::uint64_t> sequences;
    wire::Incarnation engine = wire::Incarnation::none;  // once accepted
    std::uint32_t link = 0;  // on which it was sent
    wire::Time sent{};
    wire::Writer unsent;  // the frame itself, until it has been sent
    std::size_t left = 0;
  };
  // An engine, and the number of our link to it. Which engine accepts a frame is not known before, so one number is the present
  // one for all engines. It is left for another whenever an engine may have forgotten us; old links stay until their frames end.
  using DirectId = std::pair<wire::Incarnation, std::uint32_t>;
  struct DirectEngine {
    wire::Link link;
    std::string subject;
    wire::Time last_heard;
  };

  // A result whose value is on its way here.
  struct Arriving {
    std::uint64_t link = 0;  // on which it came
    std::uint32_t attempts = 0;
    wire::Incarnation engine = wire::Incarnation::none;
    std::string report;
    wire::Codec codec = wire::Codec::json;
    wire::BlobReference blob;
  };

  void unuse_spec(std::uint32_t number);
  std::uint32_t place_for_spec();
  void on_controller_records(wire::Reader& in);
  void on_linked();
  void pump();
  void encode_submit(wire::Link& link, std::uint64_t sequence, ClientTask& task);
  // `direct`: the link to an engine that it came on, where it did not come from the controller.
  void on_result(const wire::ResultRecord& record, wire::Link* direct = nullptr);
  void deliver(ClientTask& task, const ResultView& result);
  void fetch_value(const wire::ResultRecord& record, const wire::RunReport& report, const wire::ContentView& content);
  void on_fetched(std::uint64_t sequence, wire::Buffer payload) override;
  void on_fetch_failed(std::uint64_t sequence, wire::FetchError error) override;
  static constexpr std::uint64_t kFirstFetch = 1ULL << 63;  // fetch()'s numbers; below are those of tasks, whose values come by themselves
  void say_taken(const ClientTask& task, const wire::TakenRecord& record);
  void say_taken_again(const wire::Link& old);
  void on_payload_frame(wire::Role sender, const wire::Frame& frame, wire::Time now);
  void resolve_known(wire::Writer& out, wire::ByteSpan extras);

  void on_engine_frame(const wire::Frame& frame, wire::Time now);
  DirectEngine* direct_engine(const wire::Header& header, wire::Time now);
  bool waits_on_link(std::uint32_t link) const;
  void on_accepted(std::uint64_t frame, const DirectId& engine);
  void cancel_direct(std::uint64_t sequence, ClientTask& task);
  void add_direct(std::uint64_t sequence, const ClientTask& task);
  void seal_direct();
  void flush_direct(wire::Time now);
  void sweep_direct(wire::Time now);
  void forget_direct_engines();
  void fail_direct(std::uint64_t frame, std::string_view why);
  void finish_direct(std::uint64_t frame);

  wire::Incarnation self_;
  wire::SessionId session_;
  wire::Subjects subjects_;
  Port& port_;
  wire::Uplink uplink_;
  wire::Fetcher fetcher_;  // of results' values, by sequence
  std::uint64_t window_ = 0;
  bool connected_ = false;
  wire::Time connected_since_{};

  std::vector<Spec> specs_;
  std::unordered_map<std::string, std::uint32_t> spec_by_bytes_;
  std::list<std::uint32_t> idle_specs_;  // the longest idle first; their numbers are given to others beyond the limit
  TaskPages tasks_;
  std::unordered_map<std::uint64_t, std::string> extras_;
  std::unordered_map<std::uint64_t, wire::Buffer> args_;  // of unfinished tasks, where they are large, by sequence
  std::unordered_map<std::uint64_t, Arriving> arriving_;
  OutcomeBits outcomes_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t next_to_send_ = 1;   // on the present link
  std::uint64_t highest_sent_ = 0;   // on any link: a controller may have it
  std::uint64_t links_ = 0;
  std::deque<wire::TaskId> cancels_;  // to send
  std::deque<wire::TakenRecord> taken_;     // to send
  std::deque<std::uint64_t> again_;         // tasks to submit again on this link, because their values were lost
  bool spilling_ = false;
  std::map<std::uint64_t, std::string> requests_;  // not yet answered; asked again on a new link
  std::uint64_t next_request_ = 1;
  std::uint64_t next_fetch_ = kFirstFetch;

  std::uint32_t direct_link_;
  wire::Writer direct_open_;
  std::vector<std::uint32_t> direct_specs_;  // defined in the open frame
  DirectFrame direct_open_frame_;
  std::uint64_t direct_open_us_ = 0;         // how long the tasks in it will take
  std::map<std::uint64_t, DirectFrame> direct_frames_;
  std::vector<std::uint64_t> direct_unsent_;
  std::uint64_t next_direct_frame_ = 1;
  std::map<DirectId, std::unique_ptr<DirectEngine>> direct_engines_;
  wire::Time next_sweep_ = wire::kNever;

  std::uint64_t duplicates_ = 0;
  std::uint64_t malformed_frames_ = 0;
};

}  // namespace covey::client

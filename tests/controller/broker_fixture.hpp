// A broker with pretended engines and clients: frames go in as peers would send them, and what comes out is kept by subject.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "common/wire/link.hpp"
#include "controller/core/broker.hpp"

namespace covey::controller {

// The far end of one of the broker's links.
class FarEnd {
 public:
  FarEnd(wire::Role as, std::uint64_t who, std::uint32_t on) : role(as), id(wire::Incarnation{who}), link_id(on) {}
  wire::Role role;
  wire::Incarnation id;
  std::uint32_t link_id;
  std::unique_ptr<wire::Link> link;
  std::vector<wire::RunRecord> runs;                // of engines; contents are views no more, see below
  std::vector<std::string> contents;                // of runs, in order
  std::vector<std::string> functions;               // of runs, in order
  std::map<std::uint64_t, std::string> specs;       // function by spec number
  std::vector<std::uint64_t> stopped;               // handles that are to stop
  std::uint64_t recalled = 0;                       // tasks asked back
  std::vector<wire::DrainMode> drains;
  struct Result {
    std::uint64_t sequence;
    wire::TaskStatus status;
    std::uint32_t attempts;
    std::string error;
    std::string report;
  };
  std::vector<Result> results;                      // of clients
  std::vector<std::uint64_t> released;              // payloads that it may let go of
  std::vector<std::vector<std::byte>> payload_frames;
  std::vector<std::string> responses;
  std::vector<wire::Refuse> refusals;
  std::uint64_t window = 0;
};

struct BrokerFixture : testing::Test, wire::Outlet {
  explicit BrokerFixture(Config config = {}) : broker(kSelf, wire::Subjects("t"), config, *this) { broker.on_connected(now); }

  static constexpr wire::Incarnation kSelf{1000};
  wire::Subjects subjects{"t"};
  wire::Time now{std::chrono::seconds(1000)};
  Broker broker;
  std::map<std::string, std::vector<std::vector<std::byte>>> sent;
  std::vector<std::string> lines;

  void send(std::string_view subject, wire::ByteSpan frame) override {
    sent[std::string(subject)].emplace_back(frame.begin(), frame.end());
  }
  void log(std::string_view line) override { lines.emplace_back(line); }

  std::string inbox(const FarEnd& peer) const {
    return peer.role == wire::Role::engine ? subjects.to_engine(peer.id, wire::Role::controller)
                                           : subjects.to_client(peer.id, wire::Role::controller);
  }
  void deliver(const FarEnd& peer, wire::ByteSpan frame) { broker.on_frame(peer.role, frame, now); }

  void greet(FarEnd& peer, const wire::Hello& hello) {
    wire::Writer out;
    out.skip(wire::kHeaderBytes);
    wire::encode(out, hello);
    wire::write_header(out.data(), {wire::FrameKind::hello, peer.link_id, peer.id, wire::Incarnation::none, 0, 0});
    peer.link = std::make_unique<wire::Link>(peer.id, kSelf, peer.link_id);
    deliver(peer, out.span());
  }
  FarEnd engine(std::uint64_t id, std::uint64_t credit, std::uint32_t slots = 1, std::vector<std::string> labels = {}) {
    FarEnd peer(wire::Role::engine, id, 1);
    wire::Hello hello;
    hello.role = wire::Role::engine;
    hello.slots = slots;
    hello.labels = std::move(labels);
    greet(peer, hello);
    wire::encode_adopted_all(peer.link->record());
    wire::encode(peer.link->record(), wire::CreditRecord{credit, 0});
    turn(peer);
    return peer;
  }
  FarEnd client(std::uint64_t id, std::uint64_t session = 77) {
    FarEnd peer(wire::Role::client, id, 1);
    wire::Hello hello;
    hello.role = wire::Role::client;
    hello.session = wire::SessionId{session};
    greet(peer, hello);
    turn(peer);
    return peer;
  }

  // Sends what the peer has to say, ends the broker's turn, and reads what came back for the peer.
  void turn(FarEnd& peer) {
    peer.link->flush([&](wire::ByteSpan frame) { deliver(peer, frame); });
    broker.end_turn(now);
    read(peer);
    broker.check();
  }
  void read(FarEnd& peer) {
    for (const auto& message : std::exchange(sent[inbox(peer)], {})) {
      wire::Frame frame;
      ASSERT_EQ(wire::read_frame(message, frame), wire::FrameError::none);
      if (frame.header.kind == wire::FrameKind::payload) peer.payload_frames.push_back(message);
      if (frame.header.kind == wire::FrameKind::welcome) peer.window = wire::decode_welcome(frame.body)->window;
      if (frame.header.kind == wire::FrameKind::refuse) peer.refusals.push_back(*wire::decode_refuse(frame.body));
      if (peer.link && peer.link->matches(frame.header) && peer.link->receive(frame, now)) read_records(peer, peer.link->records());
    }
  }
  static void read_records(FarEnd& peer, wire::ByteSpan body) {
    wire::Reader in(body);
    while (const auto type = wire::next_record(in)) {
      if (*type == wire::RecordType::spec) {
        wire::SpecRecord record;
        wire::decode(in, record);
        peer.specs[record.number] = wire::decode_spec(record.spec)->function;
      } else if (*type == wire::RecordType::run) {
        wire::RunRecord record;
        wire::decode(in, record);
        peer.functions.push_back(peer.specs.at(record.spec));
        peer.contents.emplace_back(wire::as_text(record.content));
        peer.runs.push_back(record);
      } else if (*type == wire::RecordType::result) {
        wire::ResultRecord record;
        wire::decode(in, record);
        const auto report = wire::decode_report(record.report);
        ASSERT_TRUE(report);
        peer.results.push_back({record.sequence, report->status, record.attempts, std::string(report->error), std::string(wire::as_text(record.report))});
      } else if (*type == wire::RecordType::stop_run) {
        wire::StopRunRecord record;
        wire::decode(in, record);
        peer.stopped.push_back(record.handle);
      } else if (*type == wire::RecordType::release) {
        wire::ReleaseRecord record;
        wire::decode(in, record);
        peer.released.push_back(record.blob);
      } else if (*type == wire::RecordType::recall) {
        wire::RecallRecord record;
        wire::decode(in, record);
        peer.recalled += record.count;
      } else if (*type == wire::RecordType::drain) {
        wire::DrainRecord record;
        wire::decode(in, record);
        peer.drains.push_back(record.mode);
      } else if (*type == wire::RecordType::window) {
        wire::WindowRecord record;
        wire::decode(in, record);
        peer.window = record.tasks;
      } else if (*type == wire::RecordType::response) {
        wire::RequestRecord record;
        wire::decode(in, record);
        peer.responses.emplace_back(record.json);
      } else {
        in.fail();
      }
    }
    EXPECT_TRUE(in.ok());
  }

  // Adds submissions to the client's next frame: `count` tasks from `first` on.
  void submit(FarEnd& client, wire::TaskSpec spec, std::uint64_t first, std::uint64_t count = 1, wire::SubmitExtras extras = {},
              bool resubmitted = false) {
    if (spec.function.empty()) spec.function = "echo";
    wire::Writer encoded, more;
    wire::encode_spec(encoded, spec);
    if (!(extras == wire::SubmitExtras{})) wire::encode_extras(more, extras);
    wire::encode(client.link->record(), wire::SpecRecord{first, encoded.span()});
    for (std::uint64_t i = 0; i < count; ++i) {
      wire::encode(client.link->record(), wire::SubmitRecord{first, first + i, {}, more.span(), resubmitted});
    }
    turn(client);
  }
  // The engine finishes the oldest run it has.
  void finish(FarEnd& engine, wire::TaskStatus status = wire::TaskStatus::ok, std::uint64_t handle = 0) {
    const wire::RunRecord run = engine.runs.front();
    engine.runs.erase(engine.runs.begin());
    wire::Writer report;
    wire::encode_report(report, {status, status == wire::TaskStatus::ok ? "" : "as asked", 1, 2, {}});
    wire::encode(engine.link->record(), wire::FinishedRecord{handle != 0 ? handle : run.handle, run.task, report.span()});
    turn(engine);
  }
  void pass(wire::Duration duration) {
    const wire::Time until = now + duration;
    while (broker.next_deadline() <= until) {
      now = std::max(now, broker.next_deadline());
      broker.on_timer(now);
      broker.end_turn(now);
      // Living peers answer heartbeats: those registered here stay alive.
      for (FarEnd* peer : alive) peer->link->heartbeat([&](wire::ByteSpan frame) { deliver(*peer, frame); });
    }
    now = until;
    broker.check();
  }
  std::vector<FarEnd*> alive;
};

// What makes a task wait for others of session 77.
inline wire::SubmitExtras after(std::uint64_t sequence, bool success = true, bool failure = false) {
  wire::SubmitExtras extras;
  extras.after.tasks = {{{wire::SessionId{77}, sequence}}};
  extras.after.success = success;
  extras.after.failure = failure;
  return extras;
}

}  // namespace covey::controller

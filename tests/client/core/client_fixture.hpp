// A client's core with a port that records, and controllers and engines whose frames the test sends.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "client/core/client_core.hpp"
#include "tests/support/far_link.hpp"

namespace covey::client {

using test::FarLink;
using test::Message;
using wire::RecordType;
using wire::TaskStatus;

struct ClientFixture : testing::Test, Port {
  static constexpr wire::Incarnation kSelf{5}, kController{50}, kOther{51}, kEngine{70};
  static constexpr wire::SessionId kSession{77};
  wire::Subjects subjects{"t"};
  wire::Time now{std::chrono::seconds(1000)};
  ClientCore core{kSelf, kSession, subjects, "test", *this};

  // ---- the port ----
  struct Result {
    std::uint64_t cookie;
    std::uint64_t sequence;
    TaskStatus status;
    std::string error, value;
  };
  struct Sent {
    std::string subject;
    Message message;
  };
  void send(std::string_view subject, wire::ByteSpan frame) override { sent.push_back({std::string(subject), {frame.begin(), frame.end()}}); }
  void log(std::string_view) override {}
  void on_result(std::uint64_t cookie, const ResultView& result) override {
    results.push_back({cookie, result.sequence, result.report.status, std::string(result.report.error), std::string(result.value.buffer.view())});
  }
  void on_response(std::uint64_t request, std::string_view json) override { responses.emplace_back(request, json); }
  void on_payload(std::uint64_t fetch, std::optional<wire::Buffer> payload) override { payloads.emplace_back(fetch, std::move(payload)); }
  void on_window(std::uint64_t tasks) override { windows.push_back(tasks); }

  std::deque<Sent> sent;
  std::vector<Result> results;
  std::vector<std::pair<std::uint64_t, std::string>> responses;
  std::vector<std::uint64_t> windows;
  std::vector<std::pair<std::uint64_t, std::optional<wire::Buffer>>> payloads;

  // ---- the controller ----
  std::unique_ptr<FarLink> welcome(wire::Incarnation controller = kController, std::uint64_t window = 1'000) {
    std::uint32_t id = 0;
    for (const auto& item : sent) {
      const auto frame = test::frame_of(item.message);
      if (frame.header.kind == wire::FrameKind::hello) id = frame.header.link;
    }
    auto link = std::make_unique<FarLink>(controller, kSelf, id);
    wire::Welcome terms;
    terms.window = window;
    core.on_frame(wire::Role::controller, test::message({wire::FrameKind::welcome, id, controller, kSelf, 0, 0}, test::body_of(terms)), now);
    turn(*link);
    return link;
  }
  std::unique_ptr<FarLink> connect() {
    core.on_connected(now);
    return welcome();
  }
  void lose(wire::Incarnation next = kOther) {
    core.on_frame(wire::Role::controller, test::message({wire::FrameKind::announce, 0, next, wire::Incarnation::none, 0, 0}), now);
  }
  void lose_by_refusal(const FarLink& link) {
    const auto refuse = test::body_of(wire::Refuse{wire::RefuseReason::unknown_link, ""});
    core.on_frame(wire::Role::controller, test::message({wire::FrameKind::refuse, link.link.id(), kController, kSelf, 0, 0}, refuse), now);
  }

  // ---- both ----
  void hear(FarLink& far, wire::Role role) {
    far.flush([&](const Message& frame) { core.on_frame(role, frame, now); });
  }
  void turn(FarLink& far, wire::Role role = wire::Role::controller) {
    hear(far, role);
    core.end_turn(now);
    for (const auto& item : sent) far.receive(item.message, now);
    hear(far, role);
  }
  void pass(wire::Duration duration) {
    const wire::Time until = now + duration;
    while (core.next_deadline() <= until) {
      now = std::max(now, core.next_deadline());
      core.on_timer(now);
      core.end_turn(now);
    }
    now = until;
  }
  template <class Record>
  void say(FarLink& far, const Record& record) {
    wire::encode(far.link.record(), record);
  }
  void result(FarLink& far, std::uint64_t sequence, TaskStatus status = TaskStatus::ok) {
    say(far, wire::ResultRecord{sequence, 1, kEngine, wire::as_bytes(test::report_of(status))});
  }
  void result(FarLink& far, std::uint64_t sequence, const wire::BlobReference& value) {
    say(far, wire::ResultRecord{sequence, 1, kEngine, wire::as_bytes(test::reporting(value))});
  }

  // ---- work ----
  std::uint64_t submit(Scheme scheme = Scheme::controller, const wire::SubmitExtras& extras = {}, const wire::Payload* large = nullptr) {
    wire::TaskSpec spec;
    spec.function = "echo";
    wire::Writer more;
    if (!(extras == wire::SubmitExtras{})) wire::encode_extras(more, extras);
    return core.submit({scheme, core.add_spec(spec), {}, large, more.span(), ++cookies});
  }
  std::uint64_t cookies = 0;
  std::vector<std::uint64_t> submitted(const FarLink& far) {
    std::vector<std::uint64_t> sequences;
    for (const auto& record : far.said.of<wire::SubmitRecord>(RecordType::submit)) sequences.push_back(record.sequence);
    return sequences;
  }

  // ---- payloads ----
  static wire::BlobReference value(std::uint64_t number, std::uint64_t size, wire::Incarnation holder = kEngine) {
    return {holder, static_cast<std::uint8_t>(wire::Role::engine), number, size};
  }
  // The wants that the client has sent since, answered with `bytes`, or with the word that there is nothing.
  std::size_t answer_wants(const wire::Buffer* bytes, wire::Incarnation holder = kEngine) {
    struct Forward : wire::Outlet {
      void send(std::string_view, wire::ByteSpan frame) override { frames.emplace_back(frame.begin(), frame.end()); }
      void log(std::string_view) override {}
      std::vector<Message> frames;
    } forward;
    std::size_t wants = 0;
    std::deque<Sent> others;
    for (auto& item : std::exchange(sent, {})) {
      const auto frame = test::frame_of(item.message);
      if (frame.header.kind != wire::FrameKind::payload || frame.header.to != holder) {
        others.push_back(std::move(item));
        continue;
      }
      ++wants;
      wire::answer_want({holder, wire::Role::engine, &subjects}, wire::Role::client, frame, *wire::decode_payload_frame(frame.body), bytes, forward);
    }
    sent = std::move(others);
    for (const auto& frame : forward.frames) core.on_frame(wire::Role::engine, frame, now);
    core.end_turn(now);
    return wants;
  }

  // ---- the scheme direct ----
  // The latest frame that went to the queue group.
  wire::Header last_direct() const {
    wire::Header header;
    for (const auto& item : sent) {
      if (item.subject == subjects.direct()) header = test::frame_of(item.message).header;
    }
    return header;
  }
  // An engine's end of the client's present link.
  std::unique_ptr<FarLink> engine(wire::Incarnation id = kEngine) {
    core.end_turn(now);
    return std::make_unique<FarLink>(id, kSelf, last_direct().link);
  }
  void accept(FarLink& far) {
    say(far, wire::AcceptedRecord{last_direct().sequence});
    turn(far, wire::Role::engine);
  }
};

}  // namespace covey::client

// An engine's core with a port that records: an executor that begins nothing by itself, and controllers and clients whose frames
// the test sends.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/engine_core.hpp"
#include "tests/support/far_link.hpp"

namespace covey::engine {

using test::FarLink;
using test::Message;
using wire::RecordType;
using wire::TaskStatus;

struct EngineFixture : testing::Test, Port {
  explicit EngineFixture(Config with = small()) : config(with), core(kSelf, subjects, with, *this) {}
  static Config small() {
    Config config;
    config.slots = 2;
    config.first_credit = 10;
    return config;
  }

  static constexpr wire::Incarnation kSelf{5}, kController{50}, kOther{51}, kClient{70};
  static constexpr wire::SessionId kSession{77};
  Config config;
  wire::Subjects subjects{"t"};
  wire::Time now{std::chrono::seconds(1000)};
  EngineCore core;

  // ---- the port ----
  struct Order {
    RunHandle run;
    wire::TaskId task;
    std::string function, args;
    bool recallable;
  };
  void send(std::string_view subject, wire::ByteSpan frame) override { sent.push_back({std::string(subject), {frame.begin(), frame.end()}}); }
  void log(std::string_view) override {}
  void start(const RunOrder& order) override {
    orders.push_back({order.run, order.task, order.spec->function, std::string(order.args.buffer.view()), order.recallable});
    queue.push_back(order.run);
    if (at_once) finish(order.run);
  }
  std::vector<RunHandle> recall(std::size_t count) override {
    std::vector<RunHandle> taken;
    for (; !queue.empty() && taken.size() < count; queue.pop_back()) {
      if (!order_of(queue.back()).recallable) break;
      taken.push_back(queue.back());
    }
    return taken;
  }
  bool cancel(RunHandle run) override { return std::erase(queue, run) > 0; }
  void listen_direct(bool on) override {
    listens.push_back(on);
    if (!on && !direct_comes_late) core.on_direct_over();
  }
  const Order& order_of(RunHandle run) const {
    return *std::find_if(orders.begin(), orders.end(), [&](const auto& order) { return order.run == run; });
  }

  struct Sent {
    std::string subject;
    Message message;
  };
  std::deque<Sent> sent;
  std::vector<Order> orders;
  std::deque<RunHandle> queue;  // not begun
  std::vector<bool> listens;
  bool direct_comes_late = false;
  bool at_once = false;         // runs end as soon as they are started

  // ---- executing ----
  // The oldest run begins: it can no longer be recalled.
  RunHandle begin() {
    const auto run = queue.front();
    queue.pop_front();
    return run;
  }
  void finish(RunHandle run, wire::Duration mean = {}) {
    std::erase(queue, run);
    core.on_finished(run, wire::as_bytes(test::report_of(TaskStatus::ok)), mean);
  }
  wire::BlobReference finish_with_value(RunHandle run, std::size_t size) {
    std::erase(queue, run);
    const auto value = core.hold(wire::Buffer(std::string(size, 'v')));
    core.on_finished(run, wire::as_bytes(test::reporting(value)), {});
    return value;
  }

  // ---- the controller ----
  std::uint32_t last_hello() const {
    std::uint32_t link = 0;
    for (const auto& item : sent) {
      const auto frame = test::frame_of(item.message);
      if (frame.header.kind == wire::FrameKind::hello) link = frame.header.link;
    }
    return link;
  }
  std::unique_ptr<FarLink> welcome(wire::Incarnation controller = kController) {
    const auto id = last_hello();
    auto link = std::make_unique<FarLink>(controller, kSelf, id);
    core.on_frame(wire::Role::controller, test::message({wire::FrameKind::welcome, id, controller, kSelf, 0, 0}, test::body_of(wire::Welcome{})), now);
    turn(*link);
    return link;
  }
  std::unique_ptr<FarLink> connect() {
    core.on_connected(now);
    return welcome();
  }
  // The link is gone, and the engine looks for another.
  void lose(wire::Incarnation next = kOther) {
    core.on_frame(wire::Role::controller, test::message({wire::FrameKind::announce, 0, next, wire::Incarnation::none, 0, 0}), now);
  }
  void lose_by_refusal(const FarLink& link) {
    const auto refuse = test::body_of(wire::Refuse{wire::RefuseReason::unknown_link, ""});
    core.on_frame(wire::Role::controller, test::message({wire::FrameKind::refuse, link.link.id(), kController, kSelf, 0, 0}, refuse), now);
  }

  // ---- both ----
  // What the far end has to say, the core's turn, and what it says.
  void turn(FarLink& far, wire::Role role = wire::Role::controller) {
    far.flush([&](const Message& frame) { core.on_frame(role, frame, now); });
    core.end_turn(now);
    for (const auto& item : sent) {
      if (test::frame_of(item.message).header.link == far.link.id()) far.receive(item.message, now);
    }
    // And that it has come.
    far.flush([&](const Message& frame) { core.on_frame(role, frame, now); });
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
  void run(FarLink& far, std::uint64_t sequence, wire::ByteSpan content = {}) {
    wire::Writer spec;
    wire::encode_spec(spec, spec_of("echo"));
    say(far, wire::SpecRecord{1, spec.span()});
    say(far, wire::RunRecord{1, handle(sequence), task(sequence), content});
  }
  static wire::TaskSpec spec_of(std::string function) {
    wire::TaskSpec spec;
    spec.function = std::move(function);
    return spec;
  }
  static std::uint64_t handle(std::uint64_t sequence) { return 1000 + sequence; }
  static wire::TaskId task(std::uint64_t sequence) { return {kSession, sequence}; }

  // ---- payloads ----
  static wire::BlobReference blob(std::uint64_t size) { return {kClient, static_cast<std::uint8_t>(wire::Role::client), 9, size}; }
  static Message by_reference(const wire::BlobReference& blob) {
    wire::Writer content;
    wire::encode_content(content, wire::Codec::bytes, blob);
    return {content.span().begin(), content.span().end()};
  }
  // The wants that the engine has sent since, answered with `bytes`, or with the word that there is nothing.
  std::size_t answer_wants(const wire::Buffer* bytes) {
    struct Forward : wire::Outlet {
      void send(std::string_view, wire::ByteSpan frame) override { frames.emplace_back(frame.begin(), frame.end()); }
      void log(std::string_view) override {}
      std::vector<Message> frames;
    } forward;
    std::size_t wants = 0;
    for (const auto& item : std::exchange(sent, {})) {
      const auto frame = test::frame_of(item.message);
      if (frame.header.kind != wire::FrameKind::payload) continue;
      ++wants;
      wire::answer_want({kClient, wire::Role::client, &subjects}, wire::Role::engine, frame, *wire::decode_payload_frame(frame.body), bytes, forward);
    }
    for (const auto& frame : forward.frames) core.on_frame(wire::Role::client, frame, now);
    core.end_turn(now);
    return wants;
  }

  // ---- clients of the scheme direct ----
  void submit_direct(std::uint32_t link, std::uint64_t frame, std::uint64_t first, std::size_t count, const char* function = "echo") {
    wire::Writer body, spec;
    wire::encode_spec(spec, spec_of(function));
    body.fixed(static_cast<std::uint64_t>(kSession));
    wire::encode(body, wire::SpecRecord{1, spec.span()});
    for (std::size_t i = 0; i < count; ++i) wire::encode(body, wire::SubmitRecord{1, first + i, {}, {}, false});
    core.on_frame(wire::Role::client, test::message({wire::FrameKind::direct, link, kClient, wire::Incarnation::none, frame, 0}, body.span()), now);
  }
};

}  // namespace covey::engine

// A client's core with a pretended controller: frames go in as the controller would send them, and what the client says is
// kept.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/core/client_core.hpp"
#include "common/wire/greeting.hpp"
#include "common/wire/link.hpp"

namespace covey::client {

struct CoreFixture : testing::Test, Port {
  static constexpr wire::Incarnation kSelf{3}, kController{1000};
  static constexpr wire::SessionId kSession{77};

  CoreFixture() { core.on_connected(now); }

  wire::Subjects subjects{"t"};
  wire::Time now{std::chrono::seconds(1000)};
  ClientCore core{kSelf, kSession, subjects, "test", *this};
  std::unique_ptr<wire::Link> link;  // the controller's end

  // What the controller has heard.
  struct Submitted {
    std::uint64_t sequence;
    std::string function;
    bool resubmitted;
  };
  std::vector<Submitted> submitted;
  std::map<std::uint64_t, wire::TaskSpec> specs;
  // What the user has been told.
  struct Told {
    std::uint64_t cookie;
    wire::TaskStatus status;
  };
  std::vector<Told> results;

  void send(std::string_view, wire::ByteSpan message) override {
    wire::Frame frame;
    ASSERT_EQ(wire::read_frame(message, frame), wire::FrameError::none);
    if (frame.header.kind == wire::FrameKind::hello) hello_link = frame.header.link;
    if (link && link->matches(frame.header) && wire::is_of_link(frame.header.kind) && link->receive(frame, now)) read(link->records());
  }
  void log(std::string_view) override {}
  void on_result(std::uint64_t cookie, const ResultView& result) override { results.push_back({cookie, result.report.status}); }
  void on_response(std::uint64_t, std::string_view) override {}
  void on_window(std::uint64_t) override {}

  // A controller welcomes the client, on a link of its own.
  void welcome() {
    core.end_turn(now);
    link = std::make_unique<wire::Link>(kController, kSelf, hello_link);
    specs.clear();
    wire::Writer out;
    out.skip(wire::kHeaderBytes);
    wire::encode(out, wire::Welcome{1000});
    wire::write_header(out.data(), {wire::FrameKind::welcome, hello_link, kController, kSelf, 0, 0});
    core.on_frame(wire::Role::controller, out.span(), now);
    core.end_turn(now);
  }
  void finish(std::uint64_t sequence, wire::TaskStatus status = wire::TaskStatus::ok) {
    wire::Writer report;
    wire::encode_report(report, {status, "", 1, 2, {}});
    wire::encode(link->record(), wire::ResultRecord{sequence, 1, wire::Incarnation{5}, report.span()});
    link->flush([&](wire::ByteSpan frame) { core.on_frame(wire::Role::controller, frame, now); });
    core.end_turn(now);
  }
  static wire::TaskSpec spec_of(std::string function) {
    wire::TaskSpec spec;
    spec.function = std::move(function);
    return spec;
  }

 private:
  void read(wire::ByteSpan body) {
    wire::Reader in(body);
    while (const auto type = wire::next_record(in)) {
      if (*type == wire::RecordType::spec) {
        wire::SpecRecord record;
        wire::decode(in, record);
        specs[record.number] = wire::decode_spec(record.spec).value();
      } else if (*type == wire::RecordType::submit) {
        wire::SubmitRecord record;
        wire::decode(in, record);
        submitted.push_back({record.sequence, specs.at(record.spec).function, record.resubmitted});
      } else {
        wire::skip_record(in, *type);
      }
    }
    EXPECT_TRUE(in.ok());
  }
  std::uint32_t hello_link = 0;
};

}  // namespace covey::client

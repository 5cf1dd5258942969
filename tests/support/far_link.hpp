// The far end of one of a state machine's links, and the frames that it sent: for tests of cores with recording ports.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/wire/link.hpp"
#include "common/wire/records.hpp"
#include "common/wire/transfer.hpp"

namespace covey::test {

using Message = std::vector<std::byte>;

inline Message message(const wire::Header& header, wire::ByteSpan body = {}) {
  Message made(wire::kHeaderBytes + body.size());
  wire::write_header(made.data(), header);
  std::copy(body.begin(), body.end(), made.begin() + wire::kHeaderBytes);
  return made;
}

inline wire::Frame frame_of(const Message& message) {
  wire::Frame frame;
  EXPECT_EQ(wire::read_frame(message, frame), wire::FrameError::none);
  return frame;
}

template <class Value>
Message body_of(const Value& value) {
  wire::Writer out;
  wire::encode(out, value);
  return {out.span().begin(), out.span().end()};
}

inline std::string report_of(wire::TaskStatus status, wire::ByteSpan content = {}) {
  wire::Writer out;
  wire::encode_report(out, {status, "", 0, 0, content});
  return std::string(wire::as_text(out.span()));
}

inline std::string reporting(const wire::BlobReference& value) {
  wire::Writer content;
  wire::encode_content(content, wire::Codec::bytes, value);
  return report_of(wire::TaskStatus::ok, content.span());
}

// The bodies that came. Records of one type out of them are views into these.
struct Bodies {
  std::vector<Message> all;

  template <class Record>
  std::vector<Record> of(wire::RecordType type) const {
    std::vector<Record> found;
    for (const auto& body : all) {
      wire::Reader in(body);
      while (const auto next = wire::next_record(in)) {
        if (*next != type) {
          wire::skip_record(in, *next);
          continue;
        }
        Record record;
        wire::decode(in, record);
        found.push_back(record);
      }
      EXPECT_TRUE(in.ok());
    }
    return found;
  }
  std::vector<wire::RecordType> types() const {
    std::vector<wire::RecordType> found;
    for (const auto& body : all) {
      wire::Reader in(body);
      while (const auto next = wire::next_record(in)) {
        found.push_back(*next);
        wire::skip_record(in, *next);
      }
    }
    return found;
  }
};

// A link to a core whose own incarnation is `core`.
struct FarLink {
  FarLink(wire::Incarnation self, wire::Incarnation core, std::uint32_t id) : link(self, core, id) {}
  wire::Link link;
  Bodies said;  // by the core

  // True: the message is of this link.
  bool receive(const Message& message, wire::Time now) {
    const auto frame = frame_of(message);
    if (!link.matches(frame.header) || !wire::is_of_link(frame.header.kind)) return false;
    if (link.receive(frame, now)) said.all.emplace_back(link.records().begin(), link.records().end());
    return true;
  }
  template <class Deliver>
  void flush(Deliver&& deliver) {
    std::vector<Message> frames;
    link.flush([&](wire::ByteSpan frame) { frames.emplace_back(frame.begin(), frame.end()); });
    link.heartbeat([&](wire::ByteSpan frame) { frames.emplace_back(frame.begin(), frame.end()); });
    for (const auto& frame : frames) deliver(frame);
  }
};

}  // namespace covey::test

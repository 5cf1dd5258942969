#include "common/wire/link.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace covey::wire {
namespace {

using std::chrono::milliseconds;

constexpr Incarnation kLeft{1}, kRight{2};

// Both ends of a link, and the frames on their way.
struct LinkTest : testing::Test {
  using Frames = std::vector<std::vector<std::byte>>;

  static Frames flush(Link& link) {
    Frames frames;
    link.flush([&](ByteSpan frame) { frames.emplace_back(frame.begin(), frame.end()); });
    return frames;
  }
  Frames control(Link& link) {
    Frames frames;
    link.flush_control(now, [&](ByteSpan frame) { frames.emplace_back(frame.begin(), frame.end()); });
    return frames;
  }
  static Frames heartbeat(Link& link) {
    Frames frames;
    link.heartbeat([&](ByteSpan frame) { frames.emplace_back(frame.begin(), frame.end()); });
    return frames;
  }
  // Delivers, and returns the records that came through, as text.
  std::vector<std::string> deliver(Link& to, const Frames& frames) {
    std::vector<std::string> records;
    for (const auto& message : frames) {
      Frame frame;
      EXPECT_EQ(read_frame(message, frame), FrameError::none);
      EXPECT_TRUE(to.matches(frame.header));
      if (!to.receive(frame, now)) continue;
      for (Reader in(to.records()); !in.at_end();) records.emplace_back(in.text());
    }
    return records;
  }
  static void say(Link& link, const std::string& text) { link.record().text(text); }

  using Texts = std::vector<std::string>;
  Time now{std::chrono::seconds(100)};
  Link left{kLeft, kRight, 7, {.batch_bytes = 128, .window_bytes = 1024}};
  Link right{kRight, kLeft, 7, {.batch_bytes = 128, .window_bytes = 1024}};
};

TEST_F(LinkTest, RecordsOfOneTurnTravelTogether) {
  say(left, "a");
  say(left, "b");
  const auto frames = flush(left);
  EXPECT_EQ(frames.size(), 1u);
  EXPECT_EQ(deliver(right, frames), (Texts{"a", "b"}));
}

TEST_F(LinkTest, AFullBatchBeginsAnotherFrame) {
  say(left, std::string(200, 'a'));
  say(left, "b");
  EXPECT_EQ(flush(left).size(), 2u);
}

TEST_F(LinkTest, RepeatedFramesAreDeliveredOnce) {
  say(left, "a");
  const auto frames = flush(left);
  EXPECT_EQ(deliver(right, frames), Texts{"a"});
  EXPECT_EQ(deliver(right, frames), Texts{});
  EXPECT_EQ(right.duplicates(), 1u);
}

TEST_F(LinkTest, AGapIsAskedForAndFilled) {
  say(left, "a");
  const auto lost = flush(left);
  say(left, "b");
  EXPECT_EQ(deliver(right, flush(left)), Texts{});
  const auto request = control(right);
  ASSERT_EQ(request.size(), 1u);
  deliver(left, request);
  EXPECT_EQ(deliver(right, flush(left)), (Texts{"a", "b"}));
  EXPECT_EQ(left.resent(), 2u);
}

TEST_F(LinkTest, TheSameGapIsNotAskedForAgainAtOnce) {
  say(left, "a");
  flush(left);
  say(left, "b");
  deliver(right, flush(left));
  EXPECT_EQ(control(right).size(), 1u);
  EXPECT_EQ(control(right).size(), 0u);
  now += milliseconds(20);
  EXPECT_EQ(control(right).size(), 1u);
}

TEST_F(LinkTest, AHeartbeatTellsOfALostTail) {
  say(left, "a");
  flush(left);  // lost, and nothing follows
  deliver(right, heartbeat(left));
  deliver(left, control(right));
  EXPECT_EQ(deliver(right, flush(left)), Texts{"a"});
}

TEST_F(LinkTest, AcknowledgementsRideOnReverseTraffic) {
  say(left, "a");
  deliver(right, flush(left));
  EXPECT_EQ(right.control_deadline(), now + milliseconds(5));
  say(right, "reply");
  deliver(left, flush(right));
  EXPECT_EQ(left.acknowledged(), 1u);
  EXPECT_EQ(left.held_bytes(), 0u);
  EXPECT_EQ(right.control_deadline(), kNever);
}

TEST_F(LinkTest, WithoutReverseTrafficAnAcknowledgementLeavesAfterFiveMilliseconds) {
  say(left, "a");
  deliver(right, flush(left));
  now += milliseconds(4);
  EXPECT_EQ(control(right).size(), 0u);
  now += milliseconds(1);
  deliver(left, control(right));
  EXPECT_EQ(left.acknowledged(), 1u);
}

TEST_F(LinkTest, AfterAReconnectEverythingUnacknowledgedIsSentAgain) {
  say(left, "a");
  flush(left);
  left.rewind();
  EXPECT_EQ(deliver(right, flush(left)), Texts{"a"});
  left.rewind();
  EXPECT_EQ(deliver(right, flush(left)), Texts{});
}

TEST_F(LinkTest, NothingGoesBeyondTheWindow) {
  std::size_t frames = 0;
  for (int i = 0; i < 50; ++i) {
    say(left, std::string(150, 'x'));
    frames += flush(left).size();
  }
  EXPECT_LT(frames, 10u);
  EXPECT_FALSE(left.has_room());
  EXPECT_TRUE(left.has_unsent());
}

TEST_F(LinkTest, AcknowledgementsOpenTheWindowAgain) {
  std::size_t delivered = 0;
  for (int i = 0; i < 50; ++i) say(left, std::string(150, 'x'));
  for (int i = 0; i < 50 && delivered < 50; ++i) {
    delivered += deliver(right, flush(left)).size();
    deliver(left, heartbeat(right));
  }
  EXPECT_EQ(delivered, 50u);
  EXPECT_TRUE(left.has_room());
}

TEST_F(LinkTest, AnAcknowledgementOfWhatWasNeverSentIsIgnored) {
  say(left, "a");
  flush(left);
  left.receive({{FrameKind::heartbeat, 7, kRight, kLeft, 0, 99}, {}}, now);
  EXPECT_EQ(left.acknowledged(), 0u);
}

TEST_F(LinkTest, FramesOfAnotherLinkDoNotMatch) {
  EXPECT_FALSE(left.matches({FrameKind::data, 8, kRight, kLeft, 1, 0}));
  EXPECT_FALSE(left.matches({FrameKind::data, 7, Incarnation{3}, kLeft, 1, 0}));
  EXPECT_FALSE(left.matches({FrameKind::data, 7, kRight, Incarnation{3}, 1, 0}));
}

TEST_F(LinkTest, UnacknowledgedBodiesCanBeReadBack) {
  say(left, "a");
  flush(left);
  say(left, "b");
  Texts bodies;
  left.for_each_unacknowledged([&](ByteSpan body) { bodies.emplace_back(Reader(body).text()); });
  EXPECT_EQ(bodies, (Texts{"a", "b"}));
}

TEST_F(LinkTest, ARecordLongerThanAFrameArrivesWholeBetweenItsNeighbours) {
  const std::string longer(3 * kMaxFrameBytes, 'x');
  Link wide{kLeft, kRight, 7, {}}, other{kRight, kLeft, 7, {}};
  say(wide, "before");
  say(wide, longer);
  say(wide, "after");
  const auto frames = flush(wide);
  for (const auto& frame : frames) EXPECT_LE(frame.size(), kMaxFrameBytes);
  EXPECT_EQ(deliver(other, frames), (Texts{"before", longer, "after"}));
}

TEST_F(LinkTest, ALongRecordSurvivesALossInItsMiddle) {
  const std::string longer(3 * kMaxFrameBytes, 'x');
  Link wide{kLeft, kRight, 7, {}}, other{kRight, kLeft, 7, {}};
  say(wide, longer);
  auto frames = flush(wide);
  frames.erase(frames.begin() + 1);
  EXPECT_TRUE(deliver(other, frames).empty());
  Frames resend;
  other.flush_control(now, [&](ByteSpan frame) { resend.emplace_back(frame.begin(), frame.end()); });
  deliver(wide, resend);
  EXPECT_EQ(deliver(other, flush(wide)), Texts{longer});
}

TEST_F(LinkTest, ARecordOverTheLimitIsDroppedAndTheNextArrives) {
  const std::vector<std::byte> piece(60'000);
  const auto frame = [&](FrameKind kind, std::uint64_t sequence, ByteSpan body) {
    std::vector<std::byte> message(kHeaderBytes);
    write_header(message.data(), {kind, 7, kLeft, kRight, sequence, 0});
    message.insert(message.end(), body.begin(), body.end());
    return message;
  };
  Frames frames;
  const auto parts = Link::kMaxRecordBytes / piece.size() + 1;
  for (std::uint64_t i = 1; i <= parts; ++i) frames.push_back(frame(FrameKind::part, i, piece));
  frames.push_back(frame(FrameKind::data, parts + 1, {}));
  Writer next;
  next.text("next");
  frames.push_back(frame(FrameKind::data, parts + 2, next.span()));
  EXPECT_EQ(deliver(right, frames), Texts{"next"});
}

TEST_F(LinkTest, UnacknowledgedLongRecordsAreNotReadBack) {
  Link wide{kLeft, kRight, 7, {}};
  say(wide, "a");
  say(wide, std::string(2 * kMaxFrameBytes, 'x'));
  Texts bodies;
  const auto read_back = [&](ByteSpan body) { bodies.emplace_back(Reader(body).text()); };
  wide.for_each_unacknowledged(read_back);
  flush(wide);
  wide.for_each_unacknowledged(read_back);
  EXPECT_EQ(bodies, (Texts{"a", "a"}));
}

}  // namespace
}  // namespace covey::wire

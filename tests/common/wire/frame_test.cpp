#include "common/wire/frame.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace covey::wire {
namespace {

std::vector<std::byte> sample_frame(std::size_t body_bytes = 3) {
  std::vector<std::byte> message(kHeaderBytes + body_bytes);
  write_header(message.data(), {FrameKind::data, 9, Incarnation{11}, Incarnation{22}, 33, 44});
  return message;
}

TEST(FrameTest, ReadsItsHeaderBack) {
  const auto message = sample_frame();
  Frame frame;
  ASSERT_EQ(read_frame(message, frame), FrameError::none);
  EXPECT_EQ(frame.header.kind, FrameKind::data);
  EXPECT_EQ(frame.header.link, 9u);
  EXPECT_EQ(frame.header.from, Incarnation{11});
  EXPECT_EQ(frame.header.to, Incarnation{22});
  EXPECT_EQ(frame.header.sequence, 33u);
  EXPECT_EQ(frame.header.ack, 44u);
  EXPECT_EQ(frame.body.size(), 3u);
}

TEST(FrameTest, EveryTruncatedHeaderIsRefused) {
  const auto message = sample_frame(0);
  Frame frame;
  for (std::size_t size = 0; size < kHeaderBytes; ++size) {
    EXPECT_EQ(read_frame(ByteSpan(message).first(size), frame), FrameError::too_short);
  }
}

TEST(FrameTest, ForeignMessagesAreToldFromOtherVersions) {
  auto message = sample_frame();
  message[0] = std::byte{'{'};
  Frame frame;
  EXPECT_EQ(read_frame(message, frame), FrameError::foreign);
  message = sample_frame();
  message[2] = std::byte{kProtocolVersion + 1};
  EXPECT_EQ(read_frame(message, frame), FrameError::other_version);
  EXPECT_EQ(frame.header.from, Incarnation{11});  // so that it can be told why
}

TEST(FrameTest, UnknownKindsAreRefused) {
  auto message = sample_frame();
  Frame frame;
  message[3] = std::byte{0};
  EXPECT_EQ(read_frame(message, frame), FrameError::unknown_kind);
  message[3] = static_cast<std::byte>(static_cast<int>(kLastFrameKind) + 1);
  EXPECT_EQ(read_frame(message, frame), FrameError::unknown_kind);
}

TEST(FrameTest, TheSizeLimitIsExact) {
  Frame frame;
  EXPECT_EQ(read_frame(sample_frame(kMaxFrameBytes - kHeaderBytes), frame), FrameError::none);
  EXPECT_EQ(read_frame(sample_frame(kMaxFrameBytes - kHeaderBytes + 1), frame), FrameError::too_long);
}

}  // namespace
}  // namespace covey::wire

#include "common/wire/bytes.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace covey::wire {
namespace {

TEST(ReaderTest, ReadsWhatTheWriterWrote) {
  Writer out;
  out.u8(7);
  out.fixed<std::int64_t>(-5);
  out.varint(0);
  out.varint(300);
  out.varint(std::numeric_limits<std::uint64_t>::max());
  out.text("hello");
  Reader in(out.span());
  EXPECT_EQ(in.u8(), 7);
  EXPECT_EQ(in.fixed<std::int64_t>(), -5);
  EXPECT_EQ(in.varint(), 0u);
  EXPECT_EQ(in.varint(), 300u);
  EXPECT_EQ(in.varint(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(in.text(), "hello");
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.at_end());
}

TEST(ReaderTest, FailsForGoodPastTheEnd) {
  Writer out;
  out.u8(1);
  Reader in(out.span());
  in.fixed<std::uint32_t>();
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_FALSE(in.ok());
}

TEST(ReaderTest, ALengthBeyondTheEndIsRefused) {
  Writer out;
  out.varint(1'000'000);
  out.u8(1);
  Reader in(out.span());
  EXPECT_TRUE(in.bytes().empty());
  EXPECT_FALSE(in.ok());
}

TEST(ReaderTest, AnEndlessVarintIsRefused) {
  Writer out;
  for (int i = 0; i < 11; ++i) out.u8(0xff);
  Reader in(out.span());
  in.varint();
  EXPECT_FALSE(in.ok());
}

TEST(ReaderTest, ACountIsNeverMoreThanTheBytesThatAreLeft) {
  Writer out;
  out.varint(5);
  out.u8(1);
  Reader in(out.span());
  EXPECT_EQ(in.count(), 0u);
  EXPECT_FALSE(in.ok());
}

class SmallBytesTest : public testing::TestWithParam<std::size_t> {};

TEST_P(SmallBytesTest, KeepsItsBytesWhenMoved) {
  const std::string text(GetParam(), 'x');
  SmallBytes first(as_bytes(text));
  SmallBytes second(std::move(first));
  EXPECT_EQ(as_text(second.span()), text);
  SmallBytes third(as_bytes("other bytes than those"));
  third = std::move(second);
  EXPECT_EQ(as_text(third.span()), text);
  EXPECT_EQ(third.heap_bytes(), GetParam() > 12 ? GetParam() : 0);
}

INSTANTIATE_TEST_SUITE_P(AroundTheLimitOfWhatStandsInside, SmallBytesTest, testing::Values(0, 1, 11, 12, 13, 1000));

}  // namespace
}  // namespace covey::wire

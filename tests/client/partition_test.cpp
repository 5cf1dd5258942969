#include "client/partition.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace covey::client {
namespace {

wire::Payload json(std::string text) { return {wire::Codec::json, wire::Buffer(std::move(text))}; }
wire::Payload bytes(std::string text) { return {wire::Codec::bytes, wire::Buffer(std::move(text))}; }

std::vector<std::string> texts(const std::vector<wire::Payload>& parts) {
  std::vector<std::string> all;
  for (const auto& part : parts) all.emplace_back(part.buffer.view());
  return all;
}

TEST(PartitionTest, AnArrayIsCutIntoPartsThatDifferByOneElement) {
  EXPECT_EQ(texts(split(json("[1,2,3,4,5]"), 2)), (std::vector<std::string>{"[1,2,3]", "[4,5]"}));
  EXPECT_EQ(texts(split(json("[1]"), 3)), (std::vector<std::string>{"[1]", "[]", "[]"}));
  EXPECT_EQ(texts(split(json(" [ ] ")  , 2)), (std::vector<std::string>{"[]", "[]"}));
}

TEST(PartitionTest, CommasAndBracketsWithinElementsDoNotCut) {
  EXPECT_EQ(texts(split(json(R"([[1,2],{"a":"],\"","b":[3]},"x,y\\"])"), 3)),
            (std::vector<std::string>{"[[1,2]]", R"([{"a":"],\"","b":[3]}])", R"(["x,y\\"])"}));
}

TEST(PartitionTest, NumbersKeepEveryDigit) {
  EXPECT_EQ(texts(split(json("[12345678901234567890123, 1.0]"), 2)), (std::vector<std::string>{"[12345678901234567890123]", "[ 1.0]"}));
}

TEST(PartitionTest, WhatIsNoArrayIsRefused) {
  for (const auto* text : {"", "5", "{\"a\":1}", "[1", "[1]]", "[[1]", "[\"a]", "[1],[2]"}) {
    EXPECT_THROW(split(json(text), 2), std::invalid_argument) << text;
  }
  EXPECT_THROW(split({wire::Codec::pickle5, wire::Buffer(std::string("p"))}, 2), std::invalid_argument);
  EXPECT_THROW(split(json("[1]"), 0), std::invalid_argument);
}

TEST(PartitionTest, BytesAreCutBetweenItemsAndNotCopied) {
  const auto whole = bytes("aabbccdd");
  const auto parts = split(whole, 3, 2);
  EXPECT_EQ(texts(parts), (std::vector<std::string>{"aabb", "cc", "dd"}));
  EXPECT_EQ(parts[1].buffer.data(), whole.buffer.data() + 4);
  EXPECT_THROW(split(whole, 2, 3), std::invalid_argument);
  EXPECT_THROW(split(whole, 2, 0), std::invalid_argument);
}

TEST(PartitionTest, WhatWasSplitIsJoined) {
  EXPECT_EQ(join(split(json("[1,[2,3],\"4\"]"), 5)).buffer.view(), "[1,[2,3],\"4\"]");
  EXPECT_EQ(join(split(json("[]"), 2)).buffer.view(), "[]");
  EXPECT_EQ(join(split(bytes("abcdefg"), 3)).buffer.view(), "abcdefg");
  EXPECT_EQ(join(split(bytes(""), 3)).buffer.view(), "");
}

TEST(PartitionTest, PartsThatDoNotFitAreNamed) {
  const std::vector<wire::Payload> mixed{json("[1]"), bytes("x")}, no_array{json("[1]"), json("2")};
  try {
    join(mixed);
    FAIL() << "nothing was thrown";
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()), "part 1 is bytes; what is gathered must be all JSON arrays or all bytes");
  }
  EXPECT_THROW(join(no_array), std::invalid_argument);
  EXPECT_THROW(join({}), std::invalid_argument);
}

}  // namespace
}  // namespace covey::client

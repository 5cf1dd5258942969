#include "controller/http/fences.hpp"

#include <gtest/gtest.h>

namespace covey::api {
namespace {

TEST(FencesTest, ATokenNamesALeaseAndAnEpoch) {
  const auto token = read_fencing_token("3f0c6d1e-5f0e:7");
  ASSERT_TRUE(token);
  EXPECT_EQ(token->lease, "3f0c6d1e-5f0e");
  EXPECT_EQ(token->epoch, 7u);
  EXPECT_EQ(read_fencing_token("8")->lease, "");
  EXPECT_EQ(read_fencing_token("8")->epoch, 8u);
  for (const auto* wrong : {"", ":", "a", "a:", ":7", "a:-1", "a:7x", "a:7:8", "a b:7", "a\n:7", "a:99999999999999999999"}) EXPECT_FALSE(read_fencing_token(wrong)) << wrong;
  EXPECT_TRUE(read_fencing_token(std::string(64, 'a') + ":0"));
  EXPECT_FALSE(read_fencing_token(std::string(65, 'a') + ":0"));
}

TEST(FencesTest, TheHighestEpochOfALeaseIsKept) {
  Fences fences;
  EXPECT_EQ(fences.highest({"a", 6}), 6u);
  EXPECT_EQ(fences.highest({"a", 7}), 7u);
  EXPECT_EQ(fences.highest({"a", 6}), 7u);
  EXPECT_EQ(fences.highest({"b", 1}), 1u) << "another Lease counts from its own beginning";
}

TEST(FencesTest, SoManyLeasesAreRemembered) {
  Fences fences;
  fences.highest({"first", 9});
  fences.highest({"second", 9});
  for (std::size_t i = 1; i < Fences::kMost; ++i) fences.highest({std::to_string(i), 1});
  EXPECT_EQ(fences.highest({"second", 1}), 9u);
  EXPECT_EQ(fences.highest({"first", 1}), 1u);
}

}  // namespace
}  // namespace covey::api

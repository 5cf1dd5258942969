// The file of tokens.
#include "controller/http/tokens.hpp"

#include <gtest/gtest.h>

#include "controller/http/router.hpp"

namespace covey::api {
namespace {

constexpr auto kRead = static_cast<std::uint8_t>(Scope::read), kAdmin = static_cast<std::uint8_t>(Scope::admin);

TEST(TokensTest, ALineIsATokenItsScopesAndAName) {
  Tokens tokens;
  ASSERT_EQ(tokens.parse("# people\n\n0123456789abcdef read alice\nfedcba9876543210 read,admin\n"), "");
  EXPECT_EQ(tokens.size(), 2u);
  const auto alice = tokens.find("0123456789abcdef");
  EXPECT_TRUE(alice.known);
  EXPECT_EQ(alice.scopes, kRead);
  EXPECT_EQ(alice.name, "alice");
  EXPECT_EQ(tokens.find("fedcba9876543210").scopes, kRead | kAdmin);
  EXPECT_FALSE(tokens.find("0123456789abcde").known);
  EXPECT_FALSE(tokens.find("").known);
}

TEST(TokensTest, AMistakeIsPlacedAndChangesNothing) {
  Tokens tokens;
  ASSERT_EQ(tokens.parse("0123456789abcdef read\n"), "");
  EXPECT_NE(tokens.parse("0123456789abcdef\n").find("line 1"), std::string::npos);
  EXPECT_NE(tokens.parse("\n0123456789abcdef write\n").find("line 2"), std::string::npos);
  EXPECT_NE(tokens.parse("0123456789abcdef read, submit x\n").find("line 1"), std::string::npos);
  EXPECT_NE(tokens.parse("short read\n").find("16"), std::string::npos);
  EXPECT_NE(tokens.parse("# nothing\n"), "");
  EXPECT_NE(tokens.load("/nowhere"), "");
  EXPECT_TRUE(tokens.find("0123456789abcdef").known);
}

}  // namespace
}  // namespace covey::api

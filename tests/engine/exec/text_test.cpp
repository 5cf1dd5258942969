#include "engine/exec/text.hpp"

#include <gtest/gtest.h>

namespace covey::engine {
namespace {

TEST(Utf8Test, WellFormedTextIsUtf8) {
  for (const auto* text : {"", "plain", "ü", "€", "😀", "\u07ff\u0800\uffff", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8Test, CutOverlongSurrogateAndTooLargeAreNot) {
  for (const auto* text : {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
                           "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
                           "\xE2"
                           "ab"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Utf8Test, OnlyACharacterThatWasCutIsRemoved) {
  EXPECT_EQ(without_cut_character("ab\xE2\x82"), "ab");
  EXPECT_EQ(without_cut_character("ab\xF0\x9F\x98"), "ab");
  EXPECT_EQ(without_cut_character("ab\xC3"), "ab");
  EXPECT_EQ(without_cut_character("ab€"), "ab€");
  EXPECT_EQ(without_cut_character("ab"), "ab");
  EXPECT_EQ(without_cut_character(""), "");
  EXPECT_EQ(without_cut_character("\x80\x80\x80\x80"), "\x80\x80\x80\x80");
}

TEST(Base64Test, MatchesTheVectorsOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe"), "//4=");
}

TEST(LastLineTest, IsTheLastThatSaysSomething) {
  EXPECT_EQ(last_line("one\ntwo\n\n  \n", 100), "two");
  EXPECT_EQ(last_line("one", 100), "one");
  EXPECT_EQ(last_line("\n \n", 100), "");
  EXPECT_EQ(last_line("a long line", 6), "a long");
  EXPECT_EQ(last_line("a\x1b[31m", 100), "a [31m");
  EXPECT_EQ(last_line("\xff", 100), "");
}

}  // namespace
}  // namespace covey::engine

// The page that the executable carries, and how it is found.
#include "controller/http/page.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace covey::api {
namespace {

TEST(PageTest, TheRootIsThePageAndReadOnly) {
  const auto match = find_page(http::verb::get, {""});
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->scope, Scope::none);
  EXPECT_EQ(match.params, std::vector<std::string>{"index.html"});
  EXPECT_NE(find_page(http::verb::head, {"index.html"}).route, nullptr);
  const auto posted = find_page(http::verb::post, {""});
  EXPECT_EQ(posted.route, nullptr);
  EXPECT_EQ(posted.allowed, "GET, HEAD, OPTIONS");
}

TEST(PageTest, WhatIsNoFileOfThePageIsNotFound) {
  const std::vector<std::vector<std::string>> others{{"assets"}, {"assets", "nothing.js"}, {"..", "index.html"}, {"index.html", ""}, {"", "index.html"}};
  for (const auto& path : others) EXPECT_TRUE(find_page(http::verb::get, path).allowed.empty()) << path.back();
}

TEST(PageTest, FilesAreSortedAndHoldWhatTheySay) {
  const auto files = page_files();
  ASSERT_FALSE(files.empty());
  EXPECT_TRUE(std::is_sorted(files.begin(), files.end(), [](const PageFile& left, const PageFile& right) { return left.path < right.path; }));
  for (const PageFile& file : files) {
    EXPECT_FALSE(file.type.empty()) << file.path;
    EXPECT_EQ(file.hash.size(), 16u) << file.path;
    EXPECT_TRUE(file.packed.empty() || file.packed.size() < file.plain.size()) << file.path;
  }
}

TEST(PageTest, TagsAreComparedAsListsOfWeakOrStrongOnes) {
  for (const auto* header : {"\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\" ", "*"}) EXPECT_TRUE(names_tag(header, "\"a\"")) << header;
  for (const auto* header : {"", ",", "a", "\"b\"", "\"ab\"", "W/", " "}) EXPECT_FALSE(names_tag(header, "\"a\"")) << header;
}

}  // namespace
}  // namespace covey::api

#include "operator/kube/line_splitter.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace covey::kube {
namespace {

std::vector<std::string> all(LineSplitter& lines) {
  std::vector<std::string> out;
  while (const auto line = lines.next()) out.emplace_back(*line);
  return out;
}

TEST(LineSplitterTest, LinesDoNotDependOnHowTheBytesArrive) {
  const std::string body = "{\"a\":1}\n\n{\"b\":\"\xc3\xa4\"}\n{\"c\":3}\n";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    LineSplitter lines;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < body.size(); at += step) {
      lines.feed(std::string_view(body).substr(at, step));
      for (auto& line : all(lines)) got.push_back(std::move(line));
    }
    EXPECT_EQ(got, (std::vector<std::string>{"{\"a\":1}", "{\"b\":\"\xc3\xa4\"}", "{\"c\":3}"})) << "pieces of " << step;
    EXPECT_FALSE(lines.inside_line());
  }
}

TEST(LineSplitterTest, AHalfLineIsKeptAndNotGivenOut) {
  LineSplitter lines;
  lines.feed("{\"a\":1}\n{\"b\"");
  EXPECT_EQ(all(lines), std::vector<std::string>{"{\"a\":1}"});
  EXPECT_TRUE(lines.inside_line());
  lines.feed(":2}\n");
  EXPECT_EQ(all(lines), std::vector<std::string>{"{\"b\":2}"});
}

TEST(LineSplitterTest, ALineAtTheLimitPassesAndOnePastItOverflows) {
  LineSplitter lines(10);
  lines.feed("0123456789");
  EXPECT_TRUE(all(lines).empty());
  EXPECT_FALSE(lines.overflowed());
  lines.feed("\n0123456789a");
  EXPECT_EQ(all(lines), std::vector<std::string>{"0123456789"});
  EXPECT_TRUE(lines.overflowed());
  LineSplitter at_once(10);
  at_once.feed("ok\n0123456789a\n");
  EXPECT_EQ(all(at_once), std::vector<std::string>{"ok"}) << "also where its end is there already";
  EXPECT_TRUE(at_once.overflowed());
}

}  // namespace
}  // namespace covey::kube

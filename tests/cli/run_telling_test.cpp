#include "cli/commands/run_telling.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>
#include <stdexcept>

#include "bench/jobs/summary.hpp"

namespace covey::cli {
namespace {

namespace json = boost::json;

std::string body_of(std::uint16_t port, const std::string& path) {
  boost::asio::ip::tcp::iostream stream("127.0.0.1", std::to_string(port));
  stream << "GET " << path << " HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n" << std::flush;
  std::string line, last;
  while (std::getline(stream, line)) last = line;
  return last;
}

jobs::StepReport step(const std::string& name, std::uint64_t ok, std::uint64_t failed) {
  jobs::StepReport report;
  report.name = name;
  report.total = 10;
  report.ok = ok;
  report.failed = failed;
  report.began = true;
  return report;
}

TEST(ProgressPageTest, ItTellsTheStepUnderWayAndHowFarItIs) {
  ProgressPage page("127.0.0.1:0");
  EXPECT_EQ(body_of(page.port(), "/progress"), "{}");
  page.on_begin(2, 3);
  page.update(step("sums", 6, 1));
  EXPECT_EQ(json::parse(body_of(page.port(), "/progress")),
            json::parse(R"({"step": "sums", "number": 2, "steps": 3, "total": 10, "ok": 6, "failed": 1})"));
}

TEST(ProgressPageTest, AnAddressThatIsNoneIsRefused) {
  for (const auto* wrong : {"8080", ":8080", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:80x"}) EXPECT_THROW(ProgressPage page(wrong), std::runtime_error) << wrong;
}

TEST(BriefTest, ItIsAboutTheLastStepThatBeganAndFitsIntoAContainersLastWords) {
  jobs::JobReport report;
  report.end = jobs::End::failed;
  report.steps = {step("first", 10, 0), step(std::string(5000, '\x01'), 3, 2), {}};
  report.steps[1].first_error = std::string(5000, '\x02');
  const auto text = jobs::brief_of(report);
  EXPECT_LE(text.size(), jobs::kMostBrief);
  const auto brief = json::parse(text);
  EXPECT_EQ(brief.at("number"), 2);
  EXPECT_EQ(brief.at("steps"), 3);
  EXPECT_EQ(brief.at("ok"), 3);
  EXPECT_EQ(brief.at("failed"), 2);
  EXPECT_EQ(brief.at("end"), "failed");
}

}  // namespace
}  // namespace covey::cli

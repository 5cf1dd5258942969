// `covey bench` with tiny numbers: which rows it writes, and what it says of wrong options. Its figures are not looked at.
#include <boost/json.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/integration/cli_fixture.hpp"

namespace covey::integration {
namespace {

namespace json = boost::json;

struct BenchTest : CliFixture {
  BenchTest() { std::filesystem::create_directories(folder); }
  // Runs a bench that has to succeed, and returns its rows.
  json::array rows(const std::string& arguments) {
    const auto file = (folder / "results.json").string();
    const auto ended = run("bench " + arguments + " --json " + file);
    EXPECT_EQ(ended.status, 0) << ended.output;
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return ended.status == 0 ? json::parse(text.str()).at("rows").as_array() : json::array();
  }
  static std::set<std::string> values(const json::array& rows, const std::string& experiment, const std::string& field) {
    std::set<std::string> found;
    for (const auto& row : rows) {
      if (row.at("experiment").as_string() != experiment) continue;
      const auto& value = row.at(field);
      found.insert(value.is_string() ? std::string(value.as_string()) : json::serialize(value));
    }
    return found;
  }
};

using Set = std::set<std::string>;

TEST_F(BenchTest, EveryExperimentRunsOverTls) {
  const auto found = rows("all --quick --transport tls --engines 1 --n 1,16 --bytes 1000 --dt 1 --ideal 0.01");
  for (const auto* experiment : {"latency", "sequential", "throughput", "map", "limit"}) {
    EXPECT_EQ(values(found, experiment, "transport"), Set{"tls"}) << experiment;
  }
  EXPECT_EQ(values(found, "latency", "n"), (Set{"1", "16"}));
  EXPECT_EQ(values(found, "latency", "scheme"), (Set{"controller", "direct"}));
}

}  // namespace
}  // namespace covey::integration

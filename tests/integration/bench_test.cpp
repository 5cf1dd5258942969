// `covey bench` with tiny numbers: which rows it writes, and what it says of wrong options. Its figures are not looked at.
#include <boost/json.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "common/bus/certificates.hpp"
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
  Ended bench(const std::string& arguments) { return run("bench " + arguments); }
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
  EXPECT_EQ(values(found, "push", "scheme"), Set{"controller"});
  EXPECT_EQ(values(found, "latency", "n"), (Set{"1", "16"}));
  EXPECT_EQ(values(found, "latency", "scheme"), (Set{"controller", "direct"}));
}

TEST_F(BenchTest, EveryExperimentRunsThroughAPrivateSshServer) {
  const auto found = rows("all --quick --transport ssh --engines 1 --n 1,16 --bytes 1000 --dt 1 --ideal 0.01");
  for (const auto* experiment : {"latency", "sequential", "throughput", "map", "limit"}) {
    EXPECT_EQ(values(found, experiment, "transport"), Set{"ssh"}) << experiment;
  }
}

TEST_F(BenchTest, TheWholeMatrixHasEveryTransport) {
  const auto found = rows("throughput --full --no-limits --engines 1 --scheme direct --bytes 1000,32000");
  EXPECT_EQ(values(found, "throughput", "transport"), (Set{"plain", "tls", "ssh"}));
  EXPECT_EQ(values(found, "throughput", "bytes"), (Set{"1000", "32000"}));
}

TEST_F(BenchTest, ThroughputEchoesArraysAndPushesThemToOneEngine) {
  const auto found = rows("throughput --no-limits --engines 2 --bytes 1000,64000");
  EXPECT_EQ(values(found, "throughput", "scheme"), (Set{"controller", "direct"}));
  EXPECT_EQ(values(found, "push", "scheme"), Set{"controller"});
  EXPECT_EQ(values(found, "push", "bytes"), (Set{"1000", "64000"}));
  EXPECT_EQ(values(found, "push", "n"), values(found, "throughput", "n"));
  for (const auto& row : found) {
    for (const auto* figure : {"sent_s", "roundtrip_s", "gbit_per_s"}) EXPECT_GT(row.at(figure).to_number<double>(), 0) << figure;
    EXPECT_LE(row.at("sent_s").to_number<double>(), row.at("roundtrip_s").to_number<double>());
  }
}

TEST_F(BenchTest, ANamedClusterIsMeasuredWithTheEnginesThatItHas) {
  start(2);
  connect(2);
  const auto file = " --connect " + (folder / "client.json").string();
  const auto found = rows("latency --quick --scheme direct --transport plain,ssh --n 1" + file);
  EXPECT_EQ(values(found, "latency", "engines"), Set{"2"});
  EXPECT_EQ(values(found, "latency", "transport"), (Set{"plain", "ssh"}));
  expect_says(bench("latency --engines 3" + file), "has 2");
  expect_says(bench("latency --transport tls" + file), "plain");
}

TEST_F(BenchTest, ANamedTlsClusterIsMeasuredOverTlsAndThroughSsh) {
  const auto certificates = bus::make_certificates(folder / "tls", {"127.0.0.1"});
  local::LocalCluster::Options options;
  options.folder = folder;
  options.executable = COVEY_EXECUTABLE;
  options.engines = 1;
  options.tls_ca = certificates.authority;
  options.tls_cert = certificates.server_cert;
  options.tls_key = certificates.server_key;
  cluster = std::make_unique<local::LocalCluster>(options);
  connect(1);
  const auto file = " --connect " + (folder / "client.json").string();
  const auto found = rows("latency --quick --scheme direct --transport tls,ssh --n 1" + file);
  EXPECT_EQ(values(found, "latency", "transport"), (Set{"tls", "ssh"}));
  expect_says(bench("latency --transport plain" + file), "is tls");
}

TEST_F(BenchTest, WrongOptionsAreNamedWithWhatWouldBeRight) {
  expect_says(bench("latency --n 1,many"), "'many' is not a whole number from 1");
  expect_says(bench("map --dt 0"), "'0' is not a number from 0.01");
  expect_says(bench("latency --engines 5000"), "4096");
  expect_says(bench("throughput --bytes 64MB"), "'64MB' is not a whole number from 1");
  expect_says(bench("latency --transport smoke"), "plain");
  expect_says(bench("latency --ssh me@gateway"), "--transport ssh");
  expect_says(bench("latency --transport ssh --ssh=-oProxyCommand=id"), "user@host");
  EXPECT_EQ(bench("latency --quick --full").status, 2);
}

TEST_F(BenchTest, AMissingProgramIsNamedWithItsPackage) {
  expect_says(run_with("PATH=/usr/sbin", "bench latency --transport ssh --no-limits --n 1 --engines 1"), "openssh-client");
}

}  // namespace
}  // namespace covey::integration

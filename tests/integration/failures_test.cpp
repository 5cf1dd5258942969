// What must hold when parts fail: every task ends once, and none is lost. Real processes, real NATS.
#include <signal.h>
#include <unistd.h>

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <set>
#include <thread>

#include "tests/integration/cluster_fixture.hpp"

namespace covey::integration {
namespace {

struct FailuresTest : ClusterFixture {
  // A map of `count` sleeps whose results say which input they are for.
  static client::AsyncResult begin_map(client::Client& client, std::size_t count) {
    auto view = client.load_balanced();
    std::vector<std::string> inputs(count, "[0.005]");
    return view.map("sleep", std::move(inputs));
  }
  // Waits until a share of the map is done, so that what follows happens in its middle.
  static void reach(const client::AsyncResult& result, std::size_t done) {
    for (std::size_t i = 0; i < done; ++i) ASSERT_TRUE(result.next(kPatience));
  }
  // All end as ok, each exactly once: next() hands out every index one time, and then no more.
  static void expect_complete(const client::AsyncResult& result, std::size_t already) {
    std::size_t more = 0;
    while (result.next(kPatience)) ++more;
    EXPECT_EQ(more + already, result.size());
    EXPECT_TRUE(result.successful());
  }
};

TEST_F(FailuresTest, NothingIsLostWhenAnEngineIsKilled) {
  start(4);
  const auto client = connect(4);
  const auto result = begin_map(*client, 2000);
  reach(result, 200);
  cluster->engine(0).signal(SIGKILL);
  expect_complete(result, 200);
}

TEST_F(FailuresTest, AnEngineThatIsToldToLeaveLosesNothingAndCostsNoAttempt) {
  start(3);
  const auto client = connect(3);
  const auto result = begin_map(*client, 2000);
  reach(result, 200);
  auto& leaving = cluster->engine(0);
  leaving.signal(SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!leaving.poll() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(leaving.poll(), 0);
  expect_complete(result, 200);
  for (std::size_t i = 0; i < result.size(); ++i) ASSERT_EQ(result.metadata(i).attempts, 1u) << i;
}

TEST_F(FailuresTest, AnEngineThatIsToldToLeaveRunsTheDirectTasksThatItHasBeenGiven) {
  start(3);
  const auto client = connect(3);
  const auto result = client->load_balanced(client::Scheme::direct).map("echo", std::vector<std::string>(300'000, R"(["a"])"));
  reach(result, 10'000);
  auto& leaving = cluster->engine(0);
  leaving.signal(SIGTERM);
  ASSERT_TRUE(result.wait(kPatience));
  EXPECT_TRUE(result.successful());
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!leaving.poll() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(leaving.poll(), 0);
}

TEST_F(FailuresTest, AnEngineThatIsToldToLeaveDoesNotWaitForARunThatIgnoresIt) {
  start(1, {"--plugin", VARIOUS_PATH, "--drain-timeout", "0", "--stuck-grace", "0"});
  const auto client = connect(1);
  auto view = client->load_balanced();
  view.options.max_attempts = 1;
  const auto begun = folder / "begun";
  const auto running = view.apply("deaf", fmt::format(R"(["{}"])", begun.string()));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!std::filesystem::exists(begun) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  auto& leaving = cluster->engine(0);
  leaving.signal(SIGTERM);
  while (!leaving.poll() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(leaving.poll(), 0);
  ASSERT_TRUE(running.wait(kPatience));
  EXPECT_FALSE(running.successful());
}

TEST_F(FailuresTest, NothingIsLostWhenNatsIsKilledAndRestarted) {
  start(4);
  const auto client = connect(4);
  const auto result = begin_map(*client, 2000);
  reach(result, 200);
  cluster->nats()->kill();
  cluster->nats()->start();
  expect_complete(result, 200);
}

TEST_F(FailuresTest, NothingIsLostWhenTheControllerIsKilledAndRestarted) {
  start(4);
  const auto client = connect(4);
  const auto result = begin_map(*client, 2000);
  reach(result, 200);
  cluster->controller().signal(SIGKILL);
  while (!cluster->controller().poll()) std::this_thread::yield();
  EXPECT_EQ(cluster->tend().size(), 1u);
  expect_complete(result, 200);
}

TEST_F(FailuresTest, NothingIsLostWhenEverythingIsKilledInTurn) {
  start(3);
  const auto client = connect(3);
  const auto result = begin_map(*client, 3000);
  reach(result, 100);
  cluster->engine(1).signal(SIGKILL);
  reach(result, 100);
  cluster->nats()->kill();
  cluster->nats()->start();
  reach(result, 100);
  cluster->controller().signal(SIGKILL);
  while (!cluster->controller().poll()) std::this_thread::yield();
  cluster->tend();
  expect_complete(result, 300);
}

TEST_F(FailuresTest, AnAtMostOnceTaskOfADeadEngineFailsInsteadOfRunningAgain) {
  start(1);
  const auto client = connect(1);
  auto view = client->load_balanced();
  view.options.max_attempts = 1;
  const auto running = view.apply("sleep", "[600]");
  while (client->request(R"({"what":"engines"})")->find("\"busy\"") == std::string::npos) std::this_thread::yield();
  cluster->engine(0).signal(SIGKILL);
  ASSERT_TRUE(running.wait(kPatience));
  EXPECT_EQ(running.metadata().status, wire::TaskStatus::engine_died);
}

TEST_F(FailuresTest, ASlowReaderGetsEveryResult) {
  start(2);
  connect(2);
  // A client on a loop of the test's own, which does not turn while results pile up.
  boost::asio::io_context io(1);
  const auto nats = cluster->client().options("slow");
  client::Options options;
  options.nats_url = nats.url;
  options.user = nats.user;
  options.password = nats.password;
  auto slow = client::Client::connect(options, io);
  ASSERT_TRUE(slow);
  auto view = (*slow)->load_balanced();
  const std::string large = "[\"" + std::string(8000, 'x') + "\"]";
  const auto result = view.map("echo", std::vector<std::string>(4000, large));
  const auto watcher = connect(2);
  for (std::size_t turns = 0; result.progress() < 1000; ++turns) {
    ASSERT_LT(turns, 1'000'000u);
    io.run_one_for(std::chrono::milliseconds(10));
  }
  // The controller serves others meanwhile.
  for (int i = 0; i < 100; ++i) EXPECT_EQ(watcher->load_balanced().apply("echo", "[1]").get(kPatience).buffer.view(), "1");
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!result.ready() && std::chrono::steady_clock::now() < deadline) io.run_one_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(result.successful());
}

// Processor time that a process has used, in seconds.
double cpu_seconds(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

TEST_F(FailuresTest, AnIdleClusterUsesHardlyAnyProcessorAlsoAfterARestartOfNats) {
  start(4);
  const auto client = connect(4);
  cluster->nats()->kill();
  cluster->nats()->start();
  EXPECT_EQ(client->load_balanced().apply("echo", "[1]").get(kPatience).buffer.view(), "1");
  const auto total = [&] {
    double sum = cpu_seconds(cluster->nats()->pid()) + cpu_seconds(cluster->controller().pid()) + cpu_seconds(::getpid());
    for (std::size_t i = 0; i < cluster->engines(); ++i) sum += cpu_seconds(cluster->engine(i).pid());
    return sum;
  };
  const double before = total();
  constexpr int kSeconds = 5;
  // The wait is the measurement: what an idle cluster uses in this time.
  std::this_thread::sleep_for(std::chrono::seconds(kSeconds));
  const double share = (total() - before) / kSeconds;
  RecordProperty("share_of_a_core", std::to_string(share));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  EXPECT_LT(share, 0.2);
#else
  EXPECT_LT(share, 0.02);
#endif
}

}  // namespace
}  // namespace covey::integration

// Payloads too large for a record, through a real cluster.
#include <signal.h>

#include <random>
#include <thread>

#include "tests/integration/cluster_fixture.hpp"

namespace covey::integration {
namespace {

constexpr std::size_t kMegabyte = 1'000'000;

wire::Buffer random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return wire::Buffer(std::move(bytes));
}

struct PayloadsTest : ClusterFixture {
  static void expect_echoes(client::LoadBalancedView view, std::size_t count, std::size_t size) {
    std::vector<wire::Buffer> sent;
    std::vector<client::AsyncResult> results;
    for (std::size_t i = 0; i < count; ++i) {
      sent.push_back(random_bytes(size + i, static_cast<unsigned>(i)));
      results.push_back(view.apply("echo", wire::Payload{wire::Codec::bytes, sent.back()}));
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto back = results[i].get(kPatience);
      EXPECT_EQ(back.codec, wire::Codec::bytes);
      EXPECT_TRUE(back.buffer.view() == sent[i].view()) << "task " << i;
    }
  }
};

TEST_F(PayloadsTest, LargeArraysComeBackAsTheyWereSent) {
  start(2);
  const auto client = connect(2);
  expect_echoes(client->load_balanced(), 20, 3 * kMegabyte);
  expect_echoes(client->load_balanced(client::Scheme::direct), 20, 3 * kMegabyte);
  expect_echoes(client->load_balanced(), 4, wire::kInlinePayloadBytes - 2);
}

TEST_F(PayloadsTest, ArgumentsOverTheLimitAreRefusedWithTheLimit) {
  start(1, {});
  const auto client = connect(1);
  try {
    client->load_balanced().apply("echo", wire::Payload{wire::Codec::bytes, wire::Buffer(nullptr, {static_cast<const std::byte*>(nullptr), (std::size_t{1} << 30) + 1})});
    FAIL() << "nothing was thrown";
  } catch (const std::length_error& error) {
    EXPECT_NE(std::string(error.what()).find("1073741824"), std::string::npos) << error.what();
  }
}

TEST_F(PayloadsTest, NothingIsLostWhenEnginesNatsAndTheControllerAreKilledMeanwhile) {
  start(3);
  const auto client = connect(3);
  auto view = client->load_balanced();
  std::vector<wire::Buffer> sent;
  std::vector<client::AsyncResult> results;
  for (std::size_t i = 0; i < 120; ++i) {
    sent.push_back(random_bytes(kMegabyte, static_cast<unsigned>(i)));
    results.push_back(view.apply("echo", wire::Payload{wire::Codec::bytes, sent.back()}));
  }
  ASSERT_TRUE(results[5].wait(kPatience));
  cluster->engine(0).signal(SIGKILL);
  ASSERT_TRUE(results[20].wait(kPatience));
  cluster->controller().signal(SIGKILL);
  while (!cluster->controller().poll()) std::this_thread::yield();
  cluster->tend();
  ASSERT_TRUE(results[40].wait(kPatience));
  cluster->nats()->kill();
  cluster->nats()->start();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (std::size_t i = 0; i < results.size(); ++i) {
    // A part that was started while NATS was away has given up: as `covey up` does, start it again.
    while (!results[i].wait(std::chrono::milliseconds(200)) && std::chrono::steady_clock::now() < deadline) cluster->tend();
    EXPECT_TRUE(results[i].get(kPatience).buffer.view() == sent[i].view()) << "task " << i;
  }
}

TEST_F(PayloadsTest, AClientThatLeavesHandsItsArgumentsOver) {
  start(1);
  std::string task;
  const auto array = random_bytes(2 * kMegabyte, 1);
  {
    const auto client = connect(1);
    auto view = client->load_balanced();
    view.options.detached = true;
    view.apply("sleep", "[1]");  // keeps the engine busy, so that the arguments are still here when we leave
    const auto result = view.apply("echo", wire::Payload{wire::Codec::bytes, array});
    task = wire::to_string(client->ids_of(result).at(0));
  }
  const auto client = connect(1);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::string answer;
  do {
    answer = client->request(R"({"what":"result","task":")" + task + "\"}").value_or("");
  } while (answer.find("\"status\"") == std::string::npos && std::chrono::steady_clock::now() < deadline);
  EXPECT_NE(answer.find("\"ok\""), std::string::npos) << answer;
}

}  // namespace
}  // namespace covey::integration

#include "operator/app/workers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include "tests/support/run_until.hpp"

namespace covey::operating {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

class WorkersTest : public testing::Test {
 protected:
  WorkersTest() { workers.lead(); }
  asio::awaitable<PassResult> pass(std::string key) {
    passes.push_back(key);
    ++now;
    most = std::max(most, now);
    asio::steady_timer pause(io, milliseconds(1));
    co_await pause.async_wait(asio::use_awaitable);
    --now;
    if (throws.contains(key)) throw std::runtime_error("no luck");
    auto& results = outcomes[key];
    if (results.empty()) co_return PassResult{};
    auto result = results.front();
    results.erase(results.begin());
    co_return result;
  }
  long count(const std::string& key) const { return std::count(passes.begin(), passes.end(), key); }
  bool until(const std::function<bool()>& condition) { return support::run_until(io, condition, std::chrono::seconds(20)); }

  asio::io_context io{1};
  Metrics metrics;
  bool ready = true;
  std::set<std::string> others, throws;
  std::map<std::string, std::vector<PassResult>> outcomes;
  std::vector<std::string> passes;
  int now = 0, most = 0;
  Workers workers{io, metrics,
                  {"thing", 2, [this] { return ready; }, [this](const std::string& ns) { return others.contains(ns); },
                   [this](const std::string& key) { return pass(key); }, [](const std::string&) { return Workers::Interest::gone; }}};
};

TEST_F(WorkersTest, SoManyAtOnceAndEachKeyOnce) {
  for (int i = 0; i < 10; ++i) workers.add("ns/" + std::to_string(i));
  EXPECT_EQ(workers.under_way(), 2);
  EXPECT_EQ(workers.depth(), 8u);
  ASSERT_TRUE(until([&] { return passes.size() == 10 && workers.under_way() == 0; }));
  EXPECT_EQ(most, 2);
}

TEST_F(WorkersTest, AChangeDuringAPassIsLookedAtAfterIt) {
  workers.add("ns/a");
  ASSERT_TRUE(until([&] { return passes.size() == 1; }));
  workers.add("ns/a");
  workers.add("ns/a");
  ASSERT_TRUE(until([&] { return workers.under_way() == 0 && workers.depth() == 0; }));
  EXPECT_EQ(passes.size(), 2u);
  EXPECT_EQ(most, 1);
}

TEST_F(WorkersTest, NothingBeginsBeforeItIsReady) {
  ready = false;
  workers.add("ns/a");
  EXPECT_EQ(workers.under_way(), 0);
  ready = true;
  workers.pump();
  EXPECT_EQ(workers.under_way(), 1);
  ASSERT_TRUE(until([&] { return workers.under_way() == 0; }));
}

TEST_F(WorkersTest, APassThatFailsOrThrowsComesAgainByItself) {
  outcomes["ns/a"] = {PassResult{kube::local_error("refused"), milliseconds(0)}};
  throws = {"ns/b"};
  workers.add("ns/a");
  workers.add("ns/b");
  ASSERT_TRUE(until([&] { return count("ns/a") == 2 && count("ns/b") == 3; }));
  EXPECT_EQ(metrics.reconcile_errors.Value(), 3.0);
}

TEST_F(WorkersTest, APassComesAgainWhenTheOneBeforeAskedForIt) {
  outcomes["ns/a"] = {PassResult{std::nullopt, milliseconds(1)}, PassResult{}};
  auto lasting = Workers(io, metrics, {"thing", 1, [] { return true; }, [](const std::string&) { return false; },
                                       [this](const std::string& key) { return pass(key); }, [](const std::string&) { return Workers::Interest::lasting; }});
  lasting.add("ns/a");
  EXPECT_EQ(lasting.depth(), 0u) << "it does not lead yet";
  lasting.lead();
  lasting.add("ns/a");
  ASSERT_TRUE(until([&] { return passes.size() == 2; }));
}

TEST_F(WorkersTest, WhatIsLeftToOthersIsNotTouched) {
  others = {"theirs"};
  workers.add("theirs/a");
  workers.add("ours/a");
  ASSERT_TRUE(until([&] { return workers.under_way() == 0; }));
  EXPECT_EQ(passes, std::vector<std::string>{"ours/a"});
}

TEST_F(WorkersTest, AfterStopNothingBegins) {
  workers.add("ns/a");
  workers.add("ns/b");
  workers.add("ns/c");
  workers.stop();
  ASSERT_TRUE(until([&] { return workers.under_way() == 0; }));
  EXPECT_EQ(passes.size(), 2u);
}

}  // namespace
}  // namespace covey::operating

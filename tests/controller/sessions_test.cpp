// Clients that go and come back, and the results that wait for them.
#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using std::chrono::seconds;
using wire::TaskStatus;

struct SessionsTest : BrokerFixture {};

TEST_F(SessionsTest, UnsentResultsWaitForAClientThatReturns) {
  auto e = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1, 3);
  read(e);
  alive = {&e};
  pass(seconds(8));  // the client falls silent
  while (!e.runs.empty()) finish(e);
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
  EXPECT_GT(broker.result_bytes(), 0u);
  auto again = client(5);
  read(again);
  EXPECT_EQ(again.results.size(), 3u);
  EXPECT_EQ(broker.result_bytes(), 0u);
}

TEST_F(SessionsTest, WhatWasNotAcknowledgedIsSentToANewLinkOnce) {
  auto e = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  finish(e);
  // The client never reads the frame, and greets again, submitting what it has no result for.
  sent.clear();
  auto again = client(2);
  again.link_id = 2;
  wire::Hello hello;
  hello.role = wire::Role::client;
  hello.session = wire::SessionId{77};
  greet(again, hello);
  submit(again, {}, 1, 1, {}, true);
  read(e);
  EXPECT_EQ(again.results.size(), 1u);
  EXPECT_TRUE(e.runs.empty());
}

// Found by seed 5 of the simulation.
TEST_F(SessionsTest, ATaskWhoseResultCrossesItsResubmissionIsNotRunAgain) {
  auto e = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  FarEnd again(wire::Role::client, 2, 2);
  wire::Hello hello;
  hello.role = wire::Role::client;
  hello.session = wire::SessionId{77};
  greet(again, hello);
  finish(e);
  submit(again, {}, 1, 1, {}, true);
  read(e);
  EXPECT_EQ(again.results.size(), 1u);
  EXPECT_TRUE(e.runs.empty());
}

struct SmallStoreTest : BrokerFixture {
  static Config small() {
    Config config;
    config.max_result_bytes = 600;
    return config;
  }
  SmallStoreTest() : BrokerFixture(small()) {}
};

TEST_F(SmallStoreTest, ResultsBeyondTheLimitAreEvictedOldestFirstAndSaySo) {
  auto e = engine(1, 100);
  auto c = client(2);
  submit(c, {}, 1, 10);
  read(e);
  alive = {&e};
  pass(seconds(8));
  while (!e.runs.empty()) finish(e);
  EXPECT_GT(broker.counters().results_evicted, 0u);
  auto again = client(5);
  read(again);
  ASSERT_EQ(again.results.size(), 10u);
  EXPECT_EQ(again.results.front().status, TaskStatus::result_expired);
  EXPECT_EQ(again.results.back().sequence, 10u);
}

}  // namespace
}  // namespace covey::controller

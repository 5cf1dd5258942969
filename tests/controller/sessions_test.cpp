// Clients that go and come back, and the results that wait for them.
#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using std::chrono::seconds;
using wire::TaskStatus;

struct SessionsTest : BrokerFixture {
  // A long record takes many frames, and acknowledgements between them.
  void say_all(FarEnd& client, std::size_t results) {
    for (int i = 0; i < 100 && client.results.size() < results; ++i) {
      turn(client);
      pass(std::chrono::milliseconds(10));
      read(client);
    }
  }
};

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

// Passed on, such a record would be longer than a link can carry.
TEST_F(SessionsTest, ArgumentsAndSpecificationsThatCannotBePassedOnAreRefused) {
  auto e = engine(1, 10);
  auto c = client(2);
  const std::size_t longest = wire::Link::kMaxRecordBytes - 100;
  wire::Writer content, spec, long_spec;
  wire::encode_spec(spec, [] {
    wire::TaskSpec plain;
    plain.function = "echo";
    return plain;
  }());
  wire::encode_content(content, wire::Codec::bytes, wire::as_bytes(std::string(longest, 'a')));
  wire::encode(c.link->record(), wire::SpecRecord{1, spec.span()});
  wire::encode(c.link->record(), wire::SubmitRecord{1, 1, content.span(), {}, false});
  say_all(c, 1);
  wire::encode_spec(long_spec, [&] {
    wire::TaskSpec named;
    named.function = std::string(longest, 'f');
    return named;
  }());
  wire::encode(c.link->record(), wire::SpecRecord{2, long_spec.span()});
  wire::encode(c.link->record(), wire::SubmitRecord{2, 2, {}, {}, false});
  say_all(c, 2);
  read(e);
  EXPECT_TRUE(e.runs.empty());
  ASSERT_EQ(c.results.size(), 2u);
  EXPECT_EQ(c.results[0].status, TaskStatus::payload_too_large);
  EXPECT_EQ(c.results[1].status, TaskStatus::bad_arguments);
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

#include <gtest/gtest.h>

#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::TaskStatus;

struct BrokerTest : BrokerFixture {
  using BrokerFixture::BrokerFixture;
};

TEST_F(BrokerTest, ATaskGoesToAnEngineAndItsResultToItsClient) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  ASSERT_EQ(e.functions, std::vector<std::string>{"echo"});
  finish(e);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].sequence, 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::ok);
  EXPECT_EQ(c.results[0].attempts, 1u);
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
}

TEST_F(BrokerTest, AnEngineIsNeverGivenMoreThanItsCredit) {
  auto e = engine(1, 3);
  auto c = client(2);
  submit(c, {}, 1, 10);
  read(e);
  EXPECT_EQ(e.runs.size(), 3u);
  EXPECT_EQ(broker.ready_tasks(), 7u);
  finish(e);
  EXPECT_EQ(e.runs.size(), 3u);
}

TEST_F(BrokerTest, TasksSpreadEvenlyOverEngines) {
  auto a = engine(1, 100), b = engine(2, 100);
  auto c = client(3);
  submit(c, {}, 1, 10);
  read(a);
  read(b);
  EXPECT_EQ(a.runs.size(), 5u);
  EXPECT_EQ(b.runs.size(), 5u);
}

TEST_F(BrokerTest, HigherPriorityRunsFirst) {
  auto c = client(2);
  wire::TaskSpec low, high;
  low.function = "low";
  high.function = "high";
  high.priority = 5;
  submit(c, low, 1);
  submit(c, high, 2);
  auto e = engine(1, 10);
  read(e);
  EXPECT_EQ(e.functions, (std::vector<std::string>{"high", "low"}));
}

TEST_F(BrokerTest, ATaskRunsOnlyWhereItsLabelsAndTargetsAllow) {
  auto plain = engine(1, 10), gpu = engine(2, 10, 1, {"gpu=a100"});
  auto c = client(3);
  wire::TaskSpec labelled, targeted;
  labelled.labels = {"gpu=a100"};
  targeted.targets = {wire::Incarnation{1}};
  submit(c, labelled, 1, 3);
  submit(c, targeted, 10, 2);
  read(plain);
  read(gpu);
  EXPECT_EQ(gpu.runs.size(), 3u);
  EXPECT_EQ(plain.runs.size(), 2u);
}

TEST_F(BrokerTest, AtMostOnceTasksAreNotPrefetched) {
  auto e = engine(1, 100, 2);
  auto c = client(2);
  wire::TaskSpec once;
  once.max_attempts = 1;
  submit(c, once, 1, 10);
  read(e);
  EXPECT_EQ(e.runs.size(), 2u);
}

TEST_F(BrokerTest, ASilentEnginesTasksRunElsewhereAndOnlyTheOldestAreSuspects) {
  auto dead = engine(1, 5);
  auto c = client(2);
  submit(c, {}, 1, 5);
  read(dead);
  ASSERT_EQ(dead.runs.size(), 5u);
  auto e = engine(3, 10);
  alive = {&e, &c};
  pass(seconds(8));
  EXPECT_EQ(broker.live_engines(), 1u);
  read(e);
  // The suspect runs alone; the other four wait until it is done.
  ASSERT_EQ(e.runs.size(), 1u);
  EXPECT_EQ(e.runs[0].task.sequence, 1u);
  finish(e);
  EXPECT_EQ(e.runs.size(), 4u);
  while (!e.runs.empty()) finish(e);
  read(c);
  ASSERT_EQ(c.results.size(), 5u);
  for (const auto& result : c.results) EXPECT_EQ(result.attempts, result.sequence == 1 ? 2u : 1u);
}

TEST_F(BrokerTest, ASuspectIsNotStarvedByAStreamOfOtherTasks) {
  auto dead = engine(1, 1);
  auto c = client(2);
  submit(c, {}, 1);
  read(dead);
  auto e = engine(3, 4);
  alive = {&e, &c};
  submit(c, {}, 2, 20);
  read(e);
  pass(seconds(8));
  std::size_t finished = 0;
  while (!e.runs.empty() && e.runs.front().task.sequence != 1) {
    finish(e);
    ++finished;
  }
  EXPECT_EQ(finished, 4u);  // what it had when the other engine was found dead
  ASSERT_EQ(e.runs.size(), 1u);
}

TEST_F(BrokerTest, ATaskThatKeepsKillingEnginesFails) {
  auto c = client(2);
  submit(c, {}, 1);
  for (std::uint64_t id = 10; id < 13; ++id) {
    auto e = engine(id, 1);
    read(e);
    EXPECT_EQ(e.runs.size(), 1u);
    alive = {&c};
    pass(seconds(8));
  }
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::engine_died);
  EXPECT_EQ(c.results[0].attempts, 3u);
}

TEST_F(BrokerTest, AnEngineIsNotSilentWhileTheControllerIsDisconnected) {
  auto e = engine(1, 1);
  broker.on_disconnected();
  now += seconds(60);
  broker.on_connected(now);
  pass(seconds(4));
  EXPECT_EQ(broker.live_engines(), 1u);
  pass(seconds(3));
  EXPECT_EQ(broker.live_engines(), 0u);
}

TEST_F(BrokerTest, FailuresAreRetriedAfterADelayThatDoubles) {
  auto e = engine(1, 1);
  auto c = client(2);
  alive = {&e, &c};
  wire::TaskSpec spec;
  spec.retries = 2;
  spec.retry_delay_ms = 100;
  submit(c, spec, 1);
  read(e);
  finish(e, TaskStatus::failed);
  EXPECT_TRUE(e.runs.empty());
  pass(milliseconds(101));
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e, TaskStatus::failed);
  pass(milliseconds(150));
  read(e);
  EXPECT_TRUE(e.runs.empty());
  pass(milliseconds(51));
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e, TaskStatus::failed);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::failed);
  EXPECT_EQ(c.results[0].attempts, 3u);
}

TEST_F(BrokerTest, ATimeoutEndsATaskWhereverItIs) {
  auto e = engine(1, 1);
  auto c = client(2);
  alive = {&e, &c};
  wire::TaskSpec spec;
  spec.timeout_ms = 500;
  submit(c, spec, 1, 2);
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  pass(milliseconds(501));
  read(c);
  read(e);
  ASSERT_EQ(c.results.size(), 2u);
  EXPECT_EQ(c.results[0].status, TaskStatus::timed_out);
  EXPECT_EQ(e.stopped, std::vector<std::uint64_t>{e.runs[0].handle});
  finish(e);  // late: counted, and not delivered
  read(c);
  EXPECT_EQ(c.results.size(), 2u);
  EXPECT_EQ(broker.counters().late_results, 1u);
}

TEST_F(BrokerTest, ARunningTaskCanBeCancelled) {
  auto e = engine(1, 1);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  wire::encode(c.link->record(), wire::CancelRecord{{wire::SessionId{77}, 1}});
  turn(c);
  read(e);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::cancelled);
  EXPECT_EQ(e.stopped.size(), 1u);
}


TEST_F(BrokerTest, ATaskWaitsForItsDependency) {
  auto e = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1);
  submit(c, {}, 2, 1, after(1));
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e);
  ASSERT_EQ(e.runs.size(), 1u);
  EXPECT_EQ(e.runs[0].task.sequence, 2u);
}

TEST_F(BrokerTest, ADependencyThatCanNoLongerBeMetFailsTheTaskAndThoseBehindIt) {
  auto e = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1);
  submit(c, {}, 2, 1, after(1));
  submit(c, {}, 3, 1, after(2));
  submit(c, {}, 4, 1, after(1, false, true));
  read(e);
  finish(e, TaskStatus::failed);
  read(c);
  ASSERT_EQ(c.results.size(), 3u);
  EXPECT_EQ(c.results[1].status, TaskStatus::dependency_failed);
  EXPECT_EQ(c.results[2].status, TaskStatus::dependency_failed);
  ASSERT_EQ(e.runs.size(), 1u);
  EXPECT_EQ(e.runs[0].task.sequence, 4u);
}

TEST_F(BrokerTest, FollowRunsWhereTheDependencyRan) {
  auto a = engine(1, 10), b = engine(2, 10);
  auto c = client(3);
  submit(c, {}, 1);
  read(a);
  read(b);
  FarEnd& where = a.runs.empty() ? b : a;
  FarEnd& other = a.runs.empty() ? a : b;
  wire::SubmitExtras extras;
  extras.follow.tasks = {{{wire::SessionId{77}, 1}}};
  submit(c, {}, 2, 4, extras);
  finish(where);
  read(other);
  EXPECT_EQ(where.runs.size(), 4u);
  EXPECT_TRUE(other.runs.empty());
}

TEST_F(BrokerTest, AnIdempotencyKeyRunsOnceAndAllShareTheOutcome) {
  auto e = engine(1, 10);
  auto c = client(2);
  wire::SubmitExtras extras;
  extras.idempotency_key = "k";
  submit(c, {}, 1, 2, extras);
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e);
  submit(c, {}, 3, 1, extras);
  read(c);
  EXPECT_EQ(c.results.size(), 3u);
  EXPECT_TRUE(e.runs.empty());
}

TEST_F(BrokerTest, UnsentResultsWaitForAClientThatReturns) {
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

TEST_F(BrokerTest, WhatWasNotAcknowledgedIsSentToANewLinkOnce) {
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
  EXPECT_EQ(again.results.size(), 1u);
  EXPECT_TRUE(e.runs.empty());
}

TEST_F(BrokerTest, AnAdoptedTaskIsNotRunAgain) {
  auto c = client(2);
  FarEnd e(wire::Role::engine, 1, 1);
  wire::Hello hello;
  hello.role = wire::Role::engine;
  greet(e, hello);
  wire::encode(e.link->record(), wire::AdoptRecord{{wire::SessionId{77}, 1}, wire::kAdoptedBit | 5});
  wire::encode_adopted_all(e.link->record());
  wire::encode(e.link->record(), wire::CreditRecord{4, 0});
  turn(e);
  submit(c, {}, 1, 1, {}, true);
  read(e);
  EXPECT_TRUE(e.runs.empty());
  wire::Writer report;
  wire::encode_report(report, {TaskStatus::ok, "", 1, 2, {}});
  wire::encode(e.link->record(), wire::FinishedRecord{wire::kAdoptedBit | 5, {wire::SessionId{77}, 1}, report.span()});
  turn(e);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::ok);
}

// Found by seed 82 of the simulation.
TEST_F(BrokerTest, AnAdoptedTaskIsASuspectWhenItsEngineDiesHoweverManyCameAfterIt) {
  auto c = client(2);
  FarEnd e(wire::Role::engine, 1, 1);
  wire::Hello hello;
  hello.role = wire::Role::engine;
  greet(e, hello);
  wire::encode(e.link->record(), wire::AdoptRecord{{wire::SessionId{77}, 1}, wire::kAdoptedBit | 5});
  wire::encode_adopted_all(e.link->record());
  wire::encode(e.link->record(), wire::CreditRecord{4, 0});
  turn(e);
  submit(c, {}, 2, 2);
  wire::TaskSpec once;
  once.max_attempts = 1;
  submit(c, once, 1, 1, {}, true);
  alive = {&c};
  pass(seconds(8));
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].sequence, 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::engine_died);
}

TEST_F(BrokerTest, AnAtMostOnceTaskThatNobodyReportsEndsAsOutcomeUnknown) {
  auto e = engine(1, 4);
  auto c = client(2);
  alive = {&e, &c};
  wire::TaskSpec once;
  once.max_attempts = 1;
  submit(c, once, 1, 1, {}, true);
  read(e);
  EXPECT_TRUE(e.runs.empty());
  pass(seconds(6));
  read(c);
  read(e);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::outcome_unknown);
  EXPECT_TRUE(e.runs.empty());
}

TEST_F(BrokerTest, WhenTheQueueRunsDryUnstartedTasksAreRecalledForAnIdleEngine) {
  auto busy = engine(1, 10);
  auto c = client(2);
  submit(c, {}, 1, 10);
  read(busy);
  auto idle = engine(3, 10);
  read(busy);
  EXPECT_EQ(busy.recalled, 1u);  // as many as there are idle slots
  wire::encode(busy.link->record(), wire::ReturnedRecord{busy.runs.back().handle});
  wire::encode(busy.link->record(), wire::RecallRecord{0});
  turn(busy);
  read(idle);
  EXPECT_EQ(idle.runs.size(), 1u);
}

TEST_F(BrokerTest, TheWindowIsSharedBetweenClients) {
  auto a = client(2, 77);
  EXPECT_EQ(a.window, Config{}.max_tasks);
  auto b = client(3, 78);
  read(a);
  EXPECT_EQ(b.window, Config{}.max_tasks / 2);
  EXPECT_EQ(a.window, Config{}.max_tasks / 2);
}

TEST_F(BrokerTest, TasksForEnginesThatAreGoneFailInsteadOfWaitingForEver) {
  auto c = client(2);
  auto e = engine(9, 1);
  alive = {&c, &e};
  wire::TaskSpec spec;
  spec.targets = {wire::Incarnation{4711}};
  submit(c, spec, 1);
  pass(seconds(7));
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::unschedulable);
}

TEST_F(BrokerTest, AnotherProtocolVersionIsRefusedAndToldWhy) {
  FarEnd e(wire::Role::engine, 1, 1);
  std::vector<std::byte> hello(wire::kHeaderBytes);
  wire::write_header(hello.data(), {wire::FrameKind::hello, 1, e.id, wire::Incarnation::none, 0, 0});
  hello[2] = std::byte{99};
  deliver(e, hello);
  read(e);
  ASSERT_EQ(e.refusals.size(), 1u);
  EXPECT_EQ(e.refusals[0].reason, wire::RefuseReason::other_version);
  EXPECT_EQ(broker.counters().other_version_frames, 1u);
}

TEST_F(BrokerTest, FramesOfAnUnknownLinkAreAnsweredWithAnInvitationToGreet) {
  FarEnd e(wire::Role::engine, 1, 1);
  e.link = std::make_unique<wire::Link>(e.id, kSelf, 1);
  e.link->heartbeat([&](wire::ByteSpan frame) { deliver(e, frame); });
  read(e);
  ASSERT_EQ(e.refusals.size(), 1u);
  EXPECT_EQ(e.refusals[0].reason, wire::RefuseReason::unknown_link);
}

TEST_F(BrokerTest, ForeignAndMalformedFramesAreCountedAndCostNothingElse) {
  auto e = engine(1, 4);
  auto c = client(2);
  broker.on_frame(wire::Role::client, wire::as_bytes("GET / HTTP/1.1"), now);
  EXPECT_EQ(broker.counters().foreign_frames, 1u);
  c.link->record().u8(255);
  turn(c);
  EXPECT_EQ(broker.counters().malformed_frames, 1u);
  submit(c, {}, 1);
  read(e);
  EXPECT_EQ(e.runs.size(), 1u);
}

TEST_F(BrokerTest, AnEngineCannotSpeakAsAClient) {
  auto c = client(2);
  c.link->record();
  wire::encode(c.link->record(), wire::CancelRecord{{wire::SessionId{77}, 1}});
  c.link->flush([&](wire::ByteSpan frame) { broker.on_frame(wire::Role::engine, frame, now); });
  EXPECT_EQ(broker.counters().stale_frames, 1u);
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

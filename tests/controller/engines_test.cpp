// What becomes of the tasks of engines that die, and of those that engines bring along.
#include <boost/json.hpp>

#include "controller/core/setbacks.hpp"
#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using std::chrono::seconds;
using wire::TaskStatus;

struct EnginesTest : BrokerFixture {
  boost::json::value ask(std::string_view request) { return boost::json::parse(broker.ask(request, now)); }
};

TEST_F(EnginesTest, ASilentEnginesTasksRunElsewhereAndOnlyTheOldestAreSuspects) {
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

TEST_F(EnginesTest, ASuspectIsNotStarvedByAStreamOfOtherTasks) {
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

TEST_F(EnginesTest, ATaskThatKeepsKillingEnginesFails) {
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

TEST_F(EnginesTest, AnAdoptedTaskIsNotRunAgain) {
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

// Found by seed 692 of the simulation.
TEST_F(EnginesTest, ATaskThatAnEarlierControllerStoppedIsRunAgainIfItsClientStillWantsIt) {
  auto c = client(2);
  FarEnd e(wire::Role::engine, 1, 1);
  wire::Hello hello;
  hello.role = wire::Role::engine;
  greet(e, hello);
  const wire::TaskId task{wire::SessionId{77}, 1};
  wire::encode(e.link->record(), wire::AdoptRecord{task, wire::kAdoptedBit | 5});
  wire::encode_adopted_all(e.link->record());
  wire::encode(e.link->record(), wire::CreditRecord{4, 0});
  turn(e);
  submit(c, {}, 1, 1, {}, true);
  wire::Writer report;
  wire::encode_report(report, {TaskStatus::cancelled, "cancelled", 1, 2, {}});
  wire::encode(e.link->record(), wire::FinishedRecord{wire::kAdoptedBit | 5, task, report.span()});
  turn(e);
  read(c);
  EXPECT_TRUE(c.results.empty());
  ASSERT_EQ(e.runs.size(), 1u);
  finish(e);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::ok);
}

// Found by seed 699 of the simulation.
TEST_F(EnginesTest, WhatAnEngineWasAskedOnALinkThatBrokeIsAskedAgain) {
  auto e = engine(1, 4);
  broker.ask(R"({"what":"drain","engine":"0000000000000001"})", now);
  FarEnd again(wire::Role::engine, 1, 2);
  wire::Hello hello;
  hello.role = wire::Role::engine;
  greet(again, hello);
  wire::encode_adopted_all(again.link->record());
  wire::encode(again.link->record(), wire::DrainRecord{wire::DrainMode::resume});
  turn(again);
  EXPECT_EQ(again.drains, std::vector{wire::DrainMode::drain});
  auto c = client(2);
  submit(c, {}, 1);
  read(again);
  EXPECT_TRUE(again.runs.empty());
}

// Found by seed 20 of the simulation.
TEST_F(EnginesTest, ATaskThatComesBackToAnEngineThatStillRunsItTakesItsCreditOnce) {
  auto c = client(2);
  const wire::TaskId task{wire::SessionId{77}, 1};
  wire::Hello hello;
  hello.role = wire::Role::engine;
  const auto adopting = [&](std::uint64_t id) {
    FarEnd e(wire::Role::engine, id, 1);
    greet(e, hello);
    wire::encode(e.link->record(), wire::AdoptRecord{task, wire::kAdoptedBit | 5});
    wire::encode_adopted_all(e.link->record());
    wire::encode(e.link->record(), wire::CreditRecord{2, 0});
    turn(e);
    return e;
  };
  auto first = adopting(1), second = adopting(5);
  submit(c, {}, 1, 1, {}, true);
  std::byte goodbye[wire::kHeaderBytes];
  wire::write_header(goodbye, {wire::FrameKind::goodbye, 1, second.id, kSelf, 0, 0});
  deliver(second, goodbye);
  turn(first);
  EXPECT_TRUE(first.runs.empty());
  wire::Writer report;
  wire::encode_report(report, {TaskStatus::ok, "", 1, 2, {}});
  wire::encode(first.link->record(), wire::FinishedRecord{wire::kAdoptedBit | 5, task, report.span()});
  turn(first);
  submit(c, {}, 2, 2);
  read(first);
  EXPECT_EQ(first.runs.size(), 2u);
}

// Found by seed 701031 of the simulation: the failure of an attempt that was given up has the other attempt stopped, and a third one is
// due where the second has not ended yet.
TEST_F(EnginesTest, ARunThatIsStoppedIsNotTakenForTheNextOneOfItsTaskOnTheSameEngine) {
  auto e = engine(1, 4);
  auto c = client(2);
  wire::TaskSpec spec;
  spec.retries = 1;
  spec.max_attempts = 3;
  submit(c, spec, 1);
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  auto late = engine(5, 0);
  wire::Writer report;
  wire::encode_report(report, {TaskStatus::failed, "as asked", 1, 2, {}});
  wire::encode(late.link->record(), wire::FinishedRecord{wire::kAdoptedBit | 5, {wire::SessionId{77}, 1}, report.span()});
  turn(late);
  read(e);
  ASSERT_EQ(e.stopped, std::vector{e.runs[0].handle});
  ASSERT_EQ(e.runs.size(), 2u);
  finish(e, TaskStatus::cancelled);
  read(c);
  EXPECT_TRUE(c.results.empty());
  finish(e);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::ok);
}

TEST_F(EnginesTest, AnEngineThatSomebodySawEndIsGivenUpAtOnceAndItsTasksSayWhy) {
  auto first = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1, 2);
  read(first);
  ASSERT_EQ(first.runs.size(), 2u);
  const auto answer = ask(R"({"what":"lost","engine":"0000000000000001","why":"OOMKilled: its limit is 1Gi"})");
  EXPECT_EQ(answer.at("given_up"), true);
  const auto running = ask(R"({"what":"explain","task":"000000000000004d-1"})");
  ASSERT_EQ(running.at("setbacks").as_array().size(), 1u);
  EXPECT_EQ(running.at("setbacks").at(0).at("engine"), "0000000000000001");
  EXPECT_EQ(running.at("setbacks").at(0).at("why"), "OOMKilled: its limit is 1Gi");
  EXPECT_FALSE(ask(R"({"what":"explain","task":"000000000000004d-2"})").as_object().contains("setbacks")) << "it had not begun";
  auto second = engine(3, 4);
  turn(second);
  finish(second);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(ask(R"({"what":"explain","task":"000000000000004d-1"})").at("setbacks").as_array().size(), 1u) << "the history keeps it";
}

TEST_F(EnginesTest, WhyAnEngineEndedMayBeToldLater) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  alive = {&c};
  pass(seconds(8));
  const auto before = ask(R"({"what":"explain","task":"000000000000004d-1"})");
  EXPECT_FALSE(before.at("setbacks").at(0).as_object().contains("why"));
  EXPECT_EQ(ask(R"({"what":"lost","engine":"0000000000000001","why":"Evicted"})").at("given_up"), false);
  EXPECT_EQ(ask(R"({"what":"explain","task":"000000000000004d-1"})").at("setbacks").at(0).at("why"), "Evicted");
}

TEST_F(EnginesTest, AnEngineThatNeverWasCannotBeGivenUp) {
  for (const auto* id : {"00000000000000aa", "no engine", ""}) {
    EXPECT_TRUE(ask(std::string(R"({"what":"lost","engine":")") + id + R"("})").as_object().contains("error")) << id;
  }
}

TEST(SetbacksTest, TheOldestAreDroppedAndTheReasonsOfTheirEnginesWithThem) {
  Setbacks setbacks;
  const auto task = [](std::uint64_t number) { return wire::TaskId{wire::SessionId{7}, number}; };
  for (std::uint64_t i = 1; i <= Setbacks::kKept + 2; ++i) {
    setbacks.push({task(i % 5 == 0 ? 5 : i), wire::Incarnation{i / 2}, "e", {}});
    EXPECT_TRUE(setbacks.explain(wire::Incarnation{i / 2}, std::to_string(i)));
  }
  EXPECT_TRUE(setbacks.of(task(1)).empty());
  EXPECT_TRUE(setbacks.of(task(2)).empty());
  EXPECT_EQ(setbacks.of(task(3)).size(), 1u);
  EXPECT_EQ(setbacks.of(task(5)).size(), Setbacks::kKept / 5);
  EXPECT_FALSE(setbacks.explain(wire::Incarnation{0}, "gone"));
  EXPECT_EQ(setbacks.why(wire::Incarnation{Setbacks::kKept / 2}), std::to_string(Setbacks::kKept + 1));
}

// Found by the fuzzer.
TEST_F(EnginesTest, ARunThatIsAdoptedTwiceCountsOnce) {
  FarEnd e(wire::Role::engine, 1, 1);
  wire::Hello hello;
  hello.role = wire::Role::engine;
  greet(e, hello);
  for (int i = 0; i < 2; ++i) wire::encode(e.link->record(), wire::AdoptRecord{{wire::SessionId{77}, 1}, wire::kAdoptedBit | 5});
  wire::encode_adopted_all(e.link->record());
  turn(e);
}

// Found by seed 82 of the simulation.
TEST_F(EnginesTest, AnAdoptedTaskIsASuspectWhenItsEngineDiesHoweverManyCameAfterIt) {
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

TEST_F(EnginesTest, AnAtMostOnceTaskIsNotRunAgainHoweverLateItsClientComesBack) {
  auto e = engine(1, 4);
  alive = {&e};
  pass(seconds(60));
  auto c = client(2);
  alive = {&e, &c};
  wire::TaskSpec once;
  once.max_attempts = 1;
  submit(c, once, 1, 1, {}, true);
  pass(seconds(6));
  read(c);
  read(e);
  EXPECT_TRUE(e.runs.empty());
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::outcome_unknown);
}

TEST_F(EnginesTest, AnAtMostOnceTaskThatNobodyReportsEndsAsOutcomeUnknown) {
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

}  // namespace
}  // namespace covey::controller

#include <fmt/format.h>

#include "tests/operator/reconcile/scene_fixture.hpp"

namespace covey::reconcile {
namespace {

using EnginePlanTest = SceneFixture;
using std::chrono::seconds;

TEST_F(EnginePlanTest, MissingEnginesGetTheLowestFreeNames) {
  spec.engine.replicas = 4;
  engine(1, State::idle);
  pod(3).terminating = true;
  const auto made = plan();
  EXPECT_EQ(made.create, (Names{"demo-engine-0", "demo-engine-2", "demo-engine-4"}));
  EXPECT_EQ(made.ready, 1);
}

TEST_F(EnginePlanTest, TheControllerIsToldOnceHowAnEngineEnded) {
  spec.engine.replicas = 2;
  engine(0, State::busy, 1);
  engine(1, State::idle);
  EXPECT_TRUE(plan().losses.empty());
  for (auto& each : pods) each.phase = Pod::Phase::ended;
  pods[0].reason = "OOMKilled";
  pods[0].message = "its memory limit is 1Gi";
  pods[0].exit_code = 137;
  pods[1].reason = "Completed";
  EXPECT_EQ(plan().losses, (std::vector<Loss>{{"id-0", "demo-engine-0", "OOMKilled: its memory limit is 1Gi"}})) << "the other said goodbye";
  EXPECT_TRUE(plan().losses.empty());
}

TEST_F(EnginePlanTest, TheControllerIsToldOfAnEngineWhosePodIsGone) {
  spec.engine.replicas = 1;
  engine(0, State::busy, 1);
  view.engines.push_back({"id-9", "somebody's own", State::idle, 0, 0, 100});
  plan();
  pods.clear();
  EXPECT_EQ(plan().losses, (std::vector<Loss>{{"id-0", "demo-engine-0", "its Pod was deleted; Kubernetes keeps no record of by whom"}})) << "and not of one that never had a Pod";
  EXPECT_TRUE(plan().losses.empty());
}

TEST_F(EnginePlanTest, TheControllerIsToldWhatKubernetesDeletedAPodFor) {
  spec.engine.replicas = 2;
  for (int index : {0, 1}) engine(index, State::busy, 1);
  plan();
  for (auto& each : pods) {
    each.terminating = true;
    each.disruption = "PreemptionByScheduler: default-scheduler: preempting to accommodate a higher priority pod";
  }
  EXPECT_TRUE(plan().losses.empty()) << "they may yet end what they are at";
  pods[0].phase = Pod::Phase::ended;
  pods[0].exit_code = 137;
  pods[1].phase = Pod::Phase::ended;  // in order
  EXPECT_EQ(plan().losses, (std::vector<Loss>{{"id-0", "demo-engine-0", pods[0].disruption + " (exit status 137)"}}));
  view.engines.clear();
  pods.clear();
  EXPECT_TRUE(plan().losses.empty()) << "told once, and nothing of the one that said goodbye";
}

TEST_F(EnginePlanTest, TheControllerIsToldThatTheOperatorDeletedAPodThatWouldNotDrain) {
  spec.engine.replicas = 0;
  engine(0, State::draining, 1).drain_began = now - seconds(spec.drain_timeout_s);
  EXPECT_EQ(removed(plan()), Names{"demo-engine-0"});
  pods.clear();
  const auto losses = plan().losses;
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].why, fmt::format("the operator deleted its Pod, since it had not drained within {} s", spec.drain_timeout_s));
}

TEST_F(EnginePlanTest, AnEndedEngineIsRemovedAndReplacedAtOnce) {
  engine(0, State::idle);
  auto& ended = pods[0];
  ended.phase = Pod::Phase::ended;
  ended.reason = "OOMKilled";
  ended.exit_code = 137;
  ended.message = "exit status 137";
  const auto made = plan();
  EXPECT_EQ(made.remove, (std::vector<Removal>{{"demo-engine-0", "uid-0", Removal::Why::ended, "OOMKilled: exit status 137"}}));
  EXPECT_EQ(made.create, Names{"demo-engine-1"});
}

TEST_F(EnginePlanTest, AnEndThatIsSeenAgainCountsOnceAndIsForgivenInTime) {
  spec.engine.replicas = 1;
  auto& ended = pod(0, Pod::Phase::ended);
  ended.created = now;
  ended.exit_code = 1;
  for (int i = 0; i < 20; ++i) plan();
  EXPECT_EQ(memory.failures, 1) << "its deletion may take a while";
  memory.failures = kFreeFailures + 1;
  pods.clear();
  engine(1, State::idle);
  plan();
  EXPECT_EQ(memory.failures, kFreeFailures + 1);
  now += kSoon + pause_after(memory.failures) + seconds(1);
  plan();
  EXPECT_EQ(memory.failures, 0);
}

TEST_F(EnginePlanTest, ANameThatSomebodyElseHasIsPassedOver) {
  spec.engine.replicas = 1;
  memory.others_pods = {"demo-engine-0"};
  EXPECT_EQ(plan().create, Names{"demo-engine-1"});
}

TEST_F(EnginePlanTest, AnEngineOnALostNodeIsReplaced) {
  pod(0).ready = false;
  const auto made = plan();
  ASSERT_EQ(made.remove.size(), 1U);
  EXPECT_EQ(made.remove[0].why, Removal::Why::lost);
  EXPECT_EQ(made.create, Names{"demo-engine-1"});
  view = {};
  EXPECT_EQ(plan().remove.size(), 0U) << "nobody knows whether it works";
}

TEST_F(EnginePlanTest, EnginesThatEndAgainAndAgainAreMadeEverMoreSlowly) {
  for (int i = 0; i <= kFreeFailures; ++i) {
    pods.clear();
    auto& ended = pod(0, Pod::Phase::ended);
    ended.uid = std::to_string(i);
    ended.created = now - seconds(1);
    ended.exit_code = 1;
    EXPECT_EQ(plan().create.size(), i < kFreeFailures ? 1U : 0U) << i;
  }
  pods.clear();
  now += pause_after(memory.failures);
  EXPECT_EQ(plan().create.size(), 1U);
  EXPECT_EQ(pause_after(1000), seconds(300));
}

TEST_F(EnginePlanTest, ScaleDownTakesThePendingThenTheIdleThenTheLeastBusy) {
  spec.engine.replicas = 3;
  engine(0, State::busy, 5);
  engine(1, State::busy, 1);
  engine(2, State::idle);
  pod(3, Pod::Phase::pending);
  EXPECT_EQ(removed(plan()), Names{"demo-engine-3"});
  EXPECT_EQ(drained(plan()), Names{});
  spec.engine.replicas = 1;
  EXPECT_EQ(removed(plan()), Names{"demo-engine-3"});
  EXPECT_EQ(drained(plan()), (Names{"demo-engine-2", "demo-engine-1"}));
}

TEST_F(EnginePlanTest, ABusyEngineIsNeverRemovedBeforeItHasDrained) {
  spec.engine.replicas = 0;
  engine(0, State::busy, 3);
  EXPECT_EQ(drained(plan()), Names{"demo-engine-0"});
  EXPECT_EQ(removed(plan()), Names{});
  pods[0].drain_began = now;
  view.engines[0].state = State::draining;
  EXPECT_EQ(removed(plan()), Names{});
  EXPECT_EQ(plan().draining, 1);
  view.engines[0].tasks = 0;
  EXPECT_EQ(removed(plan()), Names{"demo-engine-0"});
}

TEST_F(EnginePlanTest, ADrainEndsByItsDeadline) {
  spec.engine.replicas = 0;
  engine(0, State::draining, 3).drain_began = now - seconds(spec.drain_timeout_s - 1);
  EXPECT_EQ(removed(plan()), Names{});
  now += seconds(1);
  ASSERT_EQ(plan().remove.size(), 1U);
  EXPECT_EQ(plan().remove[0].why, Removal::Why::timed_out);
}

TEST_F(EnginePlanTest, ADrainThatTheControllerForgotIsAskedForAgain) {
  spec.engine.replicas = 0;
  engine(0, State::busy, 3).drain_began = now;
  EXPECT_EQ(plan().drain, (std::vector<Drain>{{"demo-engine-0", "uid-0", "id-0", true}}));
}

TEST_F(EnginePlanTest, NobodyGoesWhileTheControllerDoesNotAnswer) {
  spec.engine.replicas = 0;
  engine(0, State::idle);
  pod(1, Pod::Phase::pending);
  view = {};
  const auto made = plan();
  EXPECT_EQ(removed(made), Names{"demo-engine-1"});
  EXPECT_EQ(drained(made), Names{});
  EXPECT_TRUE(made.held);
}

TEST_F(EnginePlanTest, EnginesHaveTimeToComeBackToAControllerThatWasStartedAnew) {
  spec.engine.replicas = 1;
  pod(0);
  pod(1);
  pod(2).drain_began = now - std::chrono::seconds(5);
  pod(3).ready = false;
  view.steady_s = 3;
  auto early = plan();
  EXPECT_EQ(removed(early), Names{}) << "they may be in the midst of their work";
  EXPECT_TRUE(early.held);
  EXPECT_LT(early.again_after, std::chrono::seconds(10));
  view.steady_s = 60;
  EXPECT_EQ(removed(plan()), (Names{"demo-engine-3", "demo-engine-2", "demo-engine-1"}));
}

TEST_F(EnginePlanTest, ADrainingEngineDoesNotCountAsOneThatIsThere) {
  spec.engine.replicas = 1;
  engine(0, State::draining, 1).drain_began = now;
  EXPECT_EQ(plan().create, Names{"demo-engine-1"});
  EXPECT_EQ(plan().replicas, 0);
}

TEST_F(EnginePlanTest, ANewTemplateReachesAFewAtATime) {
  spec.engine.replicas = 8;
  for (int i = 0; i < 8; ++i) engine(i, State::busy, 1, "old");
  EXPECT_EQ(plan().drain.size(), 2U) << "a quarter of eight";
  // Two are missing already: nobody else goes.
  pods[0].drain_began = pods[1].drain_began = now;
  view.engines[0].state = view.engines[1].state = State::draining;
  auto made = plan();
  EXPECT_EQ(made.create.size(), 2U);
  EXPECT_EQ(drained(made), Names{});
  for (int index : {8, 9}) pod(index, Pod::Phase::pending).created = now;
  EXPECT_EQ(drained(plan()), Names{});
  EXPECT_EQ(plan().outdated, 6);
}

TEST_F(EnginePlanTest, APodJustMadeIsNotReplacedAtOnceForItsTemplate) {
  spec.engine.replicas = 1;
  pod(0, Pod::Phase::pending, "old").created = now - std::chrono::seconds(1);
  EXPECT_EQ(removed(plan()), Names{}) << "whoever makes Pods of another template would do so without end";
  EXPECT_EQ(plan().outdated, 1);
  now += std::chrono::seconds(10);
  EXPECT_EQ(removed(plan()), Names{"demo-engine-0"});
}

TEST_F(EnginePlanTest, OtherStrategiesDrainAllOrNone) {
  spec.engine.replicas = 3;
  for (int i = 0; i < 3; ++i) engine(i, State::busy, 1, "old");
  spec.engine.rollout = crd::Rollout::on_delete;
  EXPECT_EQ(drained(plan()), Names{});
  spec.engine.rollout = crd::Rollout::recreate;
  EXPECT_EQ(plan().drain.size(), 3U);
}

TEST_F(EnginePlanTest, ABrokenTemplateStopsARolloutAndIsMended) {
  spec.engine.replicas = 4;
  for (int i = 0; i < 3; ++i) engine(i, State::idle, 0, "old");
  auto& broken = pod(3, Pod::Phase::pending, "new");
  broken.reason = "ErrImagePull";
  auto made = plan();
  EXPECT_EQ(drained(made), Names{});
  ASSERT_TRUE(made.troubled);
  EXPECT_EQ(made.troubled->reason, "ErrImagePull");
  broken.hash = "worse";
  EXPECT_EQ(removed(plan()), Names{"demo-engine-3"}) << "a Pod that does no work goes at once for a newer template";
}

TEST_F(EnginePlanTest, SuspensionDrainsAll) {
  spec.engine.replicas = 2;
  spec.suspend = true;
  engine(0, State::idle);
  engine(1, State::busy, 1);
  EXPECT_EQ(plan().drain.size(), 2U);
  EXPECT_EQ(plan().desired, 0);
}

TEST_F(EnginePlanTest, OfTwoEnginesOfOneNameTheLaterCounts) {
  spec.engine.replicas = 0;
  engine(0, State::idle);
  view.engines.push_back({"id-new", "demo-engine-0", State::idle, 0, 0, 1});
  EXPECT_EQ(plan().drain, (std::vector<Drain>{{"demo-engine-0", "uid-0", "id-new", false}}));
}

TEST_F(EnginePlanTest, InternalAutoscalingGrowsWithTheBacklogAndTakesOnlyTheIdle) {
  spec.engine.replicas = 1;
  spec.autoscaling = {true, 0, 5, 4, 10, 0};
  view.backlog = 200;
  auto made = plan();
  EXPECT_EQ(made.create.size(), 5U);
  EXPECT_TRUE(made.limited);
  view.backlog = 0;
  now += seconds(1);
  engine(0, State::busy, 1);
  engine(1, State::idle, 0, "new", 11);
  engine(2, State::idle, 0, "new", 9);
  EXPECT_EQ(drained(plan()), Names{"demo-engine-1"});
}

TEST(CountOfTest, SharesAreRoundedUpAndAtLeastOne) {
  EXPECT_EQ(crd::count_of("25%", 8), 2);
  EXPECT_EQ(crd::count_of("25%", 9), 3);
  EXPECT_EQ(crd::count_of("25%", 0), 1);
  EXPECT_EQ(crd::count_of("0%", 9), 1);
  EXPECT_EQ(crd::count_of("7", 3), 7);
}

}  // namespace
}  // namespace covey::reconcile

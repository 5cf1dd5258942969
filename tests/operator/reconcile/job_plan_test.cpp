#include "tests/operator/reconcile/job_world.hpp"

namespace covey::reconcile {
namespace {

using Phase = JobRecord::Phase;
using std::chrono::seconds;

// Until the job has ended and there is nothing more to do.
void run_to_the_end(JobWorld& world, int most = 400) {
  for (int i = 0; i < most && !world.gone; ++i) {
    world.pass();
    world.elapse();
  }
}

TEST(JobPlanTest, AJobRunsOnceAndItsPodIsLetGoWhenItsEndIsWrittenDown) {
  JobWorld world;
  world.pass();
  EXPECT_EQ(world.record().attempt, 1);
  EXPECT_EQ(world.record().phase, Phase::pending);
  world.elapse();
  world.pass();
  EXPECT_EQ(world.record().phase, Phase::running);
  EXPECT_EQ(world.said("Running"), "True PodRunning");
  EXPECT_TRUE(world.plan().ask_progress);
  world.elapse();
  EXPECT_TRUE(world.runner(1).held);
  world.pass();
  EXPECT_EQ(world.record().phase, Phase::succeeded);
  EXPECT_EQ(world.said("Complete"), "True Completed");
  EXPECT_EQ(world.message("Complete"), "every step is done; the results are in the log: kubectl logs " + world.pod_name(1));
  EXPECT_FALSE(world.runner(1).held);
  run_to_the_end(world, 20);
  EXPECT_EQ(world.runs, 1);
  EXPECT_EQ(world.pods.size(), 1U) << "it stays for its log";
}

TEST(JobPlanTest, APassOverAJobThatIsAsItShouldBeWritesNothing) {
  JobWorld world;
  for (int i = 0; i < 10; ++i) {
    world.pass();
    world.pass();  // sees what the first one made
    int writes = 0;
    EXPECT_TRUE(world.pass(writes)) << i;
    world.elapse();
  }
}

TEST(JobPlanTest, ItWaitsForItsClusterAndSaysSo) {
  JobWorld world;
  world.cluster = {JobCluster::State::missing, {}, "ClusterMissing", "there is no ParallelCluster demo"};
  run_to_the_end(world, 5);
  EXPECT_EQ(world.record().attempt, 0);
  EXPECT_EQ(world.said("ClusterReady"), "False ClusterMissing");
  EXPECT_EQ(world.message("Running"), "there is no ParallelCluster demo");
  EXPECT_EQ(world.clusters_made, 0) << "a named one is somebody else's to make";
  world.cluster = {JobCluster::State::ready, "c", "Ready", ""};
  run_to_the_end(world, 5);
  EXPECT_EQ(world.record().phase, Phase::succeeded);
}

TEST(JobPlanTest, AClusterOfATemplateIsMadeAndRemoved) {
  JobWorld world(R"({"clusterTemplate": {"engine": {"replicas": 2}}})");
  world.pass();
  EXPECT_EQ(world.clusters_made, 1);
  EXPECT_EQ(world.record().attempt, 0);
  run_to_the_end(world, 10);
  EXPECT_EQ(world.record().phase, Phase::succeeded);
  EXPECT_EQ(world.cluster.state, JobCluster::State::missing);
  EXPECT_EQ(world.clusters_made, 1);
}

TEST(JobPlanTest, AForeignClusterOfTheNameIsNeitherUsedNorRemoved) {
  JobWorld world(R"({"clusterTemplate": {}, "activeDeadlineSeconds": 5})");
  world.cluster = {JobCluster::State::other, {}, "NameTaken", "a ParallelCluster is there and not this job's"};
  run_to_the_end(world, 10);
  EXPECT_EQ(world.said("Failed"), "True DeadlineExceeded");
  EXPECT_EQ(world.cluster.state, JobCluster::State::other);
}

TEST(JobPlanTest, AFailedAttemptIsFollowedByAnotherAfterAPause) {
  JobWorld world;
  world.exits = {1};
  world.pass();
  world.elapse();
  world.elapse();
  world.pass();
  EXPECT_EQ(world.said("Running"), "False AttemptFailed");
  EXPECT_EQ(world.record().failures, 1);
  EXPECT_EQ(world.plan().again_after, pause_after_failures(1));
  world.elapse(pause_after_failures(1) - seconds(1));
  world.pass();
  EXPECT_EQ(world.record().attempt, 1);
  world.elapse();
  world.pass();
  EXPECT_EQ(world.record().attempt, 2);
  run_to_the_end(world, 5);
  EXPECT_EQ(world.record().phase, Phase::succeeded);
  EXPECT_EQ(world.runs, 2);
}

TEST(JobPlanTest, AfterTheLastRetryItHasFailed) {
  JobWorld world(R"({"backoffLimit": 2})");
  world.exits = {1, 4, 3, 0};
  run_to_the_end(world);
  EXPECT_EQ(world.said("Failed"), "True BackoffLimitExceeded");
  EXPECT_EQ(world.message("Failed"), "attempt 3: exit status 3: the deadline of a step passed");
  EXPECT_EQ(world.runs, 3);
}

TEST(JobPlanTest, AJobThatIsWrongIsNotTriedAgain) {
  JobWorld world;
  world.exits = {2};
  world.pass();
  world.elapse();
  world.runner(1).more["containerStatuses"] =
      json::array{{{"name", "covey"}, {"state", {{"terminated", {{"exitCode", 2}, {"reason", "Error"}, {"message", "job.yaml:2:1: unknown key 'stepz'\n"}}}}}}};
  run_to_the_end(world, 10);
  EXPECT_EQ(world.said("Failed"), "True JobRefused");
  EXPECT_EQ(world.message("Failed"), "attempt 1: exit status 2: the job, an input or an output cannot be used: job.yaml:2:1: unknown key 'stepz'");
  EXPECT_EQ(world.runs, 1);
}

TEST(JobPlanTest, TheBriefOfTheRunnerIsTold) {
  JobWorld world(R"({"backoffLimit": 0})");
  world.exits = {1};
  world.pass();
  world.elapse();
  const auto brief = R"({"end":"failed","steps":2,"number":1,"first_error":"input 3 failed: no","step":"sums","total":10,"ok":3,"failed":1})";
  world.elapse();
  world.runner(1).more["containerStatuses"] =
      json::array{{{"name", "covey"}, {"state", {{"terminated", {{"exitCode", 1}, {"reason", "Error"}, {"message", brief}}}}}}};
  world.pass();
  EXPECT_EQ(world.message("Failed"), "attempt 1: exit status 1: tasks failed; 1 of 10 tasks of step sums failed: input 3 failed: no");
  EXPECT_EQ(world.record().progress, (JobProgress{"sums", 1, 2, 10, 4, 1}));
}

TEST(JobPlanTest, ADeletedPodIsReplacedWhenItHasEndedAndDoesNotCount) {
  JobWorld world(R"({"backoffLimit": 0})");
  world.pass();
  world.elapse();
  world.pass();
  world.remove(world.pod_name(1));
  world.pass();
  EXPECT_EQ(world.said("Running"), "False Terminating");
  EXPECT_EQ(world.pods.size(), 1U) << "its runner may still write";
  run_to_the_end(world, 10);
  EXPECT_EQ(world.record().phase, Phase::succeeded);
  EXPECT_EQ(world.record().failures, 0);
  EXPECT_EQ(world.record().attempt, 2);
}

TEST(JobPlanTest, AnEvictedPodDoesNotCount) {
  JobWorld world(R"({"backoffLimit": 0})");
  world.exits = {137};
  world.pass();
  world.elapse();
  world.elapse();
  world.runner(1).more["reason"] = "Evicted";
  world.pass();
  EXPECT_EQ(world.said("Running"), "False Disrupted");
  run_to_the_end(world, 10);
  EXPECT_EQ(world.record().phase, Phase::succeeded);
}

TEST(JobPlanTest, APodThatSucceededWhileItWasBeingDeletedHasSucceeded) {
  JobWorld world;
  world.pass();
  world.elapse();
  auto& runner = world.runner(1);
  world.end(runner, 0);
  runner.terminating = true;
  run_to_the_end(world, 10);
  EXPECT_EQ(world.record().phase, Phase::succeeded);
  EXPECT_EQ(world.runs, 1);
}

TEST(JobPlanTest, APodThatWasSeenAndHasVanishedIsNotMadeAgainUnderItsName) {
  JobWorld world;
  world.pass();
  world.elapse();
  world.pass();
  world.pods.clear();  // with its finalizer, by force
  world.pass();
  EXPECT_EQ(world.said("Running"), "False PodLost");
  run_to_the_end(world, 10);
  EXPECT_EQ(world.record().attempt, 2);
  EXPECT_EQ(world.record().phase, Phase::succeeded);
}

TEST(JobPlanTest, TheDeadlineEndsItWhereverItIs) {
  JobWorld world(R"({"activeDeadlineSeconds": 10, "clusterTemplate": {}})");
  world.pass();
  EXPECT_EQ(world.plan().again_after, seconds(10));
  world.elapse();
  world.pass();
  world.elapse();
  world.pass();
  EXPECT_EQ(world.record().phase, Phase::running);
  world.now += seconds(8);
  world.pass();
  EXPECT_EQ(world.said("Failed"), "True DeadlineExceeded");
  EXPECT_TRUE(world.runner(1).terminating);
  EXPECT_TRUE(world.runner(1).held);
  EXPECT_EQ(world.cluster.state, JobCluster::State::ready) << "the runner has yet to say goodbye";
  run_to_the_end(world, 4);
  EXPECT_TRUE(world.pods.empty());
  EXPECT_EQ(world.cluster.state, JobCluster::State::missing);
  EXPECT_EQ(world.record().attempt, 1);
}

TEST(JobPlanTest, ARunnerThatCannotEndKeepsItsClusterForAWhileOnly) {
  JobWorld world(R"({"activeDeadlineSeconds": 10, "clusterTemplate": {}})");
  world.pass();
  world.elapse();
  world.pass();
  world.elapse();
  world.now += seconds(10);
  world.pass();
  EXPECT_EQ(world.said("Failed"), "True DeadlineExceeded");
  world.now += seconds(39);
  world.pass();
  EXPECT_EQ(world.cluster.state, JobCluster::State::ready);
  EXPECT_EQ(world.plan().again_after, seconds(1));
  world.now += seconds(1);
  world.pass();
  EXPECT_EQ(world.cluster.state, JobCluster::State::missing);
}

TEST(JobPlanTest, WhatSucceededInTimeHasSucceededThoughTheOperatorLooksLater) {
  JobWorld world(R"({"activeDeadlineSeconds": 10})");
  world.pass();
  world.elapse();
  world.elapse();
  world.now += seconds(100);
  world.pass();
  EXPECT_EQ(world.said("Complete"), "True Completed");
}

TEST(JobPlanTest, AfterItsTimeToLiveItIsDeleted) {
  JobWorld world(R"({"ttlSecondsAfterFinished": 30})");
  world.pass();
  world.elapse();
  world.elapse();
  world.pass();
  EXPECT_EQ(world.plan().again_after, seconds(30));
  world.now += seconds(29);
  world.pass();
  EXPECT_FALSE(world.gone);
  world.now += seconds(1);
  world.pass();
  EXPECT_TRUE(world.gone);
}

TEST(JobPlanTest, WhatTheApiServerRefusesIsSaidAndTriedAgainLater) {
  JobWorld world;
  int writes = 1;  // the status, and not the Pod
  world.pass(writes);
  world.refused = Trouble{"QuotaExceeded", "exceeded quota"};
  const auto plan = world.plan();
  EXPECT_EQ(plan.running.reason, "QuotaExceeded");
  EXPECT_TRUE(plan.make_pod);
  EXPECT_EQ(plan.again_after, seconds(30));
}

TEST(JobPlanTest, ASpecThatIsWrongIsAFailure) {
  JobWorld world;
  world.object.as_object()["spec"].as_object()["files"] = {{"job.yaml", "x"}};
  world.pass();
  EXPECT_EQ(world.said("Failed"), "True InvalidSpec");
  EXPECT_EQ(world.pods.size(), 0U);
}

TEST(JobPlanTest, ProgressIsTakenFromTheRunnerThatRuns) {
  JobWorld world;
  world.pass();
  world.progress = JobProgress{"sums", 1, 1, 100, 7, 0};
  world.elapse();
  world.pass();
  EXPECT_EQ(world.record().progress, world.progress);
  EXPECT_EQ(kube::integer_at(world.object, "status.progress.done"), 7);
}

// ---- the operator dies ----

struct Story {
  std::string name;
  const char* spec;
  std::vector<int> exits;
  Phase end;
  int runs;
};

class JobRestartTest : public ::testing::TestWithParam<Story> {};

// Dies after each number of writes in turn, and another goes on at once, or a while later.
TEST_P(JobRestartTest, AnOperatorThatDiesAfterAnyOfItsWritesChangesNothing) {
  const auto& story = GetParam();
  for (int later = 0; later < 4; ++later) {
    for (int dies_after = 0; dies_after < 40; ++dies_after) {
      JobWorld world(story.spec);
      world.exits = story.exits;
      int writes = dies_after;
      for (int i = 0; i < 60 && !world.gone; ++i) {
        if (!world.pass(writes)) {
          for (int away = 0; away < later; ++away) world.elapse();
          writes = 1'000'000;
          continue;
        }
        world.elapse();
      }
      EXPECT_EQ(world.record().phase, story.end) << dies_after << " " << later;
      EXPECT_EQ(world.runs, story.runs) << dies_after << " " << later;
      EXPECT_LE(world.successes, 1);
      for (const auto& [name, pod] : world.pods) EXPECT_FALSE(pod.held) << name;
      EXPECT_TRUE(!world.made || world.cluster.state == JobCluster::State::missing);
    }
  }
}

// The worst of all: one that can write but once, again and again.
TEST_P(JobRestartTest, OperatorsThatEachWriteButOnceComeToTheSameEnd) {
  const auto& story = GetParam();
  JobWorld world(story.spec);
  world.exits = story.exits;
  for (int i = 0; i < 300 && !world.gone; ++i) {
    int writes = 1;
    if (world.pass(writes) || i % 3 == 0) world.elapse();
  }
  EXPECT_EQ(world.record().phase, story.end);
  EXPECT_EQ(world.runs, story.runs);
}

INSTANTIATE_TEST_SUITE_P(
    Stories, JobRestartTest,
    ::testing::Values(Story{"EndsWell", "{}", {}, Phase::succeeded, 1}, Story{"OnAClusterOfItsOwn", R"({"clusterTemplate": {}})", {}, Phase::succeeded, 1},
                      Story{"FailsTwice", "{}", {1, 4}, Phase::succeeded, 3},
                      Story{"FailsTooOften", R"({"backoffLimit": 1, "clusterTemplate": {}})", {1, 1}, Phase::failed, 2},
                      Story{"IsWrongInItself", "{}", {2}, Phase::failed, 1}, Story{"IsInterruptedTwice", "{}", {130, 130}, Phase::succeeded, 3},
                      Story{"IsDeletedAfterwards", R"({"ttlSecondsAfterFinished": 3})", {}, Phase::succeeded, 1}),
    [](const auto& story) { return story.param.name; });

}  // namespace
}  // namespace covey::reconcile

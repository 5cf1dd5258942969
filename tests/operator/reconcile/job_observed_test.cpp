#include "operator/reconcile/job_observed.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "operator/resources/job_pod.hpp"

namespace covey::reconcile {
namespace {

namespace json = boost::json;

json::value pod_with(const char* status) { return {{"metadata", {{"name", "p"}, {"uid", "u"}}}, {"status", json::parse(status)}}; }

crd::ParallelJob job_with(json::value spec) {
  spec.as_object()["job"] = "j";
  return crd::parse_parallel_job({{"metadata", {{"namespace", "ns"}, {"name", "sums"}, {"uid", "u"}}}, {"spec", spec}});
}

TEST(JobPodReadingTest, TheRunnersEndCountsAndNotThatOfWhatRunsBesideIt) {
  const auto pod = read_job_pod(pod_with(R"({"phase": "Running", "podIP": "10.0.0.7", "containerStatuses": [
      {"name": "beside", "state": {"running": {}}},
      {"name": "covey", "state": {"terminated": {"exitCode": 3, "reason": "Error", "message": "words"}}}]})"));
  EXPECT_TRUE(pod.ended);
  EXPECT_FALSE(pod.disrupted);
  EXPECT_EQ(pod.exit_status, 3);
  EXPECT_EQ(pod.last_words, "words");
  EXPECT_EQ(pod.ip, "10.0.0.7");
  EXPECT_FALSE(pod.held);
}

TEST(JobPodReadingTest, ARunnerThatEndedForOthersReasonsIsToldApart) {
  const char* disrupted[] = {
      R"({"phase": "Failed", "reason": "Evicted", "message": "low on memory"})",
      R"({"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}],
          "containerStatuses": [{"name": "covey", "state": {"terminated": {"exitCode": 143}}}]})",
      R"({"phase": "Failed", "containerStatuses": [{"name": "covey", "state": {"terminated": {"exitCode": 130}}}]})",
  };
  for (const auto* status : disrupted) EXPECT_TRUE(read_job_pod(pod_with(status)).disrupted) << status;
  const char* its_own[] = {
      R"({"phase": "Failed", "containerStatuses": [{"name": "covey", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]})",
      R"({"phase": "Failed", "containerStatuses": [{"name": "covey", "state": {"terminated": {"exitCode": 1}}}]})",
      R"({"phase": "Succeeded", "conditions": [{"type": "DisruptionTarget", "status": "True"}],
          "containerStatuses": [{"name": "covey", "state": {"terminated": {"exitCode": 0}}}]})",
  };
  for (const auto* status : its_own) EXPECT_FALSE(read_job_pod(pod_with(status)).disrupted) << status;
}

TEST(JobClusterReadingTest, ItIsReadyWhenItSaysSoOfItsPresentSpec) {
  const auto job = job_with(json::object{{"clusterRef", {{"name", "demo"}}}});
  json::value cluster = json::parse(R"({"metadata": {"name": "demo", "uid": "c", "generation": 2},
      "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": "m", "observedGeneration": 1}]}})");
  EXPECT_EQ(read_job_cluster(&cluster, job).state, JobCluster::State::starting) << "the spec has changed since";
  cluster.at("metadata").as_object()["generation"] = 1;
  EXPECT_EQ(read_job_cluster(&cluster, job).state, JobCluster::State::ready);
  cluster.at("metadata").as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  EXPECT_EQ(read_job_cluster(&cluster, job).reason, "ClusterDeleted");
  EXPECT_EQ(read_job_cluster(nullptr, job).state, JobCluster::State::missing);
}

TEST(JobClusterReadingTest, OneThatIsToBeMadeHasToBeTheJobs) {
  const auto job = job_with(json::object{{"clusterTemplate", json::object()}});
  json::value cluster = json::parse(R"({"metadata": {"name": "x", "uid": "c"}})");
  EXPECT_EQ(read_job_cluster(&cluster, job).state, JobCluster::State::other);
  cluster.at("metadata").as_object()["ownerReferences"] = json::array{json::object{{"uid", "u"}}};
  EXPECT_EQ(read_job_cluster(&cluster, job).state, JobCluster::State::starting);
}

TEST(ProgressReadingTest, BeforeTheFirstStepThereIsNone) {
  EXPECT_FALSE(read_progress(json::object()));
  EXPECT_EQ(read_progress(json::parse(R"({"step": "a", "number": 1, "steps": 2, "total": 9, "ok": 3, "failed": 1})")), (JobProgress{"a", 1, 2, 9, 4, 1}));
}

}  // namespace
}  // namespace covey::reconcile

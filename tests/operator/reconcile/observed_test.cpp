#include "operator/reconcile/observed.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace covey::reconcile {
namespace {

Pod pod_with(const char* status) { return read_pod({{"metadata", {{"name", "p"}, {"uid", "u"}}}, {"status", boost::json::parse(status)}}); }

TEST(ReadPodTest, WhyAPodDoesNotStartIsToldApart) {
  const auto pulling = pod_with(R"({"phase": "Pending", "containerStatuses": [{"image": "no/such:1", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}}]})");
  EXPECT_EQ(pulling.reason, "ImagePullBackOff");
  EXPECT_EQ(pulling.message, "Back-off (image no/such:1)");
  const auto homeless = pod_with(R"({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]})");
  EXPECT_EQ(homeless.reason, "Unschedulable");
  const auto usual = pod_with(R"({"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]})");
  EXPECT_EQ(usual.reason, "");
}

TEST(ReadPodTest, HowAPodEndedIsToldApart) {
  const auto killed = pod_with(R"({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]})");
  EXPECT_EQ(killed.reason, "OOMKilled");
  EXPECT_EQ(killed.exit_code, 137);
  EXPECT_EQ(killed.message, "exit status 137");
  const auto limited = read_pod(boost::json::parse(R"({"metadata": {"name": "p"}, "spec": {"containers": [{"resources": {"limits": {"memory": "1Gi"}}}]},
      "status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]}})"));
  EXPECT_EQ(limited.message, "its memory limit is 1Gi");
  EXPECT_EQ(pod_with(R"({"phase": "Failed", "reason": "Evicted", "message": "low on memory"})").reason, "Evicted");
  const auto preempted = pod_with(R"({"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "m"}]})");
  EXPECT_EQ(preempted.reason, "PreemptionByScheduler");
  EXPECT_EQ(preempted.disruption, "PreemptionByScheduler: m");
  const auto going = pod_with(R"({"phase": "Running", "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "m"}]})");
  EXPECT_EQ(going.disruption, "EvictionByEvictionAPI: m");
  EXPECT_EQ(going.reason, "");
}

TEST(ReadEnginesTest, PagesAddUp) {
  std::vector<Engine> engines;
  EXPECT_EQ(read_engines(boost::json::parse(R"({"engines": [{"id": "1", "name": "a", "state": "busy", "tasks": 3}], "next": "1"})"), engines), "1");
  EXPECT_FALSE(read_engines(boost::json::parse(R"({"engines": [{"id": "2", "name": "b", "state": "idle", "idle_s": 1.5}]})"), engines));
  ASSERT_EQ(engines.size(), 2U);
  EXPECT_EQ(engines[0].tasks, 3);
  EXPECT_EQ(engines[1].idle_s, 1.5);
}

}  // namespace
}  // namespace covey::reconcile

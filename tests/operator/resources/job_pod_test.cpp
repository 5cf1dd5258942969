#include "operator/resources/job_pod.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"

namespace covey::resources {
namespace {

namespace json = boost::json;
using kube::text_at;

crd::ParallelJob job_with(const char* more, const char* uid = "the-uid") {
  auto spec = json::parse(more).as_object();
  spec["job"] = "name: x\n";
  if (!spec.contains("clusterTemplate")) spec["clusterRef"] = {{"name", "demo"}};
  auto job = crd::parse_parallel_job({{"metadata", {{"namespace", "ns"}, {"name", "sums"}, {"uid", uid}}}, {"spec", spec}});
  EXPECT_EQ(crd::to_string(job.errors), "");
  return job;
}

const json::value& runner(const json::value& pod) { return kube::array_at(pod, "spec.containers").at(0); }

std::vector<std::string> arguments(const json::value& pod) {
  std::vector<std::string> all;
  for (const auto& each : kube::array_at(runner(pod), "args")) all.emplace_back(each.as_string());
  return all;
}

bool has(const std::vector<std::string>& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

TEST(JobPodTest, NamesFollowFromTheResourceAndTheAttempt) {
  const auto one = job_with("{}"), other = job_with("{}", "another-uid");
  EXPECT_EQ(job_pod_name(one, 2), job_pod_name(job_with(R"({"backoffLimit": 9})"), 2));
  EXPECT_NE(job_pod_name(one, 1), job_pod_name(one, 2));
  EXPECT_NE(job_stem(one), job_stem(other));
  EXPECT_EQ(job_cluster(one), "demo");
  auto longest = job_with(R"({"clusterTemplate": {}})");
  longest.name = std::string(crd::kMaxJobName, 'a');
  EXPECT_LE(job_cluster(longest).size(), crd::kMaxName);
}

TEST(JobPodTest, EverythingGoesWithTheJobAndIsFoundByItsLabels) {
  const auto job = job_with(R"({"clusterTemplate": {"engine": {"replicas": 3}}})");
  for (const json::value& object : {job_files(job), job_cluster_object(job), job_pod(job, {1, false, "i"})}) {
    EXPECT_EQ(text_at(kube::array_at(object, "metadata.ownerReferences").at(0), "uid"), "the-uid");
    EXPECT_EQ(text_at(kube::array_at(object, "metadata.ownerReferences").at(0), "kind"), "ParallelJob");
    EXPECT_EQ(kube::member_text(kube::object_at(object, "metadata.labels"), kJobLabel), "sums");
  }
  EXPECT_EQ(kube::integer_at(job_cluster_object(job), "spec.engine.replicas"), 3);
}

TEST(JobPodTest, ItIsWhatARestrictedNamespaceAdmits) {
  const auto pod = job_pod(job_with("{}"), {1, false, "covey:own"});
  EXPECT_EQ(text_at(pod, "spec.restartPolicy"), "Never");
  EXPECT_TRUE(kube::true_at(pod, "spec.securityContext.runAsNonRoot"));
  EXPECT_TRUE(kube::true_at(runner(pod), "securityContext.readOnlyRootFilesystem"));
  EXPECT_EQ(text_at(runner(pod), "image"), "covey:own");
  EXPECT_EQ(text_at(kube::array_at(pod, "spec.volumes").at(0), "secret.secretName"), "demo-client");
}

TEST(JobPodTest, ItStaysUntilItsEndIsWrittenDown) {
  const auto pod = job_pod(job_with(R"({"runner": {"podTemplate": {"metadata": {"finalizers": []}}}})"), {1, false, "i"});
  EXPECT_EQ(kube::array_at(pod, "metadata.finalizers"), json::array{std::string(kJobFinalizer)});
}

TEST(JobPodTest, ResultsGoToTheLogOrOntoAClaim) {
  EXPECT_TRUE(has(arguments(job_pod(job_with("{}"), {1, false, "i"})), "--print-outputs"));
  const auto pod = job_pod(job_with(R"({"results": {"persistentVolumeClaim": {"claimName": "disk"}}})"), {1, false, "i"});
  EXPECT_FALSE(has(arguments(pod), "--print-outputs"));
  EXPECT_TRUE(has(arguments(pod), "/results/sums"));
  EXPECT_EQ(text_at(kube::array_at(pod, "spec.volumes").at(2), "persistentVolumeClaim.claimName"), "disk");
}

TEST(JobPodTest, WhatFailedIsRunAgainOnlyAfterAnAttemptThatFailed) {
  EXPECT_FALSE(has(arguments(job_pod(job_with("{}"), {2, false, "i"})), "--retry-failed"));
  EXPECT_TRUE(has(arguments(job_pod(job_with("{}"), {2, true, "i"})), "--retry-failed"));
}

TEST(JobPodTest, SettingsReachTheRunnerAsTheyAre) {
  const auto all = arguments(job_pod(job_with(R"({"set": ["n=5", "text=$(HOME) $${x}"]})"), {1, false, "i"}));
  EXPECT_TRUE(has(all, "n=5"));
  EXPECT_TRUE(has(all, "text=$$(HOME) $$$${x}")) << "Kubernetes takes $$ for a $, and replaces $(HOME)";
}

TEST(JobPodTest, TheTemplateOfTheUserGoesOverItButNotOverWhatTheOperatorFindsItBy) {
  const auto pod = job_pod(job_with(R"({"runner": {"image": "mine", "podTemplate": {
      "metadata": {"name": "other", "labels": {"team": "a", "covey.dev/job": "b"}, "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}},
      "spec": {"restartPolicy": "Always", "nodeSelector": {"disk": "fast"}, "containers": [{"name": "covey", "env": [{"name": "A", "value": "1"}]}]}}}})"),
                           {1, false, "i"});
  const auto& labels = kube::object_at(pod, "metadata.labels");
  EXPECT_EQ(kube::member_text(labels, "team"), "a");
  EXPECT_EQ(kube::member_text(labels, kJobLabel), "sums");
  EXPECT_EQ(kube::name_of(pod), job_pod_name(job_with("{}"), 1));
  EXPECT_EQ(kube::member_text(kube::object_at(pod, "metadata.annotations"), "cluster-autoscaler.kubernetes.io/safe-to-evict"), "true");
  EXPECT_EQ(text_at(pod, "spec.restartPolicy"), "Never");
  EXPECT_EQ(text_at(pod, "spec.nodeSelector.disk"), "fast");
  EXPECT_EQ(kube::array_at(runner(pod), "env").size(), 2U);
}

TEST(JobFilesTest, TheyAreTheJobAndWhatItReads) {
  const auto files = job_files(job_with(R"({"files": {"in.csv": "a,b\n1,2\n"}})"));
  EXPECT_EQ(kube::member_text(kube::object_at(files, "data"), "job.yaml"), "name: x\n");
  EXPECT_EQ(kube::member_text(kube::object_at(files, "data"), "in.csv"), "a,b\n1,2\n");
}

}  // namespace
}  // namespace covey::resources

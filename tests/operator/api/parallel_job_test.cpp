#include "operator/api/parallel_job.hpp"

#include <filesystem>

#include "tests/operator/api/schema_reading.hpp"

namespace covey::crd {
namespace {

ParallelJob parsed(const char* spec, const char* name = "sums") {
  return parse_parallel_job({{"metadata", {{"namespace", "ns"}, {"name", name}, {"uid", "u"}, {"generation", 3}}}, {"spec", json::parse(spec)}});
}

YAML::Node version() { return YAML::LoadFile(COVEY_JOB_CRD)["spec"]["versions"][0]; }
YAML::Node schema() { return version()["schema"]["openAPIV3Schema"]["properties"]; }

TEST(ParallelJobTest, AMinimalOneHasDefaults) {
  const auto job = parsed(R"({"job": "name: x", "clusterRef": {"name": "demo"}})");
  EXPECT_EQ(to_string(job.errors), "");
  EXPECT_EQ(job.spec.cluster, "demo");
  EXPECT_FALSE(job.spec.cluster_template);
  EXPECT_FALSE(job.spec.claim);
  EXPECT_FALSE(job.spec.deadline_s);
  EXPECT_FALSE(job.spec.ttl_s);
  EXPECT_EQ(job.spec.backoff_limit, 2);
}

TEST(ParallelJobTest, ResultsGoIntoAFolderOfTheJobsName) {
  const auto job = parsed(R"({"job": "j", "clusterTemplate": {}, "results": {"persistentVolumeClaim": {"claimName": "disk"}}, "ttlSecondsAfterFinished": 0})");
  EXPECT_EQ(to_string(job.errors), "");
  EXPECT_EQ(job.spec.claim, (ResultsClaim{"disk", "sums"}));
  EXPECT_TRUE(job.spec.cluster_template);
  EXPECT_EQ(job.spec.ttl_s, 0);
}

TEST(ParallelJobTest, EachErrorNamesItsFieldAndWhatWouldBeRight) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"clusterRef": {"name": "demo"}})", "spec.job: it is missing; a job file in YAML is wanted, such as docs/jobs.md describes"},
      {R"({"job": "j"})", "spec.clusterRef: it is missing; it or clusterTemplate is wanted"},
      {R"({"job": "j", "clusterRef": {"name": "a"}, "clusterTemplate": {}})", "spec.clusterRef: clusterTemplate is given too; only one of the two is wanted"},
      {R"({"job": "j", "clusterRef": {}})", "spec.clusterRef.name: it is missing; the name of a ParallelCluster is wanted"},
      {R"({"job": "j", "clusterTemplate": {"engine": {"replicas": -1}}})", "spec.clusterTemplate.engine.replicas: -1 is given; 0 to 100000 is wanted"},
      {R"({"job": "j", "clusterTemplate": {}, "backofLimit": 1})", "spec.backofLimit: there is no such field; see kubectl explain paralleljob.spec"},
      {R"({"job": "j", "clusterTemplate": {}, "activeDeadlineSeconds": 0})", "spec.activeDeadlineSeconds: 0 is given; 1 to 31536000 is wanted"},
      {R"({"job": "j", "clusterTemplate": {}, "files": {"job.yaml": ""}})",
       "spec.files: \"job.yaml\" is given; a name of letters, digits and ._- other than job.yaml is wanted"},
      {R"({"job": "j", "clusterTemplate": {}, "files": {"../x": ""}})",
       "spec.files: \"../x\" is given; a name of letters, digits and ._- other than job.yaml is wanted"},
      {R"({"job": "j", "clusterTemplate": {}, "files": {"x": 1}})", "spec.files: x is no text; one is wanted, in quotation marks or after a |"},
      {R"({"job": "j", "clusterTemplate": {}, "results": {"persistentVolumeClaim": {"claimName": "c", "folder": "a/b"}}})",
       "spec.results.persistentVolumeClaim.folder: \"a/b\" is given; one name of letters, digits and ._-, such as run-1, is wanted"},
  };
  for (const auto& [spec, expected] : cases) EXPECT_EQ(to_string(parsed(spec).errors), expected);
}

TEST(ParallelJobTest, ANameOfWhichNoClusterCanBeMadeIsRefused) {
  const char* spec = R"({"job": "j", "clusterTemplate": {}})";
  EXPECT_EQ(parsed(spec, std::string(kMaxJobName, 'a').c_str()).errors.size(), 0U);
  EXPECT_EQ(parsed(spec, std::string(kMaxJobName + 1, 'a').c_str()).errors.size(), 1U);
}

TEST(ParallelJobSchemaTest, ParserAndSchemaKnowTheSameFieldsWithTheSameLimits) {
  Reading reading;
  parse_job_spec(nullptr, reading);
  std::map<std::string, std::string> published;
  collect(schema()["spec"], "spec", published);
  EXPECT_EQ(published, reading.asked);
}

TEST(ParallelJobSchemaTest, ParserAndSchemaHaveTheSameDefaults) {
  Reading reading;
  const auto filled_in = defaults(schema()["spec"]);
  EXPECT_EQ(parse_job_spec(&filled_in, reading), parse_job_spec(nullptr, reading)) << json::serialize(filled_in);
}

TEST(ParallelJobSchemaTest, ATemplateIsWhatAParallelClusterTakes) {
  const auto cluster = YAML::LoadFile(COVEY_CRD)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
  const auto made = schema()["spec"]["properties"]["clusterTemplate"];
  for (const auto* part : {"properties", "x-kubernetes-validations"}) EXPECT_EQ(YAML::Dump(made[part]), YAML::Dump(cluster[part]));
}

TEST(ParallelJobSchemaTest, EveryFieldIsDescribed) {
  expect_descriptions(schema()["spec"], "spec");
  expect_descriptions(schema()["status"], "status");
  EXPECT_TRUE(version()["subresources"]["status"]);
}

}  // namespace
}  // namespace covey::crd

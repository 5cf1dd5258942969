#include "operator/api/parallel_cluster.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace covey::crd {
namespace {

namespace json = boost::json;

ParallelCluster parsed(const char* spec, const char* name = "demo") {
  return parse_parallel_cluster({{"metadata", {{"namespace", "ns"}, {"name", name}, {"uid", "u"}, {"generation", 3}}}, {"spec", json::parse(spec)}});
}

TEST(ParallelClusterTest, AMinimalOneHasDefaults) {
  const auto cluster = parsed(R"({"engine": {"replicas": 4, "image": "covey:dev"}})");
  EXPECT_EQ(to_string(cluster.errors), "");
  EXPECT_EQ(cluster.spec.engine.replicas, 4);
  EXPECT_EQ(cluster.spec.engine.slots, 1);
  EXPECT_EQ(cluster.spec.engine.pod.image, "covey:dev");
  EXPECT_EQ(cluster.generation, 3);
  EXPECT_FALSE(cluster.spec.nats.external);
}

TEST(ParallelClusterTest, EachErrorNamesItsFieldAndWhatWouldBeRight) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"engine": {"replicas": -1}})", "spec.engine.replicas: -1 is given; 0 to 100000 is wanted"},
      {R"({"engine": {"replica": 1}})", "spec.engine.replica: there is no such field; see kubectl explain parallelcluster.spec.engine"},
      {R"({"engine": 4})", "spec.engine: 4 is given; an object is wanted"},
      {R"({"engine": {"args": [1]}})", "spec.engine.args: [1] is given; a list of texts is wanted"},
      {R"({"engine": {"rollout": {"maxUnavailable": "101%"}}})",
       "spec.engine.rollout.maxUnavailable: \"101%\" is given; a number from 1, or a share such as \"25%\", is wanted"},
      {R"({"controller": {"scheduler": {"policy": "fifo"}}})",
       "spec.controller.scheduler.policy: \"fifo\" is given; one of leastload, lru, weighted, twobin, plainrandom is wanted"},
      {R"({"nats": {"managed": {}, "external": {"url": "nats://n:4222"}}})", "spec.nats.external: managed is given too; only one of the two is wanted"},
      {R"({"nats": {"external": {"url": "n:4222"}}})", "spec.nats.external.url: \"n:4222\" is given; an address such as nats://nats.messaging:4222 is wanted"},
      {R"({"autoscaling": {"minReplicas": 5, "maxReplicas": 2}})", "spec.autoscaling.minReplicas: 5 is more than maxReplicas, 2"},
      {R"({"suspend": "yes"})", "spec.suspend: \"yes\" is given; true or false is wanted"},
  };
  for (const auto& [spec, expected] : cases) EXPECT_EQ(to_string(parsed(spec).errors), expected);
}

TEST(ParallelClusterTest, ANameOfWhichNoServiceCanBeMadeIsRefused) {
  EXPECT_EQ(parsed("{}", std::string(kMaxName, 'a').c_str()).errors.size(), 0U);
  EXPECT_EQ(parsed("{}", std::string(kMaxName + 1, 'a').c_str()).errors.size(), 1U);
  EXPECT_EQ(parsed("{}", "a.b").errors.size(), 1U);
  EXPECT_EQ(parsed("{}", "4you").errors.size(), 1U);
}

}  // namespace
}  // namespace covey::crd

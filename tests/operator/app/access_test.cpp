#include "operator/app/access.hpp"

#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "tests/operator/kube/client_fixture.hpp"

namespace covey::operating {
namespace {

namespace json = boost::json;
using kube::fake::json_answer;
using kube::fake::status_body;

const std::string kSecrets = "/api/v1/namespaces/ns/secrets";
std::string path(const std::string& name) { return kSecrets + "/" + name; }

class AccessTest : public kube::ClientFixture {
 protected:
  void there_is(const std::string& name, const json::value& secret) { api.script("GET", path(name), json_answer(200, json::serialize(secret))); }
  void there_is_no(const std::string& name) { api.script("GET", path(name), json_answer(404, status_body(404, "NotFound"))); }
  void parts_are_applied() {
    for (const auto* name : {"demo-controller", "demo-engine", "demo-client"}) api.script("PATCH", path(name), json_answer(200, "{}"));
  }
  // What was sent to make or change a Secret by PATCH.
  std::vector<std::string> patched() const {
    std::vector<std::string> paths;
    for (const auto& seen : api.seen()) {
      if (seen.method == "PATCH") paths.push_back(seen.target.substr(0, seen.target.find('?')));
    }
    return paths;
  }

  crd::ParallelCluster cluster = crd::parse_parallel_cluster(
      {{"metadata", {{"name", "demo"}, {"namespace", "ns"}, {"uid", "u-1"}, {"generation", 1}}}, {"spec", {{"engine", {{"replicas", 1}}}}}});
  resources::Access others{{"controller", "c-1"}, {"engine", "e-1"}, {"client", "k-1"}, "covey_t-1"};
};

TEST_F(AccessTest, SecretsThatSomebodyElseMadeMeanwhileAreTakenAndNotWrittenOver) {
  for (const auto* name : {"demo-nats", "demo-api"}) {
    there_is_no(name);
    api.script("POST", kSecrets, json_answer(409, status_body(409, "AlreadyExists")));
  }
  there_is("demo-nats", resources::nats_secret(cluster, others));
  there_is("demo-api", resources::api_secret(cluster, others));
  parts_are_applied();
  const auto result = run(ensure_access(&client(), &cluster));
  ASSERT_TRUE(result) << kube::to_string(result.error());
  EXPECT_EQ(result->access.engine, others.engine);
  EXPECT_EQ(result->access.api_token, others.api_token);
  EXPECT_EQ(patched(), (std::vector<std::string>{path("demo-controller"), path("demo-engine"), path("demo-client")}));
}

TEST_F(AccessTest, PasswordsThatAreThereAreKept) {
  there_is("demo-nats", resources::nats_secret(cluster, others));
  there_is("demo-api", resources::api_secret(cluster, others));
  parts_are_applied();
  const auto result = run(ensure_access(&client(), &cluster));
  ASSERT_TRUE(result) << kube::to_string(result.error());
  EXPECT_EQ(result->access.controller, others.controller);
  EXPECT_EQ(patched().size(), 3U);
}

TEST_F(AccessTest, ASecretOfAnotherClusterIsLeftAlone) {
  auto foreign = cluster;
  foreign.uid = "u-0";
  there_is("demo-nats", resources::nats_secret(foreign, others));
  const auto result = run(ensure_access(&client(), &cluster));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("demo-nats"), std::string::npos) << result.error().message;
}

TEST_F(AccessTest, AMissingSecretOfAnExternalServerIsNamed) {
  cluster.spec.nats.external = crd::ExternalNats{"nats://n:4222", "not-there"};
  there_is_no("not-there");
  const auto result = run(ensure_access(&client(), &cluster));
  ASSERT_TRUE(result && result->trouble);
  EXPECT_NE(result->trouble->message.find("not-there"), std::string::npos);
}

}  // namespace
}  // namespace covey::operating

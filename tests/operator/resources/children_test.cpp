#include "operator/resources/children.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "operator/kube/json.hpp"
#include "operator/resources/names.hpp"

namespace covey::resources {
namespace {

namespace json = boost::json;
using kube::find_at;
using kube::text_at;

const Access kAccess{{"controller", "c-secret"}, {"engine", "e-secret"}, {"client", "k-secret"}, "a-token"};

crd::ParallelCluster cluster_with(const char* spec) {
  auto cluster = crd::parse_parallel_cluster(
      {{"metadata", {{"namespace", "ns"}, {"name", "demo"}, {"uid", "the-uid"}}}, {"spec", json::parse(spec)}});
  EXPECT_EQ(crd::to_string(cluster.errors), "");
  return cluster;
}

std::set<std::string> names(const crd::ParallelCluster& cluster) {
  std::set<std::string> all;
  for (const auto& child : children_of({cluster, kAccess, "covey:own"})) {
    all.insert(std::string(child.type->kind) + "/" + std::string(kube::name_of(child.object)));
  }
  return all;
}

const json::value& container(const json::value& pod) { return kube::array_at(pod, "spec.containers").at(0); }

TEST(ChildrenTest, AManagedClusterHasAllItsParts) {
  EXPECT_EQ(names(cluster_with("{}")),
            (std::set<std::string>{"ServiceAccount/demo-nats", "ServiceAccount/demo-controller", "ServiceAccount/demo-engine", "Service/demo-nats",
                                   "Service/demo-controller", "StatefulSet/demo-nats", "Deployment/demo-controller", "NetworkPolicy/demo-nats",
                                   "NetworkPolicy/demo-controller", "NetworkPolicy/demo-engine", "PodDisruptionBudget/demo-engine"}));
}

TEST(ChildrenTest, OneOnAnExternalServerHasNoServerAndAnIngressWhenAsked) {
  const auto all = names(cluster_with(R"({"nats": {"external": {"url": "nats://n:4222"}}, "networkPolicy": {"enabled": false},
                                          "controller": {"ingress": {"host": "covey.example"}}})"));
  EXPECT_EQ(all, (std::set<std::string>{"ServiceAccount/demo-controller", "ServiceAccount/demo-engine", "Service/demo-controller",
                                        "Deployment/demo-controller", "PodDisruptionBudget/demo-engine", "Ingress/demo-controller"}));
}

TEST(ChildrenTest, TheBudgetOfDisruptionsCountsTheEnginesThatThereAre) {
  const auto budget = [](const char* spec, int engines) {
    const auto cluster = cluster_with(spec);
    for (auto& child : children_of({cluster, kAccess, "i", engines})) {
      if (child.type->kind == "PodDisruptionBudget") return *find_at(child.object, "spec");
    }
    return json::value();
  };
  EXPECT_EQ(text_at(budget(R"({"engine": {"replicas": 8}})", 0), "maxUnavailable"), "25%");
  const auto* internal = R"({"engine": {"replicas": 0}, "autoscaling": {"mode": "Internal"}})";
  EXPECT_EQ(kube::integer_at(budget(internal, 8), "minAvailable"), 6) << "of spec.engine.replicas, Kubernetes would let none of them go";
  EXPECT_EQ(find_at(budget(internal, 8), "maxUnavailable"), nullptr);
  EXPECT_EQ(kube::integer_at(budget(internal, 1), "minAvailable"), 0);
  EXPECT_EQ(kube::integer_at(budget(internal, 0), "minAvailable"), 0);
}

TEST(ChildrenTest, EverythingGoesWithTheClusterAndIsFoundByItsLabels) {
  const auto cluster = cluster_with("{}");
  std::vector<json::value> all{nats_secret(cluster, kAccess), api_secret(cluster, kAccess), engine_pod({cluster, kAccess, "i"}, "demo-engine-0")};
  for (auto& secret : connect_secrets(cluster, kAccess)) all.push_back(secret);
  for (auto& child : children_of({cluster, kAccess, "i"})) all.push_back(child.object);
  for (const auto& object : all) {
    const auto& owner = kube::array_at(object, "metadata.ownerReferences").at(0);
    EXPECT_EQ(text_at(owner, "uid"), "the-uid") << object;
    EXPECT_EQ(text_at(owner, "kind"), "ParallelCluster");
    const auto& labels = kube::object_at(object, "metadata.labels");
    EXPECT_EQ(kube::member_text(labels, "covey.dev/cluster"), "demo") << object;
    EXPECT_EQ(kube::member_text(labels, "app.kubernetes.io/name"), "covey");
    EXPECT_EQ(kube::member_text(labels, "app.kubernetes.io/instance"), "demo");
    EXPECT_NE(kube::member_text(labels, "app.kubernetes.io/component"), "");
  }
}

TEST(EnginePodTest, ItIsWhatARestrictedNamespaceAdmits) {
  const json::value pod = engine_pod({cluster_with("{}"), kAccess, "covey:own"}, "demo-engine-7");
  EXPECT_EQ(text_at(pod, "metadata.name"), "demo-engine-7");
  EXPECT_EQ(text_at(pod, "spec.restartPolicy"), "Never");
  EXPECT_TRUE(kube::true_at(pod, "spec.securityContext.runAsNonRoot"));
  EXPECT_FALSE(find_at(pod, "spec.automountServiceAccountToken")->as_bool());
  EXPECT_TRUE(kube::true_at(container(pod), "securityContext.readOnlyRootFilesystem"));
  EXPECT_EQ(text_at(container(pod), "image"), "covey:own");
  EXPECT_EQ(kube::integer_at(pod, "spec.terminationGracePeriodSeconds"), 310);
}

TEST(EnginePodTest, TheTemplateOfTheUserGoesOverItButNotOverItsLabels) {
  const json::value pod = engine_pod({cluster_with(R"({"engine": {"image": "mine:1", "podTemplate": {
      "metadata": {"labels": {"team": "a", "covey.dev/cluster": "other"}, "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
      "spec": {"nodeSelector": {"disk": "fast"}, "containers": [{"name": "covey", "env": [{"name": "X", "value": "1"}]}]}}}})"),
                                     kAccess, "covey:own"}, "demo-engine-0");
  const auto& labels = kube::object_at(pod, "metadata.labels");
  EXPECT_EQ(kube::member_text(labels, "team"), "a");
  EXPECT_EQ(kube::member_text(labels, "covey.dev/cluster"), "demo");
  EXPECT_EQ(kube::member_text(kube::object_at(pod, "metadata.annotations"), "cluster-autoscaler.kubernetes.io/safe-to-evict"), "false");
  EXPECT_EQ(text_at(pod, "spec.nodeSelector.disk"), "fast");
  EXPECT_EQ(text_at(container(pod), "image"), "mine:1");
  EXPECT_EQ(kube::array_at(container(pod), "env").size(), 2U);
}

TEST(EnginePodTest, TheHashTellsTemplatesApartAndNotNames) {
  const auto one = cluster_with("{}"), more = cluster_with(R"({"engine": {"replicas": 9}})"), other = cluster_with(R"({"engine": {"slots": 2}})");
  EXPECT_EQ(engine_hash({one, kAccess, "i"}), engine_hash({more, kAccess, "i"}));
  EXPECT_NE(engine_hash({one, kAccess, "i"}), engine_hash({other, kAccess, "i"}));
  EXPECT_NE(engine_hash({one, kAccess, "i"}), engine_hash({one, kAccess, "j"}));
  const json::value pod = engine_pod({one, kAccess, "i"}, "demo-engine-0");
  EXPECT_EQ(kube::member_text(kube::object_at(pod, "metadata.labels"), kHashLabel), engine_hash({one, kAccess, "i"}));
}

TEST(SecretsTest, PasswordsComeBackOutOfTheServersSecretAndEachFileHoldsOneRolesAlone) {
  const auto cluster = cluster_with("{}");
  const auto secret = nats_secret(cluster, kAccess);
  const auto read = read_nats_secret(secret);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->engine, kAccess.engine);
  EXPECT_EQ(read->client, kAccess.client);
  const auto configuration = secret_text(secret, "nats.conf").value();
  EXPECT_NE(configuration.find(R"(user: "engine", password: "e-secret")"), std::string::npos) << configuration;
  EXPECT_NE(configuration.find("covey.demo.controller.engine.*"), std::string::npos) << configuration;
  for (const auto& each : connect_secrets(cluster, kAccess)) {
    const auto text = secret_text(each, "engine.json");
    if (!text) continue;
    EXPECT_NE(text->find("e-secret"), std::string::npos);
    EXPECT_EQ(text->find("c-secret"), std::string::npos);
    EXPECT_NE(text->find("nats://demo-nats.ns:4222"), std::string::npos) << *text;
  }
}

TEST(NamesTest, OnASharedServerNamespacesDoNotMeet) {
  auto cluster = cluster_with(R"({"nats": {"external": {"url": "nats://n:4222"}}})");
  const auto here = wire_name(cluster);
  cluster.ns = "other";
  EXPECT_NE(wire_name(cluster), here);
  EXPECT_LE(std::string(crd::kMaxName, 'a').size() + 17, 63U);
}

TEST(NamesTest, AnEnginesIndexIsInItsName) {
  EXPECT_EQ(engine_index("demo", engine_name("demo", 12)), 12);
  EXPECT_EQ(engine_index("demo", "demo-engine-x"), -1);
  EXPECT_EQ(engine_index("demo", "demo-controller-5"), -1);
}

}  // namespace
}  // namespace covey::resources

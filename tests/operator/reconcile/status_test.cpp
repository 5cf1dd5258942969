#include "operator/reconcile/status.hpp"

#include "operator/kube/json.hpp"
#include "tests/operator/reconcile/scene_fixture.hpp"

namespace covey::reconcile {
namespace {

namespace json = boost::json;

class StatusTest : public SceneFixture {
 protected:
  json::object status(const json::value* before = nullptr) {
    const auto made = plan();
    cluster.spec = spec;
    return status_of({cluster, view, made, nats_ready, controller_ready, {}, {}, access, failure, false}, before, now);
  }
  static std::string said(const json::value& of, std::string_view type) {
    for (const auto& each : kube::array_at(of, "conditions")) {
      if (kube::text_at(each, "type") == type) return std::string(kube::text_at(each, "status")) + " " + std::string(kube::text_at(each, "reason"));
    }
    return "none";
  }
  crd::ParallelCluster cluster{"ns", "demo", "u", 7, {}, {}};
  bool nats_ready = true, controller_ready = true;
  std::optional<Trouble> access, failure;
};

TEST_F(StatusTest, ItIsReadyWhenAllPartsAre) {
  engine(0, State::busy, 1);
  const json::value made = status();
  EXPECT_EQ(said(made, "Ready"), "True Ready");
  EXPECT_EQ(kube::integer_at(made, "replicas"), 1);
  EXPECT_EQ(kube::integer_at(made, "engines.ready"), 1);
  EXPECT_EQ(kube::integer_at(made, "engines.busy"), 1);
  EXPECT_EQ(kube::integer_at(made, "observedGeneration"), 7);
  EXPECT_EQ(kube::text_at(made, "selector"), "covey.dev/cluster=demo,app.kubernetes.io/component=engine");
}

TEST_F(StatusTest, ZeroOfZeroIsReadyOnlyWhereZeroWasAskedFor) {
  EXPECT_EQ(said(status(), "Ready"), "False Starting");
  spec.engine.replicas = 0;
  EXPECT_EQ(said(status(), "Ready"), "True Ready");
  EXPECT_EQ(said(status(), "EnginesAvailable"), "True NoneWanted");
}

TEST_F(StatusTest, WhatIsMissingIsTheReason) {
  engine(0, State::idle);
  access = Trouble{"SecretMissing", "there is no Secret not-there"};
  EXPECT_EQ(said(status(), "Ready"), "False SecretMissing");
  access.reset();
  nats_ready = false;
  EXPECT_EQ(said(status(), "BrokerReachable"), "False Starting");
  failure = Trouble{"QuotaExceeded", "exceeded quota"};
  EXPECT_EQ(said(status(), "ReplicaFailure"), "True QuotaExceeded");
}

TEST_F(StatusTest, TimesMoveOnlyWithTheStatus) {
  engine(0, State::idle);
  const json::value first = status();
  now += std::chrono::hours(1);
  const auto second = status(&first);
  EXPECT_TRUE(same_status(&first, second)) << json::serialize(first) << json::serialize(second);
  spec.engine.replicas = 2;
  const auto third = status(&first);
  EXPECT_FALSE(same_status(&first, third));
  EXPECT_EQ(kube::text_at(kube::array_at(third, "conditions")[0], "lastTransitionTime"), kube::to_rfc3339(now));
}

TEST_F(StatusTest, AWrongSpecIsNamed) {
  cluster.errors = {{"spec.engine.replicas", "-1 is given"}};
  const json::value made = status_of_errors(cluster, nullptr, now);
  EXPECT_EQ(said(made, "Ready"), "False InvalidSpec");
}

TEST_F(StatusTest, SuspendedIsSaidWhenTheLastEngineHasGone) {
  spec.suspend = true;
  engine(0, State::draining, 1).drain_began = now;
  EXPECT_EQ(said(status(), "Suspended"), "False Draining");
  pods.clear();
  EXPECT_EQ(said(status(), "Suspended"), "True Suspended");
  EXPECT_EQ(said(status(), "Ready"), "False Suspended");
}

}  // namespace
}  // namespace covey::reconcile

#include "operator/app/job_pass.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/resources/job_pod.hpp"
#include "tests/operator/kube/client_fixture.hpp"

namespace covey::operating {
namespace {

namespace json = boost::json;
using kube::fake::json_answer;
using kube::fake::status_body;

class JobPassTest : public kube::ClientFixture {
 protected:
  JobPassTest() {
    put("parallelclusters", json::parse(R"({"metadata": {"name": "demo", "namespace": "ns", "uid": "c", "generation": 1},
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": "m", "observedGeneration": 1}]}})"));
  }

  void put(std::string_view plural, json::value object) {
    for (const auto& each : store.collections()) {
      if (each.type->plural != plural) continue;
      each.watch->next({});
      each.watch->on_page({{std::move(object)}, "10", ""});
      store.take_changes(each);
    }
  }
  json::value job(json::object status = {}) const {
    return {{"apiVersion", "covey.dev/v1alpha1"},
            {"kind", "ParallelJob"},
            {"metadata", {{"name", "sums"}, {"namespace", "ns"}, {"uid", "the-uid"}, {"generation", 1}}},
            {"spec", {{"job", "name: x"}, {"clusterRef", {{"name", "demo"}}}}},
            {"status", std::move(status)}};
  }
  std::string pod_name(int attempt) const { return resources::job_pod_name(crd::parse_parallel_job(job()), attempt); }
  json::value pod(json::object state) const {
    return {{"metadata",
             {{"name", pod_name(1)},
              {"namespace", "ns"},
              {"uid", "pod-uid"},
              {"resourceVersion", "7"},
              {"finalizers", json::array{"other/one", std::string(resources::kJobFinalizer)}},
              {"ownerReferences", json::array{json::object{{"uid", "the-uid"}}}}}},
            {"status", {{"phase", "Failed"}, {"containerStatuses", json::array{json::object{{"name", "covey"}, {"state", std::move(state)}}}}}}};
  }
  void script(const std::string& method, const std::string& path, unsigned status, const json::value& body) { api.script(method, path, json_answer(status, json::serialize(body))); }
  void refuse(const std::string& method, const std::string& path, unsigned status, const std::string& reason) {
    api.script(method, path, json_answer(status, status_body(status, reason)));
  }
  PassResult pass(std::set<std::string> held = {}) {
    if (!reconciler) reconciler.emplace(io.get_executor(), client(), store, Reconciler::Options{"covey:own", "me"});
    return run(reconciler->pass("ns/sums", std::move(held)));
  }
  // What was written, in order: method and the last part of the path.
  std::vector<std::string> writes() const {
    std::vector<std::string> all;
    for (const auto& each : api.seen()) {
      const auto path = each.target.substr(0, each.target.find('?'));
      if (each.method != "GET") all.push_back(each.method + " " + path.substr(path.rfind('/') + 1));
    }
    return all;
  }
  using Writes = std::vector<std::string>;

  std::string job_path = "/apis/covey.dev/v1alpha1/namespaces/ns/paralleljobs/sums", status_path = job_path + "/status", pods_path = "/api/v1/namespaces/ns/pods",
              files_path = "/api/v1/namespaces/ns/configmaps", events_path = "/apis/events.k8s.io/v1/namespaces/ns/events";
  Store store{[](const std::string&) {}};
  std::optional<JobReconciler> reconciler;
};

TEST_F(JobPassTest, AnAttemptIsWrittenDownBeforeItsPodIsMade) {
  script("GET", job_path, 200, job());
  script("PATCH", status_path, 200, job());
  script("POST", events_path, 201, json::object());
  script("POST", files_path, 201, json::object());
  script("POST", pods_path, 201, json::object());
  EXPECT_FALSE(pass().error);
  EXPECT_EQ(writes(), (Writes{"PATCH status", "POST events", "POST configmaps", "POST pods"}));
  const auto status = json::parse(api.seen()[1].body);
  EXPECT_EQ(kube::integer_at(status, "status.attempt"), 1);
  EXPECT_EQ(kube::text_at(status, "metadata.uid"), "the-uid");
  EXPECT_EQ(kube::text_at(json::parse(api.seen().back().body), "metadata.name"), pod_name(1));
}

TEST_F(JobPassTest, WhereTheAttemptCannotBeWrittenDownNoPodIsMade) {
  script("GET", job_path, 200, job());
  refuse("PATCH", status_path, 409, "Conflict");
  EXPECT_TRUE(pass().error);
  EXPECT_EQ(writes(), Writes{"PATCH status"});
}

TEST_F(JobPassTest, APodThatWasWrittenDownIsMadeUnlessItIsThere) {
  script("GET", job_path, 200, job({{"phase", "Pending"}, {"attempt", 1}}));
  refuse("GET", pods_path + "/" + pod_name(1), 404, "NotFound");
  script("PATCH", status_path, 200, job());
  refuse("POST", files_path, 409, "AlreadyExists");
  refuse("POST", pods_path, 409, "AlreadyExists");
  EXPECT_FALSE(pass().error) << "somebody before us has made it";
  EXPECT_EQ(writes(), (Writes{"PATCH status", "POST configmaps", "POST pods"}));
}

TEST_F(JobPassTest, WhereThePodCannotBeLookedAtNothingIsDone) {
  script("GET", job_path, 200, job({{"phase", "Pending"}, {"attempt", 1}}));
  refuse("GET", pods_path + "/" + pod_name(1), 500, "InternalError");
  EXPECT_TRUE(pass().error);
  EXPECT_EQ(writes(), Writes{});
}

TEST_F(JobPassTest, AnEndIsWrittenDownBeforeThePodIsLetGoAndOnlyItsOwnFinalizerIsTaken) {
  const auto path = pods_path + "/" + pod_name(1);
  const auto ended = pod({{"terminated", {{"exitCode", 0}}}});
  script("GET", job_path, 200, job({{"phase", "Running"}, {"attempt", 1}, {"podUID", "pod-uid"}}));
  script("GET", path, 200, ended);
  script("PATCH", status_path, 200, job());
  script("POST", events_path, 201, json::object());
  script("GET", path, 200, ended);
  refuse("PUT", path, 409, "Conflict");  // the kubelet was quicker
  script("GET", path, 200, ended);
  script("PUT", path, 200, ended);
  EXPECT_FALSE(pass().error);
  EXPECT_EQ(writes(), (Writes{"PATCH status", "POST events", "PUT " + pod_name(1), "PUT " + pod_name(1)}));
  EXPECT_EQ(kube::array_at(json::parse(api.seen().back().body), "metadata.finalizers"), json::array{"other/one"});
}

TEST_F(JobPassTest, WhatTheApiServerRefusesForLongIsToldAndNotTriedInAHurry) {
  script("GET", job_path, 200, job({{"phase", "Pending"}, {"attempt", 1}}));
  refuse("GET", pods_path + "/" + pod_name(1), 404, "NotFound");
  script("PATCH", status_path, 200, job());
  script("POST", files_path, 201, json::object());
  api.script("POST", pods_path, json_answer(403, status_body(403, "Forbidden", "exceeded quota: few, requested: pods=1")));
  EXPECT_FALSE(pass().error);
  script("GET", job_path, 200, job({{"phase", "Pending"}, {"attempt", 1}}));
  refuse("GET", pods_path + "/" + pod_name(1), 404, "NotFound");
  script("PATCH", status_path, 200, job());
  EXPECT_EQ(pass().again_after, std::chrono::seconds(30));
  EXPECT_EQ(writes().back(), "PATCH status");
  const auto status = json::serialize(json::parse(api.seen().back().body));
  EXPECT_NE(status.find("QuotaExceeded"), std::string::npos) << status;
}

TEST_F(JobPassTest, ThePodsOfAJobThatHasGoneAreLetGo) {
  const auto path = pods_path + "/" + pod_name(1);
  auto orphan = pod({{"running", json::object()}});
  put("pods", orphan);
  refuse("GET", job_path, 404, "NotFound");
  script("GET", path, 200, orphan);
  script("PUT", path, 200, orphan);
  EXPECT_FALSE(pass({"ns/" + pod_name(1)}).error);
  EXPECT_EQ(writes(), Writes{"PUT " + pod_name(1)});
}

TEST_F(JobPassTest, NothingIsMadeForAJobThatIsBeingDeleted) {
  auto going = job();
  going.at("metadata").as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  script("GET", job_path, 200, going);
  EXPECT_FALSE(pass().error);
  EXPECT_EQ(writes(), Writes{});
}

}  // namespace
}  // namespace covey::operating

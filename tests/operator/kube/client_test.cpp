#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "tests/operator/kube/client_fixture.hpp"

namespace covey::kube {
namespace {

namespace json = boost::json;
using fake::Answer;
using fake::json_answer;
using fake::status_body;

class ClientTest : public ClientFixture {};

TEST_F(ClientTest, RequestsShareAConnection) {
  for (int i = 0; i < 3; ++i) {
    api.script("GET", kPodAPath, json_answer(200, R"({"metadata":{"name":"a","managedFields":[1]}})"));
    const auto pod = run(client().get(kPodA));
    ASSERT_TRUE(pod.has_value()) << to_string(pod.error());
    EXPECT_EQ(json::serialize(*pod), R"({"metadata":{"name":"a"}})");
  }
  EXPECT_EQ(api.seen().back().connection, 1U);
}

TEST_F(ClientTest, AConnectionThatTheServerHadClosedCostsNothingForReads) {
  api.script("GET", kPodAPath, {json_answer(200, "{}").pieces, Answer::End::close});
  api.script("GET", kPodAPath, json_answer(200, "{}"));
  EXPECT_TRUE(run(client().get(kPodA)).has_value());
  EXPECT_TRUE(run(client().get(kPodA)).has_value());
  EXPECT_EQ(api.seen().back().connection, 2U);
}

TEST_F(ClientTest, ACreationWithoutAnAnswerMayHaveHappenedAndIsNotRepeated) {
  api.script("POST", kPodsPath, {{}, Answer::End::close});
  const auto made = run(client().create(kAllPods, json::object{{"metadata", {{"name", "a"}}}}));
  ASSERT_TRUE(made.has_error());
  EXPECT_TRUE(made.error().transient());
  EXPECT_TRUE(made.error().may_have_happened);
  EXPECT_EQ(api.seen().size(), 1U);
}

TEST_F(ClientTest, AnAnswerThatDoesNotComeEndsAtTheTimeout) {
  options.timeout = std::chrono::milliseconds(150);
  api.script("GET", kPodAPath, {{}, Answer::End::hang});
  const auto pod = run(client().get(kPodA));
  ASSERT_TRUE(pod.has_error());
  EXPECT_EQ(pod.error().code, Errc::transient);
}

TEST_F(ClientTest, RetryAfterReachesTheCaller) {
  api.script("GET", kPodAPath, json_answer(429, status_body(429, "TooManyRequests"), "Retry-After: 4\r\n"));
  const auto pod = run(client().get(kPodA));
  ASSERT_TRUE(pod.has_error());
  EXPECT_EQ(pod.error().code, Errc::throttled);
  EXPECT_EQ(pod.error().retry_after, std::chrono::seconds(4));
}

TEST_F(ClientTest, ApplySendsTheWholeIntentByForceUnderOneManager) {
  api.script("PATCH", kPodAPath, json_answer(200, "{}"));
  ASSERT_TRUE(run(client().apply(json::object{{"kind", "Pod"}}, kPodA)).has_value());
  EXPECT_EQ(api.seen()[0].target, kPodAPath + "?fieldManager=covey-operator&force=true");
  EXPECT_EQ(api.seen()[0].content_type, "application/apply-patch+yaml");
  EXPECT_EQ(api.seen()[0].body, R"({"kind":"Pod"})");
}

TEST_F(ClientTest, StatusAndScaleGoToTheirSubresources) {
  const Place demo{types::kParallelClusters, "ns", "demo"};
  const std::string path = "/apis/covey.dev/v1alpha1/namespaces/ns/parallelclusters/demo";
  api.script("PATCH", path + "/status", json_answer(200, "{}"));
  api.script("PATCH", path + "/scale", json_answer(200, R"({"spec":{"replicas":7}})"));
  ASSERT_TRUE(run(client().apply_status(demo, json::object{{"replicas", 3}})).has_value());
  ASSERT_TRUE(run(client().patch_scale(demo, 7)).has_value());
  EXPECT_EQ(api.seen()[0].body,
            R"({"apiVersion":"covey.dev/v1alpha1","kind":"ParallelCluster","metadata":{"name":"demo","namespace":"ns"},"status":{"replicas":3}})");
  EXPECT_EQ(api.seen()[1].content_type, "application/merge-patch+json");
  EXPECT_EQ(api.seen()[1].body, R"({"spec":{"replicas":7}})");
}

TEST_F(ClientTest, ADeletionNamesTheVeryObject) {
  api.script("DELETE", kPodAPath, json_answer(200, "{}"));
  api.script("DELETE", kPodAPath, json_answer(404, status_body(404, "NotFound")));
  api.script("DELETE", kPodAPath, json_answer(409, status_body(409, "Conflict", "the UID in the precondition does not match")));
  DeleteOptions how;
  how.only_if = {"uid-1", "77"};
  how.propagation = Propagation::foreground;
  how.grace_seconds = 5;
  EXPECT_EQ(run(client().remove(kPodA, how)).value(), true);
  EXPECT_EQ(run(client().remove(kPodA, how)).value(), false) << "was gone already";
  EXPECT_EQ(run(client().remove(kPodA, how)).error().code, Errc::conflict);
  EXPECT_EQ(api.seen()[0].body,
            R"({"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground","preconditions":{"uid":"uid-1","resourceVersion":"77"},"gracePeriodSeconds":5})");
}

TEST_F(ClientTest, AListIsReadPageByPage) {
  api.script("GET", kPodsPath, json_answer(200, R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"a b"},"items":[{"metadata":{"name":"a"}}]})"));
  api.script("GET", kPodsPath, json_answer(200, R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"b"}}]})"));
  const auto all = run(client().list(kAllPods, {"app=x", ""}));
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->items.size(), 2U);
  EXPECT_EQ(api.seen()[0].target, kPodsPath + "?limit=500&labelSelector=app%3Dx") << "no resourceVersion: a list that is up to date";
  EXPECT_EQ(api.seen()[1].target, kPodsPath + "?limit=500&continue=a%20b&labelSelector=app%3Dx");
}

TEST_F(ClientTest, AnExpiredContinueTokenBeginsTheListAgain) {
  const auto first = R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"t"},"items":[{"metadata":{"name":"a"}}]})";
  api.script("GET", kPodsPath, json_answer(200, first));
  api.script("GET", kPodsPath, json_answer(410, status_body(410, "Expired")));
  api.script("GET", kPodsPath, json_answer(200, R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"12"},"items":[]})"));
  const auto all = run(client().list(kAllPods, {}));
  ASSERT_TRUE(all.has_value());
  EXPECT_TRUE(all->items.empty());
  EXPECT_EQ(all->version, "12");
}

TEST_F(ClientTest, AnEventIsShortEnoughForKubernetes) {
  api.script("POST", "/apis/events.k8s.io/v1/namespaces/ns/events", json_answer(201, "{}"));
  const json::value about{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "a"}, {"namespace", "ns"}, {"uid", "u"}}}};
  std::string umlauts;
  for (int i = 0; i < 2000; ++i) umlauts += "ä";
  EventNote event{EventNote::Kind::warning, "Refused", "Scale", umlauts, "op-1"};
  ASSERT_TRUE(run(client().note(about, event)).has_value());
  const auto body = parse_json(api.seen()[0].body).value();
  EXPECT_EQ(text_at(body, "note").size(), 1024U);
  EXPECT_EQ(text_at(body, "regarding.uid"), "u");
  EXPECT_EQ(text_at(body, "type"), "Warning");
}

TEST_F(ClientTest, AnAnswerThatIsNotJsonIsAnError) {
  api.script("GET", kPodAPath, json_answer(200, "<html>a proxy</html>"));
  EXPECT_EQ(run(client().get(kPodA)).error().code, Errc::protocol);
}

TEST_F(ClientTest, WritesAreNotSentOnceTheFenceIsNear) {
  auto fence = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  options.write_fence = [&fence] { return fence; };
  const auto refused = run(client().apply(json::object{}, kPodA));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, Errc::not_leading);
  EXPECT_TRUE(api.seen().empty());
  api.script("GET", kPodAPath, json_answer(200, "{}"));
  EXPECT_TRUE(run(client().get(kPodA)).has_value()) << "who does not lead may still read";
  fence = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  api.script("PATCH", kPodAPath, json_answer(200, "{}"));
  EXPECT_TRUE(run(client().apply(json::object{}, kPodA)).has_value());
}

TEST_F(ClientTest, NoWriteWaitsForItsAnswerBeyondTheFence) {
  const auto fence = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  options.timeout = std::chrono::seconds(60);
  options.write_fence = [fence] { return fence; };
  api.script("PATCH", kPodAPath, {{}, Answer::End::hang});
  const auto answer = run(client().apply(json::object{}, kPodA));
  ASSERT_TRUE(answer.has_error());
  EXPECT_TRUE(answer.error().may_have_happened);
  EXPECT_GE(std::chrono::steady_clock::now(), fence);
}

TEST_F(ClientTest, NobodyListeningIsTransient) {
  config.host = "127.0.0.2";  // the fake listens at 127.0.0.1
  const auto pod = run(client().get(kPodA));
  ASSERT_TRUE(pod.has_error());
  EXPECT_EQ(pod.error().code, Errc::transient);
  EXPECT_NE(pod.error().message.find("127.0.0.2"), std::string::npos) << pod.error().message;
}

}  // namespace
}  // namespace covey::kube

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/json.hpp>

#include "tests/operator/kube/client_fixture.hpp"

namespace covey::kube {
namespace {

using fake::Answer;
using fake::json_answer;
using fake::status_body;
using fake::watch_answer;

std::string list_of(const std::string& version, const std::vector<std::string>& names) {
  std::string items;
  for (const auto& name : names) items += (items.empty() ? "" : ",") + (R"({"metadata":{"name":")" + name + R"(","namespace":"ns","uid":"u-)" + name + R"(","resourceVersion":"1"}})");
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":")" + version + R"("},"items":[)" + items + "]}";
}

std::string event(const std::string& type, const std::string& name, const std::string& version, const std::string& padding = "") {
  return R"({"type":")" + type + R"(","object":{"kind":"Pod","metadata":{"name":")" + name + R"(","namespace":"ns","uid":"u-)" + name + R"(","resourceVersion":")" + version +
         R"("},"padding":")" + padding + "\"}}\n";
}

std::string error_event(unsigned code, const std::string& reason) { return R"({"type":"ERROR","object":)" + status_body(code, reason) + "}\n"; }

class FollowTest : public ClientFixture {
 protected:
  void begin() {
    boost::asio::co_spawn(io, client().follow(kAllPods, {"app=x", ""}, pods, [this] { ++calls; }),
                          boost::asio::bind_cancellation_slot(stop.slot(), [this](const std::exception_ptr&) { ended = true; }));
  }
  void TearDown() override {
    stop.emit(boost::asio::cancellation_type::terminal);
    EXPECT_TRUE(support::run_until(io, [this] { return ended; })) << "following can be cancelled whatever it waits for";
  }
  std::string names() const {
    std::string text;
    for (const auto& [key, object] : pods->objects()) text += std::string(name_of(object)) + " ";
    return text;
  }
  bool await_names(const std::string& wanted) {
    const bool came = support::run_until(io, [&] { return pods->synced() && names() == wanted; });
    EXPECT_TRUE(came) << "have " << names() << ", want " << wanted;
    return came;
  }
  // The target of the n-th request, from 0, once it has come.
  std::string target(std::size_t n) {
    EXPECT_TRUE(support::run_until(io, [&] { return api.seen().size() > n; }));
    return n < api.seen().size() ? api.seen()[n].target : std::string();
  }
  bool asks_from(std::size_t n, const std::string& version) { return target(n).find("resourceVersion=" + version + "&") != std::string::npos; }

  std::shared_ptr<ListWatch> pods = std::make_shared<ListWatch>();
  boost::asio::cancellation_signal stop;
  int calls = 0;
  bool ended = false;
};

TEST_F(FollowTest, EventsNeedNotBeginWhereChunksDo) {
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {"a"})));
  const auto body = event("ADDED", "b", "11") + event("DELETED", "a", "12") + event("ADDED", "c", "13");
  api.script("GET", kPodsPath, watch_answer({body.substr(0, 7), body.substr(7, 200), body.substr(207)}, false, Answer::End::hang));
  begin();
  await_names("b c ");
  EXPECT_EQ(target(0), kPodsPath + "?limit=500&labelSelector=app%3Dx");
  EXPECT_EQ(target(1).find(kPodsPath + "?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds="), 0U) << target(1);
  EXPECT_GE(calls, 2);
}

TEST_F(FollowTest, AnEmptyCollectionIsToldOnceItIsKnown) {
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {})));
  api.script("GET", kPodsPath, watch_answer({}, false, Answer::End::hang));
  begin();
  EXPECT_TRUE(support::run_until(io, [this] { return calls == 1; }));
  EXPECT_TRUE(pods->synced());
}

TEST_F(FollowTest, AWatchThatEndsGoesOnFromTheLastVersionOnAnotherConnection) {
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {})));
  api.script("GET", kPodsPath, watch_answer({event("ADDED", "a", "11"), event("BOOKMARK", "", "400")}, true, Answer::End::keep));
  api.script("GET", kPodsPath, watch_answer({event("ADDED", "b", "401")}, false, Answer::End::hang));
  begin();
  await_names("a b ");
  EXPECT_TRUE(asks_from(2, "400"));
  EXPECT_NE(api.seen()[1].connection, api.seen()[2].connection);
}

TEST_F(FollowTest, AHalfReadLineIsNotTakenForAnEvent) {
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {})));
  const auto whole = event("ADDED", "a", "11"), cut = event("ADDED", "b", "12");
  api.script("GET", kPodsPath, watch_answer({whole + cut.substr(0, cut.size() - 4)}, false, Answer::End::close));
  api.script("GET", kPodsPath, watch_answer({cut}, false, Answer::End::hang));
  begin();
  await_names("a b ");
  EXPECT_TRUE(asks_from(2, "11"));
}

TEST_F(FollowTest, An410InsideTheWatchListsAnew) {
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {"a", "b"})));
  api.script("GET", kPodsPath, watch_answer({error_event(410, "Expired")}, true, Answer::End::keep));
  api.script("GET", kPodsPath, json_answer(200, list_of("90", {"b"})));
  api.script("GET", kPodsPath, watch_answer({}, false, Answer::End::hang));
  begin();
  await_names("b ");
  EXPECT_TRUE(asks_from(3, "90"));
}

TEST_F(FollowTest, An410InsteadOfTheWatchListsAnew) {
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {"a"})));
  api.script("GET", kPodsPath, json_answer(410, status_body(410, "Gone")));
  api.script("GET", kPodsPath, json_answer(200, list_of("90", {"b"})));
  api.script("GET", kPodsPath, watch_answer({}, false, Answer::End::hang));
  begin();
  await_names("b ");
}

TEST_F(FollowTest, MoreThanBeastsUsualLimitOfABodyIsRead) {
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {})));
  std::vector<std::string> pieces;
  const std::string padding(1024 * 1024, 'x');
  for (int i = 0; i < 10; ++i) pieces.push_back(event("MODIFIED", "a", std::to_string(11 + i), padding));
  pieces.push_back(event("ADDED", "z", "99"));
  api.script("GET", kPodsPath, watch_answer(pieces, false, Answer::End::hang));
  begin();
  await_names("a z ");
  EXPECT_EQ(api.seen().size(), 2U) << "in one watch";
}

TEST_F(FollowTest, ALineBeyondOurLimitListsAnew) {
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {"a"})));
  api.script("GET", kPodsPath, watch_answer({event("MODIFIED", "a", "11", std::string(kMaxLine + 1, 'x'))}, false, Answer::End::hang));
  api.script("GET", kPodsPath, json_answer(200, list_of("50", {"a", "b"})));
  api.script("GET", kPodsPath, watch_answer({}, false, Answer::End::hang));
  begin();
  await_names("a b ");
}

TEST_F(FollowTest, AWatchThatHangsIsGivenUpAndTakenUpAgain) {
  ListWatch::Options quick;
  quick.watch_timeout = std::chrono::milliseconds(1000);
  pods = std::make_shared<ListWatch>(quick);
  options.watch_grace = std::chrono::milliseconds(50);
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {})));
  api.script("GET", kPodsPath, watch_answer({event("ADDED", "a", "11")}, false, Answer::End::hang));
  api.script("GET", kPodsPath, watch_answer({event("ADDED", "b", "12")}, false, Answer::End::hang));
  begin();
  await_names("a b ");
  EXPECT_TRUE(asks_from(2, "11"));
}

TEST_F(FollowTest, AListThatIsRefusedIsAskedForAgain) {
  api.script("GET", kPodsPath, json_answer(503, "down", "Retry-After: 0\r\n"));
  api.script("GET", kPodsPath, json_answer(200, list_of("10", {"a"})));
  api.script("GET", kPodsPath, watch_answer({}, false, Answer::End::hang));
  begin();
  await_names("a ");
  EXPECT_EQ(pods->counters().failures, 1U);
}

}  // namespace
}  // namespace covey::kube

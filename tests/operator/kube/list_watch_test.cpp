#include "operator/kube/list_watch.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <ostream>

#include "operator/kube/resource.hpp"

namespace covey::kube {

void PrintTo(const ListWatch::Step& step, std::ostream* out) {
  *out << (step.what == ListWatch::Step::Do::list ? "list" : "watch") << " '" << step.token << "' after " << step.wait.count() << " ms";
}

namespace {

namespace json = boost::json;
using Do = ListWatch::Step::Do;
using std::chrono::milliseconds;

json::value pod(const std::string& name, const std::string& version, const std::string& uid = "") {
  return {{"metadata", {{"name", name}, {"namespace", "ns"}, {"uid", uid.empty() ? "uid-" + name : uid}, {"resourceVersion", version}}}};
}

WatchEvent event(WatchEvent::Type type, json::value object) { return {type, std::move(object)}; }

WatchEvent error_event(unsigned code, const std::string& reason) {
  return parse_watch_line(json::serialize(json::value{
                              {"type", "ERROR"}, {"object", {{"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", "no"}}}}))
      .value();
}

class ListWatchTest : public ::testing::Test {
 protected:
  // Lists one page of these and begins a watch.
  void sync(std::vector<json::value> items, const std::string& version) {
    expect_next(Do::list, "");
    watch.on_page({std::move(items), version, ""});
    expect_next(Do::watch, version);
  }
  ListWatch::Step expect_next(Do what, const std::string& token) {
    auto step = watch.next(now);
    EXPECT_EQ(step.what, what);
    EXPECT_EQ(step.token, token);
    return step;
  }
  // "+a" for a put and "-a" for a removal.
  std::string changes() {
    std::string text;
    for (const auto& change : watch.take_changes()) {
      text += (change.kind == ListWatch::Change::Kind::put ? "+" : "-") + std::string(name_of(change.object)) + " ";
    }
    return text;
  }

  ListWatch watch;
  ListWatch::Now now{};
};

TEST_F(ListWatchTest, NothingIsSyncedBeforeTheLastPage) {
  expect_next(Do::list, "");
  watch.on_page({{pod("a", "1")}, "10", "more"});
  EXPECT_FALSE(watch.synced());
  EXPECT_EQ(changes(), "");
  expect_next(Do::list, "more");
  watch.on_page({{pod("b", "900")}, "10", ""});
  EXPECT_TRUE(watch.synced());
  EXPECT_EQ(changes(), "+a +b ");
  expect_next(Do::watch, "10");  // the list's version, although an item's is higher
}

TEST_F(ListWatchTest, AnExpiredContinueTokenBeginsTheListAgain) {
  expect_next(Do::list, "");
  watch.on_page({{pod("a", "1")}, "10", "more"});
  expect_next(Do::list, "more");
  watch.on_list_failed({Errc::gone, 410, "Expired", "the token is too old"});
  const auto step = expect_next(Do::list, "");
  EXPECT_GT(step.wait, milliseconds(0));
  watch.on_page({{pod("b", "2")}, "20", ""});
  EXPECT_EQ(changes(), "+b ") << "pages of another version are not mixed in";
}

TEST_F(ListWatchTest, APageThatTheNetworkLostIsAskedForAgain) {
  expect_next(Do::list, "");
  watch.on_page({{pod("a", "1")}, "10", "more"});
  expect_next(Do::list, "more");
  watch.on_list_failed({Errc::transient, 0, "", "reset"});
  expect_next(Do::list, "more");
}

TEST_F(ListWatchTest, TheEndOfAWatchIsNormalAndItGoesOnFromTheLastVersion) {
  sync({pod("a", "1")}, "10");
  EXPECT_TRUE(watch.on_event(event(WatchEvent::Type::modified, pod("a", "12"))));
  watch.on_watch_end(std::nullopt, now + std::chrono::minutes(5));
  const auto step = expect_next(Do::watch, "12");
  EXPECT_EQ(step.wait, milliseconds(0));
}

TEST_F(ListWatchTest, ABookmarkOnlyAdvancesTheVersion) {
  sync({pod("a", "1")}, "10");
  changes();
  watch.on_event(event(WatchEvent::Type::bookmark, {{"metadata", {{"resourceVersion", "500"}}}}));
  EXPECT_EQ(changes(), "");
  EXPECT_EQ(watch.objects().size(), 1U);
  watch.on_watch_end(std::nullopt, now);
  expect_next(Do::watch, "500");
}

TEST_F(ListWatchTest, Gone410InsideA200ListsAnewAndWhatIsMissingWasDeleted) {
  sync({pod("a", "1"), pod("b", "2"), pod("c", "3")}, "10");
  changes();
  EXPECT_FALSE(watch.on_event(error_event(410, "Expired")));
  watch.on_watch_end(std::nullopt, now);
  expect_next(Do::list, "");
  EXPECT_TRUE(watch.synced()) << "what is known stays usable meanwhile";
  watch.on_page({{pod("a", "1"), pod("c", "30", "another")}, "40", ""});
  EXPECT_EQ(changes(), "-b -c +c ") << "c has another uid";
}

TEST_F(ListWatchTest, AWatchThatIsRefusedWith410ListsAnew) {
  sync({}, "10");
  watch.on_watch_end(Error{Errc::gone, 410, "Expired", ""}, now);
  expect_next(Do::list, "");
}

TEST_F(ListWatchTest, ThrottlingInsideAWatchBacksOffAndGoesOn) {
  sync({}, "10");
  EXPECT_FALSE(watch.on_event(error_event(429, "TooManyRequests")));
  watch.on_watch_end(std::nullopt, now);
  EXPECT_GT(expect_next(Do::watch, "10").wait, milliseconds(0));
}

TEST_F(ListWatchTest, ServerErrorsInsideAWatchAreRetriedABoundedNumberOfTimes) {
  sync({}, "10");
  for (int i = 0; i < 3; ++i) {
    watch.on_event(error_event(500, "InternalError"));
    watch.on_watch_end(std::nullopt, now);
    expect_next(Do::watch, "10");
  }
  watch.on_event(error_event(500, "InternalError"));
  expect_next(Do::list, "");
}

TEST_F(ListWatchTest, AWatchThatEndsAtOnceBacksOffMoreEachTime) {
  sync({}, "10");
  milliseconds last{0};
  for (int i = 0; i < 4; ++i) {
    watch.on_watch_end(std::nullopt, now + milliseconds(10));
    const auto wait = expect_next(Do::watch, "10").wait;
    EXPECT_GE(wait, last);
    last = wait;
  }
  EXPECT_GE(last, milliseconds(3200));
}

TEST_F(ListWatchTest, AConnectionThatBreaksLosesNothing) {
  sync({pod("a", "1")}, "10");
  watch.on_event(event(WatchEvent::Type::added, pod("b", "11")));
  watch.on_watch_end(Error{Errc::transient, 0, "", "reset"}, now);
  expect_next(Do::watch, "11");
  EXPECT_EQ(watch.objects().size(), 2U);
}

TEST_F(ListWatchTest, AWatchThatCannotBeReadListsAnew) {
  sync({}, "10");
  watch.on_unreadable_watch();
  watch.on_watch_end(std::nullopt, now);
  EXPECT_GT(expect_next(Do::list, "").wait, milliseconds(0));
}

TEST_F(ListWatchTest, AReplacedObjectOfTheSameNameIsADeletionAndAnAddition) {
  sync({pod("a", "1", "first")}, "10");
  changes();
  watch.on_event(event(WatchEvent::Type::added, pod("a", "11", "second")));
  EXPECT_EQ(changes(), "-a +a ");
  watch.on_event(event(WatchEvent::Type::deleted, pod("a", "12", "first")));
  EXPECT_EQ(changes(), "") << "a late word of the first one says nothing about the second";
  watch.on_event(event(WatchEvent::Type::deleted, pod("a", "13", "second")));
  EXPECT_EQ(changes(), "-a ");
}

TEST_F(ListWatchTest, WatchesAreAskedToEndAtDifferentTimes) {
  sync({}, "10");
  std::set<milliseconds> timeouts;
  for (int i = 0; i < 20; ++i) {
    watch.on_event(event(WatchEvent::Type::bookmark, {{"metadata", {{"resourceVersion", "11"}}}}));
    watch.on_watch_end(std::nullopt, now);
    const auto timeout = watch.next(now).timeout;
    EXPECT_GE(timeout, std::chrono::minutes(5));
    EXPECT_LE(timeout, std::chrono::minutes(8));
    timeouts.insert(timeout);
  }
  EXPECT_GT(timeouts.size(), 10U);
}

TEST(WatchEventTest, ManagedFieldsAreDropped) {
  const auto parsed = parse_watch_line(
      R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1","managedFields":[{"manager":"x"}]}}})");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(json::serialize(parsed->object), R"({"metadata":{"name":"a","resourceVersion":"1"}})");
}

TEST(WatchEventTest, WhatIsNoEventIsRefused) {
  for (const auto* line : {"", "{", "[]", R"({"type":"WEIRD","object":{}})", R"({"type":"ADDED"})", R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})",
                           R"({"type":"BOOKMARK","object":{"metadata":{}}})"}) {
    EXPECT_TRUE(parse_watch_line(line).has_error()) << line;
  }
}

TEST(PageTest, ItemsGetTheKindOfTheirList) {
  const auto page = parse_page(json::parse(
      R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5","continue":"c"},"items":[{"metadata":{"name":"a"}}]})"));
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->next, "c");
  EXPECT_EQ(page->items.at(0).at("kind"), "Pod");
}

TEST(PageTest, AnAnswerThatIsNoListIsRefused) {
  for (const auto* text : {"[]", "{}", R"({"items":[]})", R"({"metadata":{"resourceVersion":"1"},"items":[1]})"}) {
    EXPECT_TRUE(parse_page(json::parse(text)).has_error()) << text;
  }
}

}  // namespace
}  // namespace covey::kube

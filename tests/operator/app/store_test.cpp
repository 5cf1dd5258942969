#include "operator/app/store.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"

namespace covey::operating {
namespace {

namespace json = boost::json;
using kube::WatchEvent;

class StoreTest : public ::testing::Test {
 protected:
  static json::value pod(const std::string& name, const std::string& uid, int version) {
    return {{"metadata",
             {{"name", name}, {"namespace", "ns"}, {"uid", uid}, {"resourceVersion", std::to_string(version)}, {"labels", {{"covey.dev/cluster", "demo"}}}}}};
  }
  const Store::Collection& pods() {
    for (const auto& each : store.collections()) {
      if (each.type->plural == "pods") return each;
    }
    throw std::logic_error("no Pods");
  }
  void list(std::vector<json::value> items) {
    pods().watch->next({});
    pods().watch->on_page({std::move(items), "10", ""});
    store.take_changes(pods());
    pods().watch->next({});
  }
  void see(WatchEvent::Type type, json::value object) {
    pods().watch->on_event({type, std::move(object), {}});
    store.take_changes(pods());
  }
  std::vector<std::string> versions() {
    std::vector<std::string> all;
    for (const auto* each : store.pods("ns/demo")) all.push_back(std::string(kube::name_of(*each)) + "@" + std::string(kube::version_of(*each)));
    return all;
  }
  using Versions = std::vector<std::string>;

  std::vector<std::string> changed;
  Store store{[this](const std::string& key) { changed.push_back(key); }};
};

TEST_F(StoreTest, ChangesAreToldByTheClusterTheyAreAbout) {
  list({pod("a", "1", 5)});
  EXPECT_EQ(changed, Versions{"ns/demo"});
  EXPECT_EQ(versions(), Versions{"a@5"});
  EXPECT_FALSE(store.synced()) << "the other caches are not";
}

TEST_F(StoreTest, AWrittenPodCountsUntilTheCacheIsAsNew) {
  list({});
  store.wrote_pod(pod("a", "1", 20));
  EXPECT_EQ(versions(), Versions{"a@20"});
  see(WatchEvent::Type::added, pod("a", "1", 18));
  EXPECT_EQ(versions(), Versions{"a@20"}) << "the cache is behind";
  see(WatchEvent::Type::modified, pod("a", "1", 21));
  EXPECT_EQ(versions(), Versions{"a@21"});
  EXPECT_TRUE(store.unseen_pods("ns/demo", std::chrono::seconds(-1)).empty());
}

TEST_F(StoreTest, AWrittenPodThatHasGoneIsGone) {
  list({pod("a", "1", 10)});
  store.wrote_pod(pod("a", "1", 20));
  see(WatchEvent::Type::deleted, pod("a", "1", 22));
  EXPECT_EQ(versions(), Versions{});
}

TEST_F(StoreTest, AWrittenPodThatIsNeverSeenIsToBeLookedUp) {
  list({});
  store.wrote_pod(pod("a", "1", 20));
  EXPECT_EQ(store.unseen_pods("ns/demo", std::chrono::seconds(-1)), Versions{"ns/a"});
  store.forget_pod("ns/a");
  EXPECT_EQ(versions(), Versions{});
}

TEST_F(StoreTest, WhatIsWrittenLaterThanItIsSeenDoesNotCount) {
  list({pod("a", "1", 30)});
  store.wrote_pod(pod("a", "1", 20));
  EXPECT_EQ(versions(), Versions{"a@30"});
}

TEST_F(StoreTest, ARemovedPodIsKnownAsSuchUntilItHasGone) {
  list({pod("a", "1", 5)});
  store.removed_pod("ns/a", "1");
  EXPECT_TRUE(store.was_removed("1"));
  see(WatchEvent::Type::deleted, pod("a", "1", 6));
  EXPECT_FALSE(store.was_removed("1"));
  store.removed_pod("ns/a", "1");
  EXPECT_FALSE(store.was_removed("1")) << "nothing would ever say that it has gone";
}

TEST_F(StoreTest, ClustersThatHaveGoneAndLeftPodsAreKnown) {
  list({pod("a", "1", 5)});
  EXPECT_EQ(store.clusters(), std::set<std::string>{"ns/demo"});
  see(WatchEvent::Type::deleted, pod("a", "1", 6));
  EXPECT_TRUE(store.clusters().empty());
}

}  // namespace
}  // namespace covey::operating

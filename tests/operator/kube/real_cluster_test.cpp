// The client against a real API server, where COVEY_TEST_KUBECONFIG names one; skipped elsewhere. Makes and deletes a namespace of its own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <cstdlib>

#include "operator/kube/client.hpp"
#include "operator/kube/json.hpp"
#include "operator/kube/lease.hpp"
#include "tests/support/run_until.hpp"

namespace covey::kube {
namespace {

namespace json = boost::json;
constexpr ResourceType kNamespaces{"", "v1", "namespaces", "Namespace", false};
constexpr ResourceType kQuotas{"", "v1", "resourcequotas", "ResourceQuota"};

class RealClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("COVEY_TEST_KUBECONFIG");
    if (path == nullptr) GTEST_SKIP() << "COVEY_TEST_KUBECONFIG names no cluster";
    auto config = read_kubeconfig(path);
    ASSERT_TRUE(config.has_value()) << to_string(config.error());
    client.emplace(io.get_executor(), std::make_shared<const Config>(std::move(*config)));
    static int count = 0;
    ns = "covey-client-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    const json::value space{{"apiVersion", "v1"},
                            {"kind", "Namespace"},
                            {"metadata", {{"name", ns}, {"labels", {{"pod-security.kubernetes.io/enforce", "restricted"}}}}}};
    const auto made = run(client->apply(space, {kNamespaces, "", ns}));
    ASSERT_TRUE(made.has_value()) << to_string(made.error());
  }
  void TearDown() override {
    if (client) run(client->remove({kNamespaces, "", ns}, {}));
  }
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    std::optional<T> result;
    boost::asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& error, T value) {
      if (error) std::rethrow_exception(error);
      result.emplace(std::move(value));
    });
    EXPECT_TRUE(support::run_until(io, [&] { return result.has_value(); }, std::chrono::minutes(1)));
    return std::move(*result);
  }
  Place config_map(const std::string& name) const { return {types::kConfigMaps, ns, name}; }
  json::value body(const std::string& name, const std::string& value) const {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"namespace", ns}, {"labels", {{"test", "client"}}}}},
            {"data", {{"value", value}}}};
  }
  json::value pod(const std::string& name) const {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", name}, {"namespace", ns}}},
            {"spec", {{"containers", json::array{json::object{{"name", "c"}, {"image", "x"}}}}}}};
  }

  boost::asio::io_context io{1};
  std::optional<Client> client;
  std::string ns;
};

TEST_F(RealClusterTest, ApplyingTwiceChangesNothingAndAnOldVersionIsAConflict) {
  const auto first = run(client->apply(body("a", "1"), config_map("a")));
  ASSERT_TRUE(first.has_value()) << to_string(first.error());
  const auto again = run(client->apply(body("a", "1"), config_map("a")));
  EXPECT_EQ(version_of(again.value()), version_of(*first));
  ASSERT_TRUE(run(client->apply(body("a", "2"), config_map("a"))).has_value());
  EXPECT_EQ(run(client->replace(config_map("a"), *first)).error().code, Errc::conflict);
  EXPECT_EQ(run(client->create(config_map(""), body("a", "3"))).error().code, Errc::exists);
}

TEST_F(RealClusterTest, DeletionsNameTheVeryObject) {
  const auto made = run(client->apply(body("a", "1"), config_map("a"))).value();
  DeleteOptions other, right;
  other.only_if.uid = "00000000-0000-0000-0000-000000000000";
  right.only_if = {std::string(uid_of(made)), std::string(version_of(made))};
  EXPECT_EQ(run(client->remove(config_map("a"), other)).error().code, Errc::conflict);
  EXPECT_EQ(run(client->remove(config_map("a"), right)).value(), true);
  EXPECT_EQ(run(client->get(config_map("a"))).error().code, Errc::not_found);
  EXPECT_EQ(run(client->remove(config_map("a"), {})).value(), false);
}

TEST_F(RealClusterTest, RefusalsAreToldApart) {
  EXPECT_EQ(run(client->apply(body("Not A Name", "1"), config_map("Not A Name"))).error().code, Errc::invalid);
  const auto insecure = run(client->create({types::kPods, ns, ""}, pod("p")));
  EXPECT_EQ(insecure.error().code, Errc::forbidden) << to_string(insecure.error());
  const json::value quota{{"apiVersion", "v1"}, {"kind", "ResourceQuota"}, {"metadata", {{"name", "none"}, {"namespace", ns}}}, {"spec", {{"hard", {{"configmaps", "0"}}}}}};
  ASSERT_TRUE(run(client->apply(quota, {kQuotas, ns, "none"})).has_value());
  // The quota's controller has to count first; until then the answer says that it has not.
  Error last;
  int attempt = 0;
  EXPECT_TRUE(support::run_until(io, [&] {
    const auto name = "b" + std::to_string(++attempt);  // a change of one that is there would not count
    const auto made = run(client->apply(body(name, "1"), config_map(name)));
    if (made.has_error()) last = made.error();
    return made.has_error() && made.error().message.find("exceeded quota") != std::string::npos;
  }));
  EXPECT_EQ(last.code, Errc::quota) << to_string(last);
}

TEST_F(RealClusterTest, FollowingSeesEveryChange) {
  ListWatch::Options small;
  small.page = 2;
  const auto maps = std::make_shared<ListWatch>(small);
  for (const auto* name : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(run(client->apply(body(name, "1"), config_map(name))).has_value());
  boost::asio::cancellation_signal stop;
  bool ended = false;
  boost::asio::co_spawn(io, client->follow(config_map(""), {"test=client", ""}, maps, [] {}),
                        boost::asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr&) { ended = true; }));
  EXPECT_TRUE(support::run_until(io, [&] { return maps->synced(); }));
  EXPECT_EQ(maps->objects().size(), 5U);
  EXPECT_EQ(maps->counters().lists, 3U);
  ASSERT_TRUE(run(client->apply(body("f", "1"), config_map("f"))).has_value());
  run(client->remove(config_map("a"), {}));
  EXPECT_TRUE(support::run_until(io, [&] { return maps->objects().size() == 5 && maps->objects().contains(ns + "/f"); }));
  stop.emit(boost::asio::cancellation_type::terminal);
  EXPECT_TRUE(support::run_until(io, [&] { return ended; }));
}

TEST_F(RealClusterTest, ALeaseIsTakenRenewedAndReleased) {
  Election::Options options;
  options.identity = "one";
  options.name = "covey";
  options.ns = ns;
  Election election(options);
  const Place place{types::kLeases, ns, "covey"};
  const auto carry_out = [&] {
    const auto now = std::chrono::steady_clock::now();
    auto step = election.next(now, std::chrono::system_clock::now());
    if (step.what == Election::Step::Do::read) {
      const auto read = run(client->get(place));
      if (read || read.error().code == Errc::not_found) return election.on_read(read ? &*read : nullptr, std::chrono::steady_clock::now());
      return election.on_failed(read.error(), std::chrono::steady_clock::now());
    }
    const bool creates = step.what == Election::Step::Do::create;
    const auto written = creates ? run(client->create({types::kLeases, ns, ""}, step.lease)) : run(client->replace(place, step.lease));
    ASSERT_TRUE(written.has_value()) << to_string(written.error());
    election.on_written(*written, now, std::chrono::steady_clock::now());
  };
  carry_out();
  carry_out();
  carry_out();
  EXPECT_TRUE(election.leading(std::chrono::steady_clock::now()));
  const auto released = election.release(std::chrono::steady_clock::now(), std::chrono::system_clock::now());
  ASSERT_TRUE(released.has_value());
  EXPECT_TRUE(run(client->replace(place, *released)).has_value());
  EXPECT_EQ(text_at(run(client->get(place)).value(), "spec.holderIdentity"), "");
}

TEST_F(RealClusterTest, AnEventIsAccepted) {
  const auto about = run(client->apply(body("a", "1"), config_map("a"))).value();
  const EventNote event{EventNote::Kind::warning, "Tested", "Test", "a note", "client-test"};
  const auto noted = run(client->note(about, event));
  EXPECT_TRUE(noted.has_value()) << to_string(noted.error());
}

}  // namespace
}  // namespace covey::kube

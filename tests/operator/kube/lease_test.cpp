#include "operator/kube/lease.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <optional>
#include <random>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"

namespace covey::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Do = Election::Step::Do;

// The API server's side: one Lease with optimistic concurrency.
struct Server {
  std::optional<boost::json::value> lease;
  int version = 0;

  Result<boost::json::value> write(const Election::Step& step) {
    if (step.what == Do::create && lease) return Error{Errc::exists, 409, {}, {}};
    if (step.what == Do::write && (!lease || version_of(step.lease) != version_of(*lease))) return Error{Errc::conflict, 409, {}, {}};
    const auto uid = lease ? std::string(uid_of(*lease)) : "uid-" + std::to_string(version);
    lease = step.lease;
    auto& metadata = lease->as_object()["metadata"].as_object();
    metadata["uid"] = uid;
    metadata["resourceVersion"] = std::to_string(++version);
    return *lease;
  }
};

Election::Options options(const std::string& identity) {
  Election::Options options;
  options.identity = identity;
  options.name = "covey-operator";
  options.ns = "covey";
  options.seed = std::hash<std::string>()(identity);
  return options;
}

class ElectionTest : public ::testing::Test {
 protected:
  // One step of a candidate, if it is due. `reachable` false: requests fail without effect.
  Do step(Election& who, bool reachable = true) {
    const auto step = who.next(now, {});
    if (step.what == Do::lost || step.at > now) return step.what;
    if (!reachable) {
      who.on_failed({Errc::transient, 0, {}, {}}, now);
    } else if (step.what == Do::read) {
      who.on_read(server.lease ? &*server.lease : nullptr, now);
    } else {
      const auto answer = server.write(step);
      if (answer) {
        who.on_written(*answer, now, now);
      } else {
        who.on_failed(answer.error(), now);
      }
    }
    return step.what;
  }
  void pass(Election& who, milliseconds time, bool reachable = true) {
    for (const auto end = now + time; now < end; now += milliseconds(50)) step(who, reachable);
  }

  Server server;
  Election::Now now{std::chrono::hours(1)};
  Election a{options("a")}, b{options("b")};
};

TEST_F(ElectionTest, TheFirstToCreateTheLeaseLeads) {
  pass(a, seconds(1));
  EXPECT_TRUE(a.leading(now));
  EXPECT_EQ(a.epoch(), 1);
  pass(b, seconds(1));
  EXPECT_FALSE(b.leading(now));
  EXPECT_EQ(b.holder(), "a");
}

TEST_F(ElectionTest, ItRenewsEverySecondAndKeepsTheTimeOfAcquisition) {
  pass(a, seconds(1));
  const auto acquired = std::string(text_at(*server.lease, "spec.acquireTime"));
  const int before = server.version;
  pass(a, seconds(10));
  EXPECT_TRUE(a.leading(now));
  EXPECT_NEAR(server.version - before, 10, 2);
  EXPECT_EQ(text_at(*server.lease, "spec.acquireTime"), acquired);
}

TEST_F(ElectionTest, WithoutARenewalTheFenceFallsAfterSixSecondsAndItIsLostForGood) {
  pass(a, seconds(1));
  pass(a, milliseconds(4900), false);
  EXPECT_TRUE(a.leading(now));
  pass(a, milliseconds(1200), false);
  EXPECT_FALSE(a.leading(now));
  EXPECT_EQ(a.next(now, {}).what, Do::lost);
  pass(a, seconds(60));
  EXPECT_EQ(a.next(now, {}).what, Do::lost) << "a process that lost leadership ends; it does not go on as if nothing had been";
}

TEST_F(ElectionTest, AStoppedProcessFindsItsFenceFallen) {
  pass(a, seconds(1));
  now += seconds(30);  // SIGSTOP
  EXPECT_FALSE(a.leading(now));
  EXPECT_EQ(a.next(now, {}).what, Do::lost);
}

TEST_F(ElectionTest, TheNextLeaderWaitsTheWholeDurationByItsOwnClock) {
  pass(a, seconds(1));
  pass(b, milliseconds(100));
  const auto seen = now - milliseconds(100);
  while (!b.leading(now) && now < seen + seconds(60)) pass(b, milliseconds(50));
  EXPECT_GE(now - seen, seconds(10));
  EXPECT_LE(now - seen, seconds(12));
  EXPECT_EQ(b.epoch(), 2);
}

TEST_F(ElectionTest, TimesInTheRecordAreNotBelieved) {
  pass(a, seconds(1));
  // Of a clock that is years behind: by its renewTime the lease had run out long ago.
  server.lease->as_object()["spec"].as_object()["renewTime"] = "1999-01-01T00:00:00.000000Z";
  pass(b, seconds(5));
  EXPECT_FALSE(b.leading(now));
}

TEST_F(ElectionTest, ACleanExitLetsTheNextOneLeadAtOnce) {
  pass(a, seconds(1));
  pass(b, seconds(1));
  // Their renewals go on while both run.
  const auto released = a.release(now, {});
  ASSERT_TRUE(released.has_value());
  EXPECT_FALSE(a.leading(now));
  ASSERT_TRUE(server.write({Do::write, now, *released}).has_value());
  const auto left = now;
  while (!b.leading(now) && now < left + seconds(60)) pass(b, milliseconds(50));
  EXPECT_LE(now - left, seconds(2));
  EXPECT_EQ(b.epoch(), 2);
}

TEST_F(ElectionTest, AReleaseThatMeetsARenewalIsMadeAgain) {
  pass(a, seconds(1));
  now += seconds(1);
  const auto renewal = a.next(now, {});
  ASSERT_EQ(renewal.what, Do::write);
  const auto released = a.release(now, {});
  ASSERT_TRUE(released);
  const auto renewed = server.write(renewal);
  ASSERT_TRUE(renewed);
  EXPECT_FALSE(server.write({Do::write, now, *released}).has_value());
  a.on_written(*renewed, now, now);
  EXPECT_FALSE(a.leading(now)) << "it has said goodbye";
  a.on_read(&*server.lease, now);
  const auto again = a.release(now, {});
  ASSERT_TRUE(again);
  EXPECT_TRUE(server.write({Do::write, now, *again}).has_value());
  EXPECT_EQ(text_at(*server.lease, "spec.holderIdentity"), "");
}

TEST_F(ElectionTest, WhoSeesAnotherHolderWritesNoMoreAndKeepsItsOwnToken) {
  pass(a, seconds(1));
  const auto token = a.fencing_token();
  server.lease.reset();  // somebody deletes it
  pass(b, seconds(1));
  ASSERT_TRUE(b.leading(now));
  a.on_read(&*server.lease, now);
  EXPECT_FALSE(a.leading(now));
  EXPECT_EQ(a.fencing_token(), token);
  EXPECT_NE(b.fencing_token(), token);
}

TEST_F(ElectionTest, TwoNeverLeadAtOnceWhateverTheNetworkDoes) {
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    server = Server();
    Election first{options("first" + std::to_string(round))}, second{options("second" + std::to_string(round))};
    for (int i = 0; i < 400; ++i, now += milliseconds(random() % 400)) {
      step(first, random() % 4 != 0);
      step(second, random() % 4 != 0);
      if (random() % 100 == 0) now += milliseconds(random() % 12'000);  // both stood still
      ASSERT_FALSE(first.leading(now) && second.leading(now)) << "round " << round;
    }
  }
}

TEST_F(ElectionTest, ADeletedLeaseDoesNotBringAnEpochBack) {
  pass(a, seconds(1));
  pass(b, milliseconds(100));
  server.lease.reset();
  const auto gone = now;
  while (!b.leading(now) && now < gone + seconds(60)) pass(b, milliseconds(50));
  EXPECT_GT(b.epoch(), 1);
}

}  // namespace
}  // namespace covey::kube

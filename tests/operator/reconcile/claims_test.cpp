#include "operator/reconcile/claims.hpp"

#include <gtest/gtest.h>

namespace covey::reconcile {
namespace {

const Claims::Now kStart{};
const std::string kAll(Claims::kEverything);

class ClaimsTest : public testing::Test {
 protected:
  ClaimsTest() { claims.seen({"ours", kAll, "2026-02-01T00:00:00Z"}, kStart); }
  Claims claims{"ours"};
};

TEST_F(ClaimsTest, ANamespaceWithAnOperatorOfItsOwnIsLeftToIt) {
  EXPECT_FALSE(claims.claimed("team", kStart));
  claims.seen({"tools", "team", "2026-03-01T00:00:00Z"}, kStart);
  EXPECT_TRUE(claims.claimed("team", kStart));
  EXPECT_FALSE(claims.claimed("tools", kStart)) << "where its Lease is does not matter";
  EXPECT_FALSE(claims.claimed("others", kStart));
  EXPECT_EQ(claims.first(kStart), "");
}

TEST_F(ClaimsTest, OurOwnLeaseClaimsNothing) {
  EXPECT_FALSE(claims.claimed("ours", kStart));
  EXPECT_FALSE(claims.claimed("team", kStart));
}

TEST_F(ClaimsTest, OfTwoOfAllNamespacesTheOlderLooksAfterThem) {
  claims.seen({"theirs", kAll, "2026-03-01T00:00:00Z"}, kStart);
  EXPECT_FALSE(claims.claimed("team", kStart));
  claims.seen({"theirs", kAll, "2026-01-01T00:00:00Z"}, kStart);
  EXPECT_TRUE(claims.claimed("team", kStart));
  EXPECT_TRUE(claims.claimed("ours", kStart));
  EXPECT_EQ(claims.first(kStart), "theirs");
}

TEST_F(ClaimsTest, OfTwoOfTheSameSecondOneGivesWay) {
  claims.seen({"theirs", kAll, "2026-02-01T00:00:00Z"}, kStart);
  Claims others("theirs");
  others.seen({"ours", kAll, "2026-02-01T00:00:00Z"}, kStart);
  others.seen({"theirs", kAll, "2026-02-01T00:00:00Z"}, kStart);
  EXPECT_NE(claims.claimed("team", kStart), others.claimed("team", kStart));
}

TEST_F(ClaimsTest, BeforeOurOwnLeaseIsSeenTheOtherGoesFirst) {
  Claims young("ours");
  young.seen({"theirs", kAll, "2026-03-01T00:00:00Z"}, kStart);
  EXPECT_TRUE(young.claimed("team", kStart));
}

TEST_F(ClaimsTest, ALeaseThatIsRenewedNoMoreClaimsNothingAfterAWhile) {
  const Claims::Lease lease{"team", "team", "2026-03-01T00:00:00Z"};
  claims.seen(lease, kStart);
  claims.seen(lease, kStart + Claims::kPatience / 2);
  EXPECT_TRUE(claims.claimed("team", kStart + Claims::kPatience));
  EXPECT_FALSE(claims.claimed("team", kStart + 2 * Claims::kPatience));
}

TEST_F(ClaimsTest, ALeaseThatIsReleasedOrDeletedClaimsNothing) {
  claims.seen({"team", "team", "2026-03-01T00:00:00Z"}, kStart);
  claims.seen({"team", "team", "2026-03-01T00:00:00Z", false}, kStart);
  EXPECT_FALSE(claims.claimed("team", kStart));
  claims.seen({"team", "team", "2026-03-01T00:00:00Z"}, kStart);
  claims.gone("team");
  EXPECT_FALSE(claims.claimed("team", kStart));
}

}  // namespace
}  // namespace covey::reconcile

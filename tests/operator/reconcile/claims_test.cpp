#include "operator/reconcile/claims.hpp"

#include <gtest/gtest.h>

namespace covey::reconcile {
namespace {

const Claims::Now kStart{};

TEST(ClaimsTest, ANamespaceWithALeaseIsItsOwnOperators) {
  Claims claims("covey-system");
  EXPECT_FALSE(claims.claimed("team", kStart));
  claims.seen("team", kStart);
  EXPECT_TRUE(claims.claimed("team", kStart));
  EXPECT_FALSE(claims.claimed("others", kStart));
}

TEST(ClaimsTest, OurOwnLeaseClaimsNothing) {
  Claims claims("covey-system");
  claims.seen("covey-system", kStart);
  EXPECT_FALSE(claims.claimed("covey-system", kStart));
}

TEST(ClaimsTest, ALeaseThatIsRenewedNoMoreClaimsNothingAfterAWhile) {
  Claims claims("covey-system");
  claims.seen("team", kStart);
  claims.seen("team", kStart + Claims::kPatience / 2);
  EXPECT_TRUE(claims.claimed("team", kStart + Claims::kPatience));
  EXPECT_FALSE(claims.claimed("team", kStart + 2 * Claims::kPatience));
}

TEST(ClaimsTest, ALeaseThatIsDeletedClaimsNothing) {
  Claims claims("covey-system");
  claims.seen("team", kStart);
  claims.gone("team");
  EXPECT_FALSE(claims.claimed("team", kStart));
}

}  // namespace
}  // namespace covey::reconcile

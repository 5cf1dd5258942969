#include "operator/reconcile/autoscaler.hpp"

#include <gtest/gtest.h>

namespace covey::reconcile {
namespace {

using std::chrono::seconds;

class AutoscalerTest : public ::testing::Test {
 protected:
  int decide(std::int64_t outstanding, int engines, int removable) { return autoscaler.decide(scaling, {outstanding, engines, removable}, now).desired; }
  crd::Autoscaling scaling{true, 0, 10, 4, 60, 30};
  Autoscaler autoscaler;
  WallTime now = WallTime(std::chrono::hours(500'000));
};

TEST_F(AutoscalerTest, TheFirstTaskBringsTheFirstEngine) {
  EXPECT_EQ(decide(0, 0, 0), 0);
  EXPECT_EQ(decide(1, 0, 0), 1);
  EXPECT_EQ(decide(9, 1, 0), 3);
}

TEST_F(AutoscalerTest, ItKeepsToItsLimits) {
  EXPECT_EQ(decide(1000, 10, 0), 10);
  EXPECT_TRUE(autoscaler.decide(scaling, {1000, 10, 0}, now).limited);
  scaling.min_replicas = 2;
  now += seconds(100);
  EXPECT_EQ(decide(0, 10, 10), 2);
}

TEST_F(AutoscalerTest, ItDoesNotGoDownWithinTheWindow) {
  decide(40, 0, 0);
  EXPECT_EQ(decide(0, 10, 10), 10);
  now += seconds(31);
  EXPECT_EQ(decide(0, 10, 10), 0);
}

TEST_F(AutoscalerTest, EnginesThatWorkOrHaveJustWorkedStay) { EXPECT_EQ(decide(3, 10, 4), 6); }

TEST_F(AutoscalerTest, WithoutAnyNewsItHolds) {
  EXPECT_EQ(autoscaler.hold(scaling, 7).desired, 7);
  decide(16, 0, 0);
  EXPECT_EQ(autoscaler.hold(scaling, 7).desired, 4);
}

}  // namespace
}  // namespace covey::reconcile

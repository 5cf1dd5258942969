#include "operator/kube/backoff.hpp"

#include <gtest/gtest.h>

namespace covey::kube {
namespace {

using std::chrono::milliseconds;

TEST(BackoffTest, TheTimeDoublesUpToItsLimit) {
  Backoff backoff(7);
  for (const int most : {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000}) {
    const auto wait = backoff.next();
    EXPECT_GE(wait, milliseconds(most / 2));
    EXPECT_LE(wait, milliseconds(most));
  }
}

TEST(BackoffTest, ASuccessBeginsAnew) {
  Backoff backoff(7);
  for (int i = 0; i < 100; ++i) backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(800));
}

TEST(BackoffTest, RetryAfterIsNeverCutShort) {
  Backoff backoff(7);
  Error error{Errc::throttled, 429, {}, {}};
  error.retry_after = milliseconds(45'000);
  for (int i = 0; i < 20; ++i) {
    const auto wait = backoff.after(error);
    EXPECT_GE(wait, milliseconds(45'000));
    EXPECT_LE(wait, milliseconds(49'500));
  }
}

}  // namespace
}  // namespace covey::kube

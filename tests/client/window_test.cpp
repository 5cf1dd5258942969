#include "client/window.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

namespace covey::client {
namespace {

struct WindowTest : testing::Test {
  Window window{3};
  std::string log;
  std::uint64_t wait(const std::string& name, std::size_t tasks = 1) {
    return window.acquire_later(tasks, [this, name](bool room) { log += name + (room ? "+" : "-"); });
  }
};

TEST_F(WindowTest, ThereIsRoomUpToTheLimitAndNoFurther) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(window.try_acquire(1));
  EXPECT_FALSE(window.try_acquire(1));
  window.release(1);
  EXPECT_TRUE(window.try_acquire(1));
  EXPECT_EQ(window.used(), 3U);
}

TEST_F(WindowTest, AnEmptyWindowTakesMoreThanItsLimit) {
  EXPECT_TRUE(window.try_acquire(100));
  EXPECT_FALSE(window.try_acquire(1));
}

TEST_F(WindowTest, WhoWaitsIsServedInOrderAndBeforeWhoComesLater) {
  EXPECT_TRUE(window.try_acquire(3));
  wait("a", 2);
  wait("b");
  window.release(1);
  EXPECT_EQ(log, "");  // there is room for b, but a came first
  EXPECT_FALSE(window.try_acquire(1));
  window.release(1);
  EXPECT_EQ(log, "a+");
  window.release(1);
  EXPECT_EQ(log, "a+b+");
}

TEST_F(WindowTest, WhoGivesUpMakesWayForTheNext) {
  EXPECT_TRUE(window.try_acquire(2));
  const auto large = wait("large", 3);
  wait("small");
  EXPECT_TRUE(window.forget(large));
  EXPECT_EQ(log, "small+");
  EXPECT_FALSE(window.forget(large));
}

TEST_F(WindowTest, AWiderLimitLetsPeopleIn) {
  EXPECT_TRUE(window.try_acquire(3));
  wait("a");
  window.set_limit(4);
  EXPECT_EQ(log, "a+");
}

TEST_F(WindowTest, ClosingSendsEverybodyAway) {
  EXPECT_TRUE(window.try_acquire(3));
  wait("a");
  auto blocked = std::async(std::launch::async, [this] { return window.acquire(1); });
  window.close();
  wait("late");
  EXPECT_FALSE(blocked.get());
  EXPECT_EQ(log, "a-late-");
}

TEST_F(WindowTest, ManyThreadsShareItAndNoneIsForgotten) {
  std::atomic<int> most{0}, inside{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        ASSERT_TRUE(window.acquire(1));
        const int now = ++inside;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        --inside;
        window.release(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(window.used(), 0U);
}

}  // namespace
}  // namespace covey::client

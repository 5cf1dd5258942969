// Who runs a shared loop when: its owner, or threads that wait for something on it.
#include "common/bus/shared_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace covey::bus {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr auto kForever = std::nullopt;

// A loop whose rests, once begun, do not end by themselves.
struct SharedLoopTest : testing::Test {
  explicit SharedLoopTest(std::chrono::nanoseconds rest = hours(1)) : shared(io, rest) {
    owner = std::thread([this] { shared.run(); });
    on_loop([] {});  // it is in run()
  }
  ~SharedLoopTest() override {
    shared.finish();
    owner.join();
  }
  // Runs on whichever thread has the loop, and waits for it.
  void on_loop(std::function<void()> action) {
    std::promise<void> done;
    post([&] {
      action();
      done.set_value();
    });
    done.get_future().wait();
  }
  void post(std::function<void()> action) {
    boost::asio::post(io, std::move(action));
    shared.attend();
  }

  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  SharedLoop shared;
  std::thread owner;
};

TEST_F(SharedLoopTest, TheOwnerRunsItUntilSomebodyWaits) {
  std::thread::id ran_on;
  on_loop([&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, owner.get_id());
  EXPECT_FALSE(shared.enter([] { FAIL() << "the owner runs it"; }));
}

TEST_F(SharedLoopTest, WhoeverWaitsRunsTheHandlers) {
  // The owner may have begun with what was posted before it is displaced, but not with what that posts.
  std::thread::id ran_on;
  boost::asio::steady_timer never(io, hours(1));
  never.async_wait([&](const boost::system::error_code&) { ran_on = std::this_thread::get_id(); });
  bool looked = false;
  EXPECT_TRUE(shared.run_until(
      [&] {
        if (!std::exchange(looked, true)) never.cancel();
        return ran_on != std::thread::id();
      },
      kForever));
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST_F(SharedLoopTest, WhileItRestsAnyThreadMayEnter) {
  EXPECT_TRUE(shared.run_until([] { return true; }, kForever));
  bool posted = false, entered = false;
  EXPECT_TRUE(shared.enter([&] {
    entered = true;
    boost::asio::post(io, [&] { posted = true; });
  }));
  EXPECT_TRUE(entered);
  EXPECT_TRUE(posted) << "what is ready on the loop runs as well";
}

TEST_F(SharedLoopTest, AttentionEndsTheRest) {
  EXPECT_TRUE(shared.run_until([] { return true; }, kForever));
  std::thread::id ran_on;
  on_loop([&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, owner.get_id());
}

TEST_F(SharedLoopTest, OnlyOneMayRunItAtATime) {
  EXPECT_TRUE(shared.run_until(
      [&] {
        std::thread([&] {
          EXPECT_FALSE(shared.run_until([] { return true; }, kForever));
          EXPECT_FALSE(shared.enter([] {}));
        }).join();
        return true;
      },
      kForever));
}

TEST_F(SharedLoopTest, ADeadlineEndsTheWait) {
  EXPECT_TRUE(shared.run_until([] { return false; }, SharedLoop::Clock::now() + milliseconds(1)));
}

TEST_F(SharedLoopTest, AnErrorOfAHandlerReachesWhoeverRunsItAndTheLoopGoesOn) {
  EXPECT_TRUE(shared.run_until([] { return true; }, kForever));
  boost::asio::post(io, [] { throw std::runtime_error("no"); });
  EXPECT_THROW(shared.run_until([] { return false; }, kForever), std::runtime_error);
  on_loop([] {});
}

TEST_F(SharedLoopTest, FinishingSendsWaitersAway) {
  EXPECT_TRUE(shared.run_until(
      [this, first = true]() mutable {
        if (std::exchange(first, false)) shared.finish();
        return false;
      },
      kForever));
  EXPECT_FALSE(shared.run_until([] { return true; }, kForever));
  EXPECT_FALSE(shared.enter([] {}));
}

TEST_F(SharedLoopTest, WithoutWorkItEnds) {
  work.reset();
  owner.join();
  EXPECT_FALSE(shared.enter([] {}));
  owner = std::thread([] {});
}

TEST(SharedLoopBeginningTest, WhatWasPostedBeforeItRanEndsNoLaterRest) {
  boost::asio::io_context io{1};
  auto work = boost::asio::make_work_guard(io);
  SharedLoop shared(io, hours(1));
  std::promise<void> begun;
  boost::asio::post(io, [&] { begun.set_value(); });
  shared.attend();
  std::thread owner([&] { shared.run(); });
  begun.get_future().wait();
  EXPECT_TRUE(shared.run_until([] { return true; }, kForever));
  EXPECT_TRUE(shared.enter([] {}));
  shared.finish();
  owner.join();
}

struct BrieflyRestingLoopTest : SharedLoopTest {
  BrieflyRestingLoopTest() : SharedLoopTest(std::chrono::microseconds(50)) {}
};

TEST_F(BrieflyRestingLoopTest, TheOwnerComesBackByItself) {
  EXPECT_TRUE(shared.run_until([] { return true; }, kForever));
  std::promise<std::thread::id> ran_on;
  boost::asio::post(io, [&] { ran_on.set_value(std::this_thread::get_id()); });  // nobody is told
  EXPECT_EQ(ran_on.get_future().get(), owner.get_id());
}

TEST_F(BrieflyRestingLoopTest, ManyThreadsInTurnsLoseNothing) {
  constexpr int kThreads = 4, kRounds = 500;
  int ran = 0;  // on the loop alone, and so without a lock
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const auto done = std::make_shared<std::atomic<bool>>(false);
        const auto action = [&, done] {
          ++ran;
          done->store(true);
          done->notify_all();
        };
        if (!shared.enter(action)) post(action);
        shared.run_until([&] { return done->load(); }, kForever);
        done->wait(false);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  on_loop([&] { EXPECT_EQ(ran, kThreads * kRounds); });
}

}  // namespace
}  // namespace covey::bus

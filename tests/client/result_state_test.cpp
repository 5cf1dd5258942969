// Who waits for an AsyncResult, and when the loop has to look for them.
#include "client/result_state.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "client/session.hpp"

namespace covey::client {
namespace {

struct ResultStateTest : testing::Test {
  boost::asio::io_context io;
  std::shared_ptr<Session> session = std::make_shared<Session>(Options{}, &io);
  std::shared_ptr<ResultState> state = std::make_shared<ResultState>(session);
  AsyncResult result{state};
};

TEST_F(ResultStateTest, ACallbackThatIsCalledAtOnceLeavesNobodyWaiting) {
  state->done = 1;
  int called = 0;
  result.on_ready([&] { ++called; });
  EXPECT_EQ(called, 1);
  EXPECT_EQ(state->wake_at.load(), ResultState::kNobody);
}

TEST_F(ResultStateTest, ACallbackWaitsUntilAllHaveEndedAndNoLonger) {
  state->hold_many(2);
  int called = 0;
  result.on_ready([&] { ++called; });
  EXPECT_EQ(state->wake_at.load(), 2U);
  EXPECT_TRUE(state->take_woken(1).callbacks.empty());
  EXPECT_EQ(state->wake_at.load(), 2U);
  const auto woken = state->take_woken(2);
  ASSERT_EQ(woken.callbacks.size(), 1U);
  EXPECT_EQ(state->wake_at.load(), ResultState::kNobody);
  woken.callbacks[0]();
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(state->take_woken(2).callbacks.empty());
}

TEST_F(ResultStateTest, AWaitForSomeEndsWhenSoManyHaveEnded) {
  state->hold_many(3);
  int ended = 0;
  for (const std::size_t count : {1, 3}) result.async_wait_for(count, [&](boost::system::error_code) { ++ended; });
  EXPECT_EQ(state->wake_at.load(), 1U);
  for (const auto& wait : state->take_woken(1).waits) wait.completion->complete({});
  EXPECT_EQ(state->wake_at.load(), 3U);
  io.poll();
  EXPECT_EQ(ended, 1);
  for (const auto& wait : state->take_woken(3).waits) wait.completion->complete({});
  EXPECT_EQ(state->wake_at.load(), ResultState::kNobody);
  io.restart();
  io.poll();
  EXPECT_EQ(ended, 2);
}

}  // namespace
}  // namespace covey::client

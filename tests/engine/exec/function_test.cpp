#include "engine/exec/function.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "engine/exec/arguments.hpp"
#include "tests/engine/exec/run.hpp"

namespace covey::engine {
namespace {

std::unique_ptr<Function> function(std::string name, Builtin::Body body) {
  return std::make_unique<Builtin>(FunctionInfo{std::move(name), "", "", {wire::Codec::json}, false}, std::move(body));
}

Outcome nothing(CallContext&, const wire::Payload&) { return {}; }

TEST(FunctionTableTest, FindsByNameAndNamesAreSorted) {
  FunctionTable table;
  table.add(function("b", nothing));
  table.add(function("a", nothing));
  EXPECT_EQ(table.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table.find("b")->info().name, "b");
  EXPECT_EQ(table.find("c"), nullptr);
}

TEST(FunctionTableTest, ANameIsTakenOnce) {
  FunctionTable table;
  table.add(function("a", nothing));
  EXPECT_THROW(table.add(function("a", nothing)), std::invalid_argument);
  EXPECT_EQ(table.size(), 1U);
}

TEST(RunGuardedTest, WhatAFunctionThrowsBecomesAFailure) {
  FunctionTable table;
  table.add(function("error", [](CallContext&, const wire::Payload&) -> Outcome { throw std::runtime_error("oh"); }));
  table.add(function("int", [](CallContext&, const wire::Payload&) -> Outcome { throw 1; }));
  EXPECT_EQ(text_of(run(table, "error", "")), "failed: oh");
  EXPECT_EQ(text_of(run(table, "int", "")), "failed: it threw something that is no std::exception");
}

TEST(RunGuardedTest, ACancelledRunIsCancelledEvenWhereItCompleted) {
  FunctionTable table;
  table.add(function("done", [](CallContext& context, const wire::Payload&) {
    context.cancel(false);
    return Outcome{.stdout_text = "printed"};
  }));
  const auto outcome = run(table, "done", "");
  EXPECT_EQ(text_of(outcome), "cancelled: cancelled while it ran");
  EXPECT_EQ(outcome.stdout_text, "printed");
}

TEST(CallContextTest, TheFirstReasonToStopCounts) {
  CallContext limited, cancelled;
  limited.cancel(true);
  limited.cancel(false);
  EXPECT_TRUE(limited.over_limit());
  cancelled.cancel(false);
  cancelled.cancel(true);
  EXPECT_TRUE(cancelled.cancelled());
  EXPECT_FALSE(cancelled.over_limit());
}

TEST(CallContextTest, TheHookIsCalledOnceByCancel) {
  CallContext context;
  int calls = 0;
  context.on_cancel([&] { ++calls; });
  EXPECT_EQ(calls, 0);
  context.cancel(false);
  context.cancel(false);
  EXPECT_EQ(calls, 1);
}

TEST(CallContextTest, AHookThatComesLateIsCalledAtOnce) {
  CallContext context;
  context.cancel(false);
  int calls = 0;
  context.on_cancel([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(CallContextTest, ARemovedHookIsNotCalled) {
  CallContext context;
  context.on_cancel([] { ADD_FAILURE(); });
  context.on_cancel({});
  context.cancel(false);
}

TEST(CallContextTest, ASleepIsOverWhenCancelledBefore) {
  CallContext context;
  context.cancel(false);
  EXPECT_FALSE(context.sleep_for(std::chrono::hours(1)));
}

TEST(CallContextTest, AVeryLongSleepDoesNotOverflow) {
  CallContext context;
  std::thread other([&] { context.cancel(false); });
  EXPECT_FALSE(context.sleep_for(std::chrono::nanoseconds::max()));
  other.join();
}

}  // namespace
}  // namespace covey::engine

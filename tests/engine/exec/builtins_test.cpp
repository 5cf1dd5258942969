#include "engine/exec/builtins.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <limits>
#include <string>
#include <thread>

#include "tests/engine/exec/run.hpp"

namespace covey::engine {
namespace {

using wire::Codec;

class BuiltinsTest : public testing::Test {
 protected:
  BuiltinsTest() { add_builtins(table_); }
  std::string call(std::string_view name, std::string_view args, Codec codec = Codec::json) const {
    return text_of(run(table_, name, args, codec));
  }
  FunctionTable table_;
};

std::string bytes_of(std::initializer_list<double> numbers) {
  std::string bytes(numbers.size() * sizeof(double), '\0');
  if (!bytes.empty()) std::memcpy(bytes.data(), numbers.begin(), bytes.size());
  return bytes;
}

TEST_F(BuiltinsTest, EchoReturnsItsOnlyArgument) {
  EXPECT_EQ(call("echo", R"([""])"), R"(ok "")");
  EXPECT_EQ(call("echo", R"(["some text"])"), R"(ok "some text")");
  EXPECT_EQ(call("echo", R"([{"a": [1, 2]}])"), R"(ok {"a": [1, 2]})");
  EXPECT_EQ(call("echo", "[null]"), "ok null");
}

TEST_F(BuiltinsTest, EchoKeepsWhatANumberTypeWouldLose) {
  EXPECT_EQ(call("echo", "[123456789012345678901234567890]"), "ok 123456789012345678901234567890");
  EXPECT_EQ(call("echo", "[0.10]"), "ok 0.10");
}

TEST_F(BuiltinsTest, EchoTakesBlanksAroundItsArgument) { EXPECT_EQ(call("echo", " [ \t\n 5 ] \n"), "ok 5"); }

TEST_F(BuiltinsTest, EchoIsNotFooledByQuotesAndBackslashes) {
  EXPECT_EQ(call("echo", R"(["a\"b"])"), R"(ok "a\"b")");
  EXPECT_EQ(call("echo", R"(["ü€😀"])"), R"(ok "ü€😀")");
  EXPECT_EQ(call("echo", R"(["a","b"])"), "bad_arguments: echo: takes 1 argument, got 2");
  EXPECT_TRUE(call("echo", "[\"a\\\"]").starts_with("bad_arguments"));
  EXPECT_TRUE(call("echo", "[\"\xff\"]").starts_with("bad_arguments"));
  EXPECT_TRUE(call("echo", "[\"a\nb\"]").starts_with("bad_arguments"));
}

TEST_F(BuiltinsTest, EchoRefusesWhatIsNoArrayOfOne) {
  EXPECT_EQ(call("echo", "[]"), "bad_arguments: echo: takes 1 argument, got 0");
  EXPECT_EQ(call("echo", "[[1, 2], 3]"), "bad_arguments: echo: takes 1 argument, got 2");
  EXPECT_TRUE(call("echo", R"({"a": 1})").starts_with("bad_arguments: echo: the arguments must be a JSON array"));
  EXPECT_TRUE(call("echo", "5").starts_with("bad_arguments: echo: the arguments must be a JSON array"));
  for (const auto* text : {"", "[", "[1", "[1]]", "[1] 2", "[1,]", "{]", "[\"]"}) {
    EXPECT_TRUE(call("echo", text).starts_with("bad_arguments: echo: the arguments must be a JSON array")) << text;
  }
}

TEST_F(BuiltinsTest, NestingIsLimited) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(run(table_, "echo", nested(64)).status, wire::TaskStatus::ok);
  EXPECT_EQ(run(table_, "echo", nested(65)).status, wire::TaskStatus::bad_arguments);
  EXPECT_EQ(run(table_, "sum", nested(100'000)).status, wire::TaskStatus::bad_arguments);
}

TEST_F(BuiltinsTest, EchoReturnsBytesAsNewBytes) {
  const wire::Payload args{Codec::bytes, wire::Buffer::copy_of("\xff raw")};
  CallContext context;
  const auto outcome = run_guarded(*table_.find("echo"), context, args);
  EXPECT_EQ(outcome.value.codec, Codec::bytes);
  EXPECT_EQ(outcome.value.buffer.view(), args.buffer.view());
  EXPECT_NE(outcome.value.buffer.data(), args.buffer.data());
}

TEST_F(BuiltinsTest, SleepReturnsNullAndNotTooEarly) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(call("sleep", "[0.001]"), "ok null");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1));
  EXPECT_EQ(call("sleep", "[0]"), "ok null");
}

TEST_F(BuiltinsTest, WrongSecondsAreRefusedAndExplained) {
  EXPECT_EQ(call("sleep", R"(["1"])"), "bad_arguments: sleep: argument 1 (seconds) must be a number ≥ 0, got a string");
  EXPECT_EQ(call("sleep", "[-1]"), "bad_arguments: sleep: argument 1 (seconds) must be a number ≥ 0, got -1");
  EXPECT_EQ(call("spin", "[null]"), "bad_arguments: spin: argument 1 (seconds) must be a number ≥ 0, got null");
  EXPECT_EQ(call("sleep", "[1e10]"), "bad_arguments: sleep: argument 1 (seconds) must be at most 1e9, got 1E10");
  EXPECT_EQ(run(table_, "sleep", "[1e999]").status, wire::TaskStatus::bad_arguments);
  EXPECT_EQ(run(table_, "sleep", "[NaN]").status, wire::TaskStatus::bad_arguments);
  EXPECT_EQ(call("sleep", "[]"), "bad_arguments: sleep: takes 1 argument, got 0");
  EXPECT_EQ(call("sleep", "[1, 2]"), "bad_arguments: sleep: takes 1 argument, got 2");
}

TEST_F(BuiltinsTest, CodecsThatAFunctionDoesNotTakeAreRefused) {
  EXPECT_EQ(call("sleep", "1", Codec::pickle5), "bad_arguments: sleep: takes arguments as json, got pickle5");
  EXPECT_EQ(call("sum", "1", Codec::pickle5), "bad_arguments: sum: takes arguments as json or bytes, got pickle5");
}

TEST_F(BuiltinsTest, CancellingWakesASleeperAndASpinner) {
  for (const auto* name : {"sleep", "spin"}) {
    CallContext context;
    std::thread other([&] { context.cancel(false); });
    EXPECT_EQ(text_of(run(table_, name, "[100000]", context)), "cancelled null: cancelled while it ran");
    other.join();
  }
}

TEST_F(BuiltinsTest, TheRunLimitEndsASleeperAndASpinner) {
  for (const auto* name : {"sleep", "spin"}) {
    CallContext context(CallContext::Clock::now() + std::chrono::milliseconds(1));
    EXPECT_EQ(text_of(run(table_, name, "[100000]", context)), "timed_out null: it ran longer than its limit");
  }
}

TEST_F(BuiltinsTest, SpinReturnsNull) { EXPECT_EQ(call("spin", "[0.0001]"), "ok null"); }

TEST_F(BuiltinsTest, FailFailsWithItsMessage) {
  EXPECT_EQ(call("fail", R"(["no\tluck"])"), "failed: no\tluck");
  EXPECT_EQ(call("fail", "[[]]"), "bad_arguments: fail: argument 1 (message) must be a string, got an array");
}

TEST_F(BuiltinsTest, SumOfIntegersIsAnIntegerForAsLongAsItFits) {
  EXPECT_EQ(call("sum", "[1, 2, 39]"), "ok 42");
  EXPECT_EQ(call("sum", "[[1, 2, 39]]"), "ok 42");
  EXPECT_EQ(call("sum", "[]"), "ok 0");
  EXPECT_EQ(call("sum", "[9223372036854775807, 1]"), "ok 9.223372036854776e+18");
}

TEST_F(BuiltinsTest, SumOfFractionsIsTheShortestTextOfTheDouble) {
  EXPECT_EQ(call("sum", "[0.5, 2.5]"), "ok 3.0");
  EXPECT_EQ(call("sum", "[0.1, 0.2]"), "ok 0.30000000000000004");
  EXPECT_EQ(call("sum", "[1e300, 1]"), "ok 1e+300");
}

TEST_F(BuiltinsTest, SumTakesPackedDoubles) {
  EXPECT_EQ(call("sum", bytes_of({1.5, 2.5, 38}), Codec::bytes), "ok 42.0");
  EXPECT_EQ(call("sum", "", Codec::bytes), "ok 0.0");
  EXPECT_EQ(call("sum", "1234567", Codec::bytes),
            "bad_arguments: sum: bytes must be whole little-endian float64 values, 8 bytes each, got 7 bytes");
}

TEST_F(BuiltinsTest, SumRefusesWhatIsNoFiniteNumber) {
  EXPECT_EQ(call("sum", R"([1, "2"])"), "bad_arguments: sum: argument 2 (number) must be a number, got a string");
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(call("sum", bytes_of({nan}), Codec::bytes),
            "bad_arguments: sum: the numbers must be finite and their sum too");
  EXPECT_EQ(run(table_, "sum", "[1e308, 1e308]").status, wire::TaskStatus::bad_arguments);
}

}  // namespace
}  // namespace covey::engine

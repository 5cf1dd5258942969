#include "engine/exec/variables.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "common/wire/bytes.hpp"
#include "engine/exec/plugin_loader.hpp"
#include "tests/engine/exec/run.hpp"

namespace covey::engine {
namespace {

wire::Payload bytes(std::string text) { return {wire::Codec::bytes, wire::Buffer(std::move(text))}; }

struct VariablesTest : testing::Test {
  VariablesTest() { add_variables(table, variables); }
  Outcome call(std::string_view function, std::string_view variable, const wire::Payload& args = {wire::Codec::json, {}}) {
    CallContext context(std::nullopt, variable);
    return run_guarded(*table.find(function), context, args);
  }
  Variables variables{1000};
  FunctionTable table;
};

TEST_F(VariablesTest, WhatWasPushedIsPulledWithItsCodecAndWithoutACopy) {
  const auto value = bytes(std::string(300, 'x'));
  EXPECT_EQ(text_of(call("push", "a", value)), "ok null");
  const auto pulled = call("pull", "a").value;
  EXPECT_EQ(pulled.codec, wire::Codec::bytes);
  EXPECT_EQ(pulled.buffer.data(), value.buffer.data());
}

TEST_F(VariablesTest, BytesThatOnlyLastForTheCallAreCopied) {
  std::string text = "12345";
  EXPECT_EQ(text_of(call("push", "a", {wire::Codec::json, wire::Buffer(nullptr, wire::as_bytes(text))})), "ok null");
  text = "xxxxx";
  EXPECT_EQ(text_of(call("pull", "a")), "ok 12345");
}

TEST_F(VariablesTest, AMissingVariableIsNamedWithThoseThatAreThere) {
  EXPECT_EQ(text_of(call("pull", "b")), "bad_arguments: pull: no variable 'b' on this engine; there are: none");
  call("push", "a", bytes("1"));
  EXPECT_EQ(text_of(call("unset", "b")), "bad_arguments: unset: no variable 'b' on this engine; there are: a");
}

TEST_F(VariablesTest, ATaskThatNamesNoVariableIsRefused) {
  EXPECT_EQ(call("push", "").status, wire::TaskStatus::bad_arguments);
  EXPECT_EQ(call("push", std::string(kLongestVariableName, 'n'), bytes("1")).status, wire::TaskStatus::ok);
  EXPECT_EQ(call("push", std::string(kLongestVariableName + 1, 'n'), bytes("1")).status, wire::TaskStatus::bad_arguments);
}

TEST_F(VariablesTest, TheLimitIsInBytesAndSaysWhatIsUsed) {
  const std::size_t most = 1000 - kVariableOverhead - 1;
  EXPECT_EQ(call("push", "a", bytes(std::string(most + 1, 'x'))).status, wire::TaskStatus::payload_too_large);
  EXPECT_EQ(call("push", "a", bytes(std::string(most, 'x'))).status, wire::TaskStatus::ok);
  EXPECT_EQ(variables.bytes(), 1000U);
  const auto full = call("push", "b", bytes("1"));
  EXPECT_EQ(full.status, wire::TaskStatus::payload_too_large);
  EXPECT_EQ(full.error, "push: 'b' needs 130 bytes; the engine's variables may have 1000 (--variable-mb), and 1000 are used");
  EXPECT_EQ(call("push", "a", bytes("short")).status, wire::TaskStatus::ok);  // what it replaces is free
  EXPECT_EQ(call("push", "b", bytes("1")).status, wire::TaskStatus::ok);
}

TEST_F(VariablesTest, UnsetMakesRoom) {
  call("push", "a", bytes("1"));
  EXPECT_EQ(text_of(call("unset", "a")), "ok null");
  EXPECT_EQ(variables.bytes(), 0U);
  EXPECT_EQ(variables.names(), std::vector<std::string>());
}

TEST_F(VariablesTest, ManyThreadsMayUseThemAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> torn{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 500; ++round) {
        call("push", "shared", bytes(std::string(100, static_cast<char>('a' + i))));
        const auto seen = std::string(call("pull", "shared").value.buffer.view());
        if (seen != std::string(100, seen[0])) ++torn;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(variables.bytes(), kVariableOverhead + 6 + 100);
}

TEST_F(VariablesTest, APluginReadsAVariable) {
  load_plugin(table, PLUGIN_VARIOUS_PATH, &variables);
  EXPECT_EQ(text_of(run(table, "read_table", "[]")), "failed: there is no table");
  variables.set("table", bytes("rows"));
  EXPECT_EQ(text_of(run(table, "read_table", "[]")), "ok rows");
}

}  // namespace
}  // namespace covey::engine

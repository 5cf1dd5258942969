#include "engine/exec/plugin_loader.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "engine/exec/builtins.hpp"
#include "tests/engine/exec/run.hpp"

namespace covey::engine {
namespace {

// What loading it throws; empty: it loads.
std::string load_error(FunctionTable& table, const std::string& path) {
  try {
    load_plugin(table, path);
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::string load_error(const std::string& path) {
  FunctionTable table;
  auto error = load_error(table, path);
  EXPECT_EQ(table.size(), 0U);  // all or nothing
  return error;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

class PluginTest : public testing::Test {
 protected:
  PluginTest() { load_plugin(table_, PLUGIN_VARIOUS_PATH); }
  std::string call(std::string_view name, std::string_view args, wire::Codec codec = wire::Codec::json) {
    return text_of(run(table_, name, args, codec));
  }
  FunctionTable table_;
};

TEST_F(PluginTest, AFunctionIsRegisteredWithAllThatItSays) {
  const auto& info = table_.find("reverse")->info();
  EXPECT_EQ(info.description, "bytes, the last one first");
  EXPECT_EQ(info.arguments, "bytes");
  EXPECT_EQ(info.codecs, (std::vector{wire::Codec::bytes, wire::Codec::pickle5}));
  EXPECT_TRUE(info.inline_safe);
  EXPECT_FALSE(table_.find("count")->info().inline_safe);
}

TEST_F(PluginTest, ArgumentsComeInAndResultsGoOut) {
  EXPECT_EQ(call("reverse", "abc", wire::Codec::bytes), "ok cba");
  EXPECT_EQ(call("reverse", "", wire::Codec::bytes), "ok");
  EXPECT_EQ(call("reverse", std::string(65, 'x'), wire::Codec::bytes),
            "bad_arguments: reverse: takes at most 64 bytes");
}

TEST_F(PluginTest, StateIsKeptBetweenRuns) {
  EXPECT_EQ(call("count", "[]"), "ok 1");
  EXPECT_EQ(call("count", "[]"), "ok 2");
}

TEST_F(PluginTest, OfSeveralReportsTheLastCounts) { EXPECT_EQ(call("say_fail", "[]"), "failed: out of luck"); }

TEST_F(PluginTest, AnExceptionIsAFailure) {
  EXPECT_EQ(call("do_throw", "[]"), "failed: thrown by a plugin");
  EXPECT_TRUE(call("throw_int", "[]").starts_with("failed: "));
}

TEST_F(PluginTest, SilenceAndUnknownCodecsAreFailures) {
  EXPECT_EQ(call("say_nothing", "[]"), "failed: the plugin returned without a result or an error");
  EXPECT_EQ(call("odd_codec", "[]"), "failed: the plugin returned a result of an unknown codec, 77");
}

TEST_F(PluginTest, ARunSeesThatItIsCancelled) {
  CallContext context;
  std::thread other([&] { context.cancel(false); });
  EXPECT_EQ(run(table_, "until_cancelled", "[]", context).status, wire::TaskStatus::cancelled);
  other.join();
}

TEST(PluginLoaderTest, AMissingFileIsNamed) {
  EXPECT_EQ(load_error("/nowhere/at_all.so"), "plugin /nowhere/at_all.so: there is no such file");
}

TEST(PluginLoaderTest, AFileThatIsNoLibraryIsRefused) {
  EXPECT_TRUE(contains(load_error(NO_LIBRARY_PATH), "cannot load it: "));
}

TEST(PluginLoaderTest, ALibraryThatIsNoPluginIsRefused) {
  EXPECT_TRUE(contains(load_error(PLUGIN_NO_SYMBOL_PATH), "it exports no covey_plugin_abi"));
}

TEST(PluginLoaderTest, AnotherAbiIsRefusedBeforeItsCodeIsTrusted) {
  EXPECT_TRUE(contains(load_error(PLUGIN_OLD_ABI_PATH), "it was built for plugin ABI 999, this engine has 1"));
}

TEST(PluginLoaderTest, ANameThatIsTakenRefusesTheWholeLibrary) {
  FunctionTable table;
  add_builtins(table);
  const auto before = table.names();
  EXPECT_TRUE(contains(load_error(table, PLUGIN_ECHO_AGAIN_PATH), "the engine already has a function 'echo'"));
  EXPECT_EQ(table.names(), before);
}

TEST(PluginLoaderTest, LoadingTwiceIsADuplicate) {
  FunctionTable table;
  EXPECT_EQ(load_error(table, PLUGIN_VARIOUS_PATH), "");
  EXPECT_TRUE(contains(load_error(table, PLUGIN_VARIOUS_PATH), "the engine already has a function 'reverse'"));
}

TEST(PluginLoaderTest, APluginThatGivesUpAddsNothing) {
  EXPECT_TRUE(contains(load_error(PLUGIN_HALF_BAD_PATH), "covey_plugin() returned 42"));
  EXPECT_TRUE(contains(load_error(PLUGIN_THROWS_PATH), "covey_plugin() threw: no licence"));
}

TEST(PluginLoaderTest, AStructSmallerThanTheFirstOfItsAbiIsRefused) {
  EXPECT_TRUE(contains(load_error(PLUGIN_SMALL_STRUCT_PATH), "covey_add() needs a covey_function whose struct_size"));
}

TEST(PiExampleTest, EstimatesPiAndIsReproducible) {
  FunctionTable table;
  load_plugin(table, PI_PATH);
  EXPECT_EQ(text_of(run(table, "pi", "[1000000, 1]")), text_of(run(table, "pi", " [1000000,1] ")));
  EXPECT_TRUE(contains(text_of(run(table, "pi", "[1000000, 1]")), R"("estimate": 3.1)"));
  EXPECT_NE(text_of(run(table, "pi", "[1000000, 1]")), text_of(run(table, "pi", "[1000000, 2]")));
}

TEST(PiExampleTest, RefusesWhatItCannotRead) {
  FunctionTable table;
  load_plugin(table, PI_PATH);
  for (const auto* args : {"[]", "[1]", "[0, 1]", "[-1, 1]", "[1.5, 1]", "[1, 2, 3]", "[1, 2", "5", "[1, 2] x",
                           "[1234567890123456789, 1]"}) {
    EXPECT_EQ(run(table, "pi", args).status, wire::TaskStatus::bad_arguments) << args;
  }
}

}  // namespace
}  // namespace covey::engine

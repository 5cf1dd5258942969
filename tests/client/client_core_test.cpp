#include "tests/client/core_fixture.hpp"

namespace covey::client {
namespace {

struct ClientCoreTest : CoreFixture {
  std::uint64_t submit(std::uint32_t spec, std::uint64_t cookie) {
    const auto sequence = core.submit({Scheme::controller, spec, {}, nullptr, {}, cookie});
    core.end_turn(now);
    return sequence;
  }
};

TEST_F(ClientCoreTest, ATaskIsToldOnceHoweverOftenItsResultComes) {
  welcome();
  const auto sequence = submit(core.add_spec(spec_of("echo")), 42);
  finish(sequence);
  finish(sequence);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].cookie, 42U);
  EXPECT_EQ(core.duplicates(), 1U);
}

TEST_F(ClientCoreTest, WhatHasNoResultIsSubmittedAgainToANewController) {
  welcome();
  const auto spec = core.add_spec(spec_of("echo"));
  const auto done = submit(spec, 1), open = submit(spec, 2);
  finish(done);
  submitted.clear();
  core.on_disconnected();
  now += std::chrono::seconds(1);
  core.on_connected(now);
  wire::Writer announce;  // a controller that has never heard of the client
  announce.skip(wire::kHeaderBytes);
  wire::write_header(announce.data(), {wire::FrameKind::announce, 0, wire::Incarnation{2000}, wire::Incarnation::none, 0, 0});
  core.on_frame(wire::Role::controller, announce.span(), now);
  welcome();
  ASSERT_EQ(submitted.size(), 1U);
  EXPECT_EQ(submitted[0].sequence, open);
  EXPECT_EQ(submitted[0].function, "echo");
  EXPECT_TRUE(submitted[0].resubmitted);
}

TEST_F(ClientCoreTest, EqualSpecsShareANumber) {
  EXPECT_EQ(core.add_spec(spec_of("echo")), core.add_spec(spec_of("echo")));
  EXPECT_NE(core.add_spec(spec_of("echo")), core.add_spec(spec_of("sum")));
}

TEST_F(ClientCoreTest, SpecsThatNobodyUsesMakeRoomForOthers) {
  welcome();
  for (std::size_t i = 0; i < 3 * ClientCore::kMostIdleSpecs; ++i) {
    const auto function = "f" + std::to_string(i);
    const auto spec = core.add_spec(spec_of(function));
    const auto sequence = submit(spec, i);
    core.release_spec(spec);
    EXPECT_EQ(submitted.back().function, function);
    finish(sequence);
  }
  EXPECT_EQ(core.specs(), ClientCore::kMostIdleSpecs);
  EXPECT_LE(specs.size(), ClientCore::kMostIdleSpecs + 1);  // the controller's table has no more either
}

TEST_F(ClientCoreTest, ASpecStaysWhileATaskNeedsItOrSomebodyHoldsIt) {
  welcome();
  const auto of_task = core.add_spec(spec_of("open"));
  const auto open = submit(of_task, 1);
  core.release_spec(of_task);
  const auto held = core.add_spec(spec_of("held"));
  for (std::size_t i = 0; i < 2 * ClientCore::kMostIdleSpecs; ++i) core.release_spec(core.add_spec(spec_of("f" + std::to_string(i))));
  EXPECT_EQ(core.add_spec(spec_of("open")), of_task);
  EXPECT_EQ(core.add_spec(spec_of("held")), held);
  submit(held, 2);
  EXPECT_EQ(submitted.back().function, "held");
  finish(open);
  EXPECT_EQ(results.back().cookie, 1U);
}

}  // namespace
}  // namespace covey::client

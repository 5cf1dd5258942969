// Values that are too large for records: kept until they are released, whatever links come and go.
#include "tests/engine/core/engine_fixture.hpp"

namespace covey::engine {
namespace {

struct ValuesTest : EngineFixture {
  wire::BlobReference make_value(FarLink& far, std::uint64_t sequence, std::size_t size = 40'000) {
    run(far, sequence);
    turn(far);
    const auto value = finish_with_value(begin(), size);
    turn(far);
    return value;
  }
};

TEST_F(ValuesTest, AValueStaysUntilItIsReleased) {
  const auto far = connect();
  const auto value = make_value(*far, 1);
  EXPECT_EQ(core.held_values(), 1u);
  EXPECT_EQ(core.held_value_bytes(), 40'000u);
  say(*far, wire::ReleaseRecord{value.blob});
  turn(*far);
  EXPECT_EQ(core.held_values(), 0u);
  EXPECT_EQ(core.held_value_bytes(), 0u);
}

TEST_F(ValuesTest, AValueIsReportedAgainToAnotherController) {
  const auto far = connect();
  make_value(*far, 1);
  lose();
  const auto other = welcome(kOther);  // finished has views into what it heard
  const auto finished = other->said.of<wire::FinishedRecord>(RecordType::finished);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].task, task(1));
  EXPECT_TRUE(wire::report_has_reference(finished[0].report));
}

// Its release may have been lost with the old link. Found by seed 9 of the simulation.
TEST_F(ValuesTest, AValueIsReportedAgainToTheSameControllerOnANewLink) {
  const auto far = connect();
  make_value(*far, 1);
  lose_by_refusal(*far);
  const auto again = welcome(kController);
  const auto finished = again->said.of<wire::FinishedRecord>(RecordType::finished);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].task, task(1));
}

TEST_F(ValuesTest, AValueThatWasNotAcknowledgedIsReportedOnce) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  finish_with_value(begin(), 40'000);
  lose();
  EXPECT_EQ(welcome(kOther)->said.of<wire::FinishedRecord>(RecordType::finished).size(), 1u);
}

TEST_F(ValuesTest, TheValueOfARunThatWasGivenUpIsDropped) {
  const auto far = connect();
  run(*far, 1);
  turn(*far);
  const auto run = queue.front();
  say(*far, wire::StopRunRecord{handle(1)});
  turn(*far);
  finish_with_value(run, 40'000);  // its executor had it already
  EXPECT_EQ(core.held_values(), 0u);
}

TEST_F(ValuesTest, WhoAsksForAValueGetsItAndForAnotherTheWordThatItIsGone) {
  const auto far = connect();
  const auto value = make_value(*far, 1);
  sent.clear();
  for (const auto number : {value.blob, value.blob + 1}) {
    const auto want = test::body_of(wire::PayloadFrame{wire::PayloadFrame::Kind::want, number, 0, 40'000, {}});
    core.on_frame(wire::Role::client, test::message({wire::FrameKind::payload, 0, kClient, kSelf, number, 0}, want), now);
  }
  std::size_t bytes = 0, gone = 0;
  for (const auto& item : sent) {
    EXPECT_EQ(item.subject, subjects.to_client(kClient, wire::Role::engine));
    const auto frame = test::frame_of(item.message);
    const auto content = wire::decode_payload_frame(frame.body);
    ASSERT_TRUE(content);
    bytes += content->bytes.size();
    gone += content->kind == wire::PayloadFrame::Kind::gone ? 1 : 0;
  }
  EXPECT_EQ(bytes, 40'000u);
  EXPECT_EQ(gone, 1u);
}

}  // namespace
}  // namespace covey::engine

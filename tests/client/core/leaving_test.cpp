// Leaving in good order: what others may need is handed over first.
#include "tests/client/core/client_fixture.hpp"

namespace covey::client {
namespace {

struct LeavingTest : ClientFixture {
  wire::Payload large{wire::Codec::bytes, wire::Buffer(std::string(50'000, 'a'))};
  std::vector<std::uint64_t> spilled_by(const FarLink& far) {
    std::vector<std::uint64_t> sequences;
    for (const auto& record : far.said.of<wire::SpillRecord>(RecordType::spill)) sequences.push_back(record.blob);
    std::sort(sequences.begin(), sequences.end());
    return sequences;
  }
  bool answers_wants_of(std::uint64_t blob) {
    sent.clear();
    const auto want = test::body_of(wire::PayloadFrame{wire::PayloadFrame::Kind::want, blob, 0, 50'000, {}});
    core.on_frame(wire::Role::engine, test::message({wire::FrameKind::payload, 0, kEngine, kSelf, 1, 0}, want), now);
    return wire::decode_payload_frame(test::frame_of(sent.front().message).body)->kind == wire::PayloadFrame::Kind::piece;
  }
};

TEST_F(LeavingTest, ArgumentsAreHeldUntilTheirTaskEnds) {
  const auto far = connect();
  submit(Scheme::controller, {}, &large);
  turn(*far);
  EXPECT_TRUE(answers_wants_of(1));
  result(*far, 1);
  turn(*far);
  EXPECT_FALSE(answers_wants_of(1));
}

TEST_F(LeavingTest, ArgumentsOfUnfinishedTasksAreOfferedAndWaitedFor) {
  const auto far = connect();
  for (int i = 0; i < 3; ++i) submit(Scheme::controller, {}, &large);
  turn(*far);
  result(*far, 2);
  turn(*far);
  core.spill();
  EXPECT_FALSE(core.spilled());
  turn(*far);
  EXPECT_EQ(spilled_by(*far), (std::vector<std::uint64_t>{1, 3}));
  say(*far, wire::ReleaseRecord{1});
  turn(*far);
  EXPECT_FALSE(core.spilled());
  say(*far, wire::ReleaseRecord{3});
  turn(*far);
  EXPECT_TRUE(core.spilled());
}

TEST_F(LeavingTest, ANewLinkIsOfferedWhatIsLeft) {
  const auto far = connect();
  submit(Scheme::controller, {}, &large);
  submit(Scheme::controller, {}, &large);
  turn(*far);
  core.spill();
  turn(*far);
  say(*far, wire::ReleaseRecord{1});
  turn(*far);
  lose();
  EXPECT_EQ(spilled_by(*welcome(kOther)), std::vector<std::uint64_t>{2});
}

TEST_F(LeavingTest, WhoHasNoLinkCannotHandAnythingOver) {
  submit(Scheme::controller, {}, &large);
  core.spill();
  EXPECT_TRUE(core.spilled());
}

TEST_F(LeavingTest, TasksThatHaveNotReachedTheControllerAreWaitedFor) {
  const auto far = connect();
  submit();
  core.spill();
  EXPECT_FALSE(core.spilled());
  core.end_turn(now);
  EXPECT_FALSE(core.spilled());  // sent, and not acknowledged
  turn(*far);
  EXPECT_TRUE(core.spilled());
}

TEST_F(LeavingTest, WhatWasTakenIsSaidBeforeTheGoodbye) {
  const auto far = connect();
  submit();
  turn(*far);
  result(*far, 1, value(9, 50'000));
  turn(*far);
  result(*far, 1);  // and again, inline: the value is not read
  result(*far, 1, value(9, 50'000));
  hear(*far, wire::Role::controller);
  core.say_goodbye();
  for (const auto& item : sent) far->receive(item.message, now);
  EXPECT_EQ(far->said.of<wire::TakenRecord>(RecordType::taken).size(), 1u);
  EXPECT_EQ(test::frame_of(sent.back().message).header.kind, wire::FrameKind::goodbye);
}

}  // namespace
}  // namespace covey::client

// Values by reference: fetched before the result is given out, and said to be taken once they are here.
#include "tests/client/core/client_fixture.hpp"

namespace covey::client {
namespace {

using std::chrono::milliseconds;

struct ValuesTest : ClientFixture {
  ValuesTest() : far(connect()) {}
  std::unique_ptr<FarLink> far;
  wire::Buffer bytes{std::string(100'000, 'v')};

  std::vector<wire::TakenRecord> taken(const FarLink& link) { return link.said.of<wire::TakenRecord>(RecordType::taken); }
  void submit_and_hear_of(const wire::BlobReference& blob) {
    const auto sequence = submit();
    turn(*far);
    result(*far, sequence, blob);
    turn(*far);
  }
};

TEST_F(ValuesTest, AResultIsGivenOutWithItsValueAndTheValueSaidToBeTaken) {
  submit_and_hear_of(value(9, bytes.size()));
  EXPECT_TRUE(results.empty());
  EXPECT_EQ(answer_wants(&bytes), 1u);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].value, bytes.view());
  turn(*far);
  ASSERT_EQ(taken(*far).size(), 1u);
  EXPECT_EQ(taken(*far)[0].outcome, wire::TakenOutcome::read);
  EXPECT_EQ(taken(*far)[0].blob, value(9, bytes.size()));
}

TEST_F(ValuesTest, AValueThatIsAskedForIsReadAndStaysWhereItIs) {
  const auto fetch = core.fetch(value(9, bytes.size()));
  turn(*far);
  EXPECT_EQ(answer_wants(&bytes), 1u);
  ASSERT_EQ(payloads.size(), 1u);
  EXPECT_EQ(payloads[0].first, fetch);
  ASSERT_TRUE(payloads[0].second);
  EXPECT_EQ(payloads[0].second->view(), bytes.view());
  turn(*far);
  EXPECT_TRUE(taken(*far).empty());
  const auto again = core.fetch(value(10, bytes.size()));
  turn(*far);
  answer_wants(nullptr);
  ASSERT_EQ(payloads.size(), 2u);
  EXPECT_EQ(payloads[1].first, again);
  EXPECT_FALSE(payloads[1].second);
  EXPECT_TRUE(results.empty());
}

TEST_F(ValuesTest, AValueThatIsGoneIsSaidToBeAndItsTaskStaysUnfinished) {
  submit_and_hear_of(value(9, bytes.size()));
  answer_wants(nullptr);
  turn(*far);
  EXPECT_TRUE(results.empty());
  ASSERT_EQ(taken(*far).size(), 1u);
  EXPECT_EQ(taken(*far)[0].outcome, wire::TakenOutcome::gone);
  result(*far, 1, value(10, bytes.size()));  // it has run again
  turn(*far);
  answer_wants(&bytes);
  EXPECT_EQ(results.size(), 1u);
}

TEST_F(ValuesTest, AHolderThatDoesNotAnswerIsSaidToBeUnreachable) {
  submit_and_hear_of(value(9, bytes.size()));
  for (int i = 0; i < 20; ++i) {
    pass(milliseconds(500));
    turn(*far);
  }
  ASSERT_EQ(taken(*far).size(), 1u);
  EXPECT_EQ(taken(*far)[0].outcome, wire::TakenOutcome::unreachable);
}

TEST_F(ValuesTest, ASecondHolderIsReadInsteadOfTheFirst) {
  submit_and_hear_of(value(9, bytes.size()));
  result(*far, 1, value(3, bytes.size(), kOther));
  turn(*far);
  const wire::Buffer wrong(std::string(bytes.size(), 'w'));
  answer_wants(&wrong, kEngine);  // the first one's answer, too late
  EXPECT_TRUE(results.empty());
  answer_wants(&bytes, kOther);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].value, bytes.view());
  turn(*far);
  ASSERT_EQ(taken(*far).size(), 1u);
  EXPECT_EQ(taken(*far)[0].blob.holder, kOther);
}

TEST_F(ValuesTest, TheSameResultAgainDoesNotBeginTheFetchAgain) {
  submit_and_hear_of(value(9, bytes.size()));
  answer_wants(nullptr);  // forgets the first want
  sent.clear();
  result(*far, 1, value(9, bytes.size()));
  turn(*far);
  sent.clear();
  result(*far, 1, value(9, bytes.size()));
  turn(*far);
  EXPECT_EQ(answer_wants(&bytes), 0u);
}

TEST_F(ValuesTest, AResultWithoutAValueEndsTheFetch) {
  submit_and_hear_of(value(9, bytes.size()));
  result(*far, 1, TaskStatus::payload_lost);
  turn(*far);
  ASSERT_EQ(results.size(), 1u);
  answer_wants(&bytes);
  EXPECT_EQ(results.size(), 1u);
}

TEST_F(ValuesTest, AValueThatNobodyWaitsForIsTakenAtOnce) {
  submit_and_hear_of(value(9, bytes.size()));
  answer_wants(&bytes);
  result(*far, 1, value(12, bytes.size()));
  turn(*far);
  turn(*far);
  ASSERT_EQ(taken(*far).size(), 2u);
  EXPECT_EQ(taken(*far)[1].blob.blob, 12u);
  EXPECT_EQ(results.size(), 1u);
}

TEST_F(ValuesTest, ATaskWhoseValueArrivesIsNotSubmittedAgainUnlessTheValueIsLost) {
  submit_and_hear_of(value(9, bytes.size()));
  lose();
  const auto next = welcome(kOther);
  EXPECT_TRUE(submitted(*next).empty());
  answer_wants(nullptr);
  turn(*next);
  EXPECT_EQ(submitted(*next), std::vector<std::uint64_t>{1});
  const auto types = next->said.types();
  EXPECT_EQ(types, (std::vector{RecordType::spec, RecordType::submit, RecordType::taken}));
}

// Found by seed 19 of the simulation.
TEST_F(ValuesTest, WhatWasTakenAndNotAcknowledgedIsSaidAgainOnANewLink) {
  submit_and_hear_of(value(9, bytes.size()));
  answer_wants(&bytes);  // and the frame that says so is lost with its link
  lose_by_refusal(*far);
  const auto next = welcome(kController);
  ASSERT_EQ(taken(*next).size(), 1u);
  EXPECT_EQ(taken(*next)[0].sequence, 1u);
  EXPECT_EQ(taken(*next)[0].blob, value(9, bytes.size()));
}

TEST_F(ValuesTest, AValueOverTheLimitIsRefused) {
  submit_and_hear_of(value(9, core.max_payload() + 1));
  EXPECT_EQ(answer_wants(&bytes), 0u);
  EXPECT_EQ(core.malformed_frames(), 1u);
}

}  // namespace
}  // namespace covey::client

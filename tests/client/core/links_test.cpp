// What a client says on its links to controllers, and what it makes of what it hears.
#include "tests/client/core/client_fixture.hpp"

namespace covey::client {
namespace {

struct LinksTest : ClientFixture {};

TEST_F(LinksTest, TasksWaitForALinkAndTheirSpecIsSaidOnce) {
  submit();
  submit();
  const auto far = connect();
  EXPECT_EQ(far->said.types(), (std::vector{RecordType::spec, RecordType::submit, RecordType::submit}));
  EXPECT_EQ(submitted(*far), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(LinksTest, AResultIsGivenOutOnce) {
  const auto far = connect();
  submit();
  turn(*far);
  result(*far, 1);
  result(*far, 1);
  turn(*far);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].cookie, 1u);
  EXPECT_EQ(core.duplicates(), 1u);
  EXPECT_EQ(core.unfinished(), 0u);
}

TEST_F(LinksTest, WhatHasNoResultIsSubmittedAgainOnANewLinkAndMarked) {
  const auto far = connect();
  for (int i = 0; i < 3; ++i) submit();
  turn(*far);
  result(*far, 2);
  turn(*far);
  lose();
  submit();  // no controller can have had this one
  const auto next = welcome(kOther);
  const auto records = next->said.of<wire::SubmitRecord>(RecordType::submit);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(submitted(*next), (std::vector<std::uint64_t>{1, 3, 4}));
  EXPECT_TRUE(records[0].resubmitted);
  EXPECT_TRUE(records[1].resubmitted);
  EXPECT_FALSE(records[2].resubmitted);
  EXPECT_EQ(next->said.types().front(), RecordType::spec);
}

TEST_F(LinksTest, AnotherControllerIsToldHowDependenciesEnded) {
  const auto far = connect();
  for (int i = 0; i < 3; ++i) submit();
  wire::SubmitExtras extras;
  extras.after.tasks = {{{kSession, 1}}, {{kSession, 2}}, {{kSession, 3}}, {{wire::SessionId{1}, 1}}};
  submit(Scheme::controller, extras);
  turn(*far);
  result(*far, 1);
  result(*far, 2, TaskStatus::failed);
  turn(*far);
  lose();
  const auto next = welcome(kOther);
  const auto last = next->said.of<wire::SubmitRecord>(RecordType::submit).back();
  const auto told = wire::decode_extras(last.extras);
  ASSERT_TRUE(told);
  using Known = wire::Dependency::Known;
  std::vector<Known> known;
  for (const auto& dependency : told->after.tasks) known.push_back(dependency.known);
  EXPECT_EQ(known, (std::vector{Known::succeeded, Known::failed, Known::no, Known::no}));
}

TEST_F(LinksTest, RequestsThatWereNotAnsweredAreAskedAgain) {
  const auto far = connect();
  core.request("{1}");
  const auto second = core.request("{2}");
  turn(*far);
  wire::encode_request(far->link.record(), RecordType::response, {1, "answer"});
  turn(*far);
  lose();
  const auto next = welcome(kOther);
  const auto asked = next->said.of<wire::RequestRecord>(RecordType::request);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].json, "{2}");
  wire::encode_request(next->link.record(), RecordType::response, {second, "another"});
  wire::encode_request(next->link.record(), RecordType::response, {second, "another"});
  turn(*next);
  EXPECT_EQ(responses, (std::vector<std::pair<std::uint64_t, std::string>>{{1, "answer"}, {second, "another"}}));
}

TEST_F(LinksTest, TheWindowIsWhatTheControllerLastSaid) {
  const auto far = connect();
  EXPECT_EQ(core.window(), 1'000u);
  say(*far, wire::WindowRecord{500});
  turn(*far);
  EXPECT_EQ(core.window(), 500u);
  EXPECT_EQ(windows, (std::vector<std::uint64_t>{1'000, 500}));
}

TEST_F(LinksTest, ACancelFollowsItsTask) {
  submit();
  core.cancel(core.id_of(1));
  const auto far = connect();
  EXPECT_EQ(far->said.types(), (std::vector{RecordType::spec, RecordType::submit, RecordType::cancel}));
}

TEST_F(LinksTest, TasksBeyondTheLinksRoomFollowWhenItIsAcknowledged) {
  const auto far = connect();
  wire::TaskSpec spec;
  spec.function = "echo";
  const auto number = core.add_spec(spec);
  const std::vector<std::byte> content(30'000, std::byte{1});
  for (int i = 0; i < 400; ++i) core.submit({Scheme::controller, number, content, nullptr, {}, 0});
  core.end_turn(now);
  EXPECT_LT(sent.size(), 400u);
  for (int i = 0; i < 50; ++i) turn(*far);
  EXPECT_EQ(submitted(*far).size(), 400u);
}

}  // namespace
}  // namespace covey::client

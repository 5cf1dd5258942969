// Administrative questions to the broker, and their answers.
#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

struct QueriesTest : BrokerFixture {};

TEST_F(QueriesTest, ExplainSaysWhatATaskWaitsFor) {
  auto c = client(2);
  const auto why = [&](std::uint64_t sequence) {
    return broker.ask(R"({"what":"explain","task":")" + wire::to_string({wire::SessionId{77}, sequence}) + "\"}", now);
  };
  submit(c, {}, 1);
  EXPECT_NE(why(1).find("no engines are here"), std::string::npos);
  auto e = engine(1, 1);
  submit(c, {}, 2);
  EXPECT_NE(why(1).find("an engine has it"), std::string::npos);
  EXPECT_NE(why(2).find("hold as many tasks as they want"), std::string::npos);
  submit(c, {}, 3, 1, after(1));
  EXPECT_NE(why(3).find("1 of its dependencies"), std::string::npos);
  wire::TaskSpec labelled;
  labelled.labels = {"gpu=a100"};
  submit(c, labelled, 4);
  EXPECT_NE(why(4).find("gpu=a100"), std::string::npos);
  read(e);
  finish(e);
  EXPECT_NE(why(1).find("it ran"), std::string::npos);
  EXPECT_NE(why(99).find("no task"), std::string::npos);
}

TEST_F(QueriesTest, DetachedResultsAreKeptUntilAskedFor) {
  auto e = engine(1, 1);
  auto c = client(2);
  wire::TaskSpec detached;
  detached.detached = true;
  submit(c, detached, 1);
  read(e);
  finish(e);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);  // that it ended, without its value
  EXPECT_EQ(c.results[0].status, wire::TaskStatus::ok);
  const auto answer = broker.ask(R"({"what":"result","task":"000000000000004d-1"})", now);
  EXPECT_NE(answer.find(R"("status":"ok")"), std::string::npos) << answer;
}

TEST_F(QueriesTest, ADetachedResultStaysWhenItsClientComesBackAndAsksAgain) {
  auto e = engine(1, 1);
  auto c = client(2);
  wire::TaskSpec detached;
  detached.detached = true;
  submit(c, detached, 1);
  read(e);
  finish(e);
  FarEnd again(wire::Role::client, 2, 2);
  wire::Hello hello;
  hello.role = wire::Role::client;
  hello.session = wire::SessionId{77};
  greet(again, hello);
  submit(again, detached, 1, 1, {}, true);
  ASSERT_FALSE(again.results.empty());  // twice, if the first was not acknowledged: clients know what they have
  EXPECT_EQ(again.results[0].status, wire::TaskStatus::ok);
  EXPECT_NE(broker.ask(R"({"what":"result","task":"000000000000004d-1"})", now).find(R"("ok")"), std::string::npos);
}

TEST_F(QueriesTest, BadRequestsNameWhatWouldBeRight) {
  EXPECT_NE(broker.ask("nonsense", now).find("JSON object"), std::string::npos);
  EXPECT_NE(broker.ask(R"({"what":"dance"})", now).find("status, engines"), std::string::npos);
  EXPECT_NE(broker.ask(R"({"what":"explain","task":"17"})", now).find("00c0ffee00c0ffee-17"), std::string::npos);
}

TEST_F(QueriesTest, AnAnswerLongerThanAFrameArrivesWhole) {
  std::vector<std::string> labels;
  for (int i = 0; i < 100; ++i) labels.push_back("label=" + std::string(90, 'x') + std::to_string(i));
  for (std::uint64_t id = 1; id <= 20; ++id) engine(id, 1, 1, labels);
  auto c = client(100);
  wire::encode_request(c.link->record(), wire::RecordType::request, {1, R"({"what":"engines"})"});
  turn(c);
  ASSERT_EQ(c.responses.size(), 1u);
  EXPECT_GT(c.responses[0].size(), wire::kMaxFrameBytes);
  EXPECT_EQ(boost::json::parse(c.responses[0]).at("engines").as_array().size(), 20u);
}

TEST_F(QueriesTest, ADrainedEngineIsGivenNothingUntilItIsResumed) {
  auto e = engine(1, 4);
  auto c = client(2);
  EXPECT_NE(broker.ask(R"({"what":"drain","engine":"0000000000000001"})", now).find("true"), std::string::npos);
  submit(c, {}, 1);
  turn(e);
  EXPECT_TRUE(e.runs.empty());
  EXPECT_NE(broker.ask(R"({"what":"resume","engine":"0000000000000001"})", now).find("false"), std::string::npos);
  turn(e);
  EXPECT_EQ(e.runs.size(), 1u);
  EXPECT_EQ(e.drains, (std::vector{wire::DrainMode::drain, wire::DrainMode::resume}));
}

}  // namespace
}  // namespace covey::controller

// Lists of tasks, engines, queues and events: pages, filters, and what a page may cost.
#include <boost/json.hpp>
#include <set>
#include <string>

#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

namespace json = boost::json;

struct ListingsTest : BrokerFixture {
  json::object ask(const std::string& request) { return json::parse(broker.ask(request, now)).as_object(); }
  // All pages of a list of tasks.
  std::vector<json::object> all(const std::string& members) {
    std::vector<json::object> tasks;
    std::string cursor;
    for (int page = 0; page < 1000; ++page) {
      const auto answer = ask(R"({"what":"tasks")" + members + (cursor.empty() ? "" : R"(,"cursor":")" + cursor + "\"") + "}");
      for (const auto& task : answer.at("tasks").as_array()) tasks.push_back(task.as_object());
      if (!answer.contains("next")) break;
      cursor = answer.at("next").as_string();
    }
    return tasks;
  }
};

TEST_F(ListingsTest, PagesHoldEveryTaskOnce) {
  auto e = engine(1, 3);
  auto c = client(2);
  for (std::uint64_t i = 1; i <= 50; ++i) submit(c, {}, i);
  read(e);
  finish(e);
  const auto tasks = all(R"(,"limit":7)");
  std::set<std::string> seen;
  for (const auto& task : tasks) EXPECT_TRUE(seen.insert(std::string(task.at("task").as_string())).second);
  EXPECT_EQ(seen.size(), 50u);
}

TEST_F(ListingsTest, FiltersLeaveOutWhatDoesNotFit) {
  auto e = engine(1, 1);
  auto c = client(2);
  wire::TaskSpec labelled;
  labelled.function = "f";
  labelled.label = "mine";
  submit(c, labelled, 1);
  submit(c, {}, 2);
  submit(c, labelled, 3);
  EXPECT_EQ(all(R"(,"label":"mine")").size(), 2u);
  EXPECT_EQ(all(R"(,"state":"assigned")").size(), 1u);
  EXPECT_EQ(all(R"(,"state":"ready","label":"mine")").size(), 1u);
  EXPECT_EQ(all(R"(,"session":"000000000000004d")").size(), 3u);
  EXPECT_EQ(all(R"(,"session":"000000000000004e")").size(), 0u);
  EXPECT_EQ(all(R"(,"session":"000000000000004d","first":2,"count":5)").size(), 2u);
  read(e);
  finish(e);
  EXPECT_EQ(all(R"(,"state":"completed","status":"ok","function":"f")").size(), 1u);
  EXPECT_EQ(all(R"(,"status":"failed")").size(), 0u);
}

TEST_F(ListingsTest, APageLooksAtNoMoreThanAThousandTasks) {
  auto c = client(2);
  submit(c, {}, 1, 2500);
  const auto page = ask(R"({"what":"tasks","label":"nothing"})");
  EXPECT_TRUE(page.at("tasks").as_array().empty());
  EXPECT_EQ(page.at("next"), "u1000");
  EXPECT_EQ(all(R"(,"limit":1000)").size(), 2500u);
}

TEST_F(ListingsTest, EnginesComeInPages) {
  for (std::uint64_t id = 1; id <= 4; ++id) engine(id, 1);
  auto fifth = engine(5, 1);
  wire::encode(fifth.link->record(), wire::UsageRecord{4096});
  turn(fifth);
  const auto first = ask(R"({"what":"engines","limit":3})");
  EXPECT_EQ(first.at("engines").as_array().size(), 3u);
  EXPECT_EQ(first.at("left_out").to_number<int>(), 2);
  EXPECT_EQ(first.at("engines").at(0).at("memory_bytes"), 0);
  const auto second = ask(R"({"what":"engines","from":3})");
  EXPECT_EQ(second.at("engines").as_array().size(), 2u);
  EXPECT_EQ(second.at("engines").at(1).at("memory_bytes"), 4096);
  EXPECT_FALSE(second.contains("next"));
  EXPECT_EQ(ask(R"({"what":"engine","engine":"0000000000000003"})").at("state"), "idle");
  EXPECT_TRUE(ask(R"({"what":"engine","engine":"0000000000000009"})").contains("error"));
}

TEST_F(ListingsTest, QueuesSayWhatTheirTasksAskOfAnEngine) {
  auto c = client(2);
  wire::TaskSpec urgent, picky;
  urgent.priority = 5;
  picky.labels = {"gpu=a100"};
  submit(c, picky, 1);
  submit(c, urgent, 2);
  submit(c, urgent, 3);
  const auto queues = ask(R"({"what":"queues"})");
  EXPECT_EQ(queues.at("queues").at(0).at("priority"), 5);
  EXPECT_EQ(queues.at("queues").at(0).at("ready").to_number<int>(), 2);
  EXPECT_EQ(queues.at("queues").at(1).at("labels").at(0), "gpu=a100");
}

TEST_F(ListingsTest, EventsAreToldOnceAndThoseThatAreTooManyAreCounted) {
  auto e = engine(1, 100);
  auto c = client(2);
  const auto start = ask(R"({"what":"events","tasks":10})");
  for (std::uint64_t i = 1; i <= 25; ++i) submit(c, {}, i);
  read(e);
  while (!e.runs.empty()) finish(e);
  const auto after = [&](const json::object& answer) {
    return R"(,"engine_after":)" + json::serialize(answer.at("engine_after")) + R"(,"task_after":)" + json::serialize(answer.at("task_after")) + "}";
  };
  auto f = engine(5, 1);
  const auto news = ask(R"({"what":"events","tasks":10)" + after(start));
  EXPECT_EQ(news.at("engines").at(0).at("event"), "joined");
  EXPECT_EQ(news.at("tasks").as_array().size(), 10u);
  EXPECT_EQ(news.at("skipped").to_number<int>(), 15);
  const auto none = ask(R"({"what":"events","tasks":10)" + after(news));
  EXPECT_TRUE(none.at("engines").as_array().empty());
  EXPECT_TRUE(none.at("tasks").as_array().empty());
}

TEST_F(ListingsTest, FiguresCountByFunction) {
  auto e = engine(1, 1);
  auto c = client(2);
  wire::TaskSpec spec;
  spec.function = "f";
  submit(c, spec, 1);
  read(e);
  finish(e);
  const auto figures = ask(R"({"what":"figures"})");
  EXPECT_EQ(figures.at("functions").at(0).at("function"), "f");
  EXPECT_EQ(figures.at("functions").at(0).at("ok").to_number<int>(), 1);
}

TEST(HistoryTest, FindsTheLatestOfATaskAndForgetsTheOldest) {
  History history(3);
  const auto entry = [](std::uint64_t sequence, std::uint32_t attempts) {
    History::Entry one;
    one.task = {wire::SessionId{1}, sequence};
    one.attempts = attempts;
    return one;
  };
  for (std::uint64_t i = 1; i <= 4; ++i) history.push(entry(i, 1));
  history.push(entry(4, 2));
  EXPECT_EQ(history.find({wire::SessionId{1}, 1}), nullptr);
  EXPECT_EQ(history.find({wire::SessionId{1}, 2}), nullptr);
  ASSERT_NE(history.find({wire::SessionId{1}, 4}), nullptr);
  EXPECT_EQ(history.find({wire::SessionId{1}, 4})->attempts, 2u);
  EXPECT_EQ(history.find({wire::SessionId{1}, 3})->attempts, 1u);
  EXPECT_EQ(history.dropped(), 2u);
}

}  // namespace
}  // namespace covey::controller

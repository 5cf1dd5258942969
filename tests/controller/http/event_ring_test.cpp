#include "controller/http/event_ring.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace covey::api {
namespace {

constexpr auto kKept = EventRing::kKept;

struct EventRingTest : testing::Test {
  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) ring.add({0, Event::Type::engine, fmt::format("{}", ring.latest() + 1), {}, {}, {}});
  }
  static std::string id(std::uint64_t number) { return fmt::format("era-{}", number); }
  // The data of all events after that one.
  std::vector<std::string> after(std::uint64_t number, const EventFilter& filter = {}) const {
    std::vector<std::string> found;
    while (const Event* event = ring.next(number, filter)) found.push_back(event->data);
    return found;
  }
  EventRing ring{"era"};
};

TEST_F(EventRingTest, EventsComeInOrderWithTheirIds) {
  add(2);
  std::uint64_t number = 0;
  EXPECT_EQ(ring.format(*ring.next(number, {})), "id: era-1\nevent: engine\ndata: 1\n\n");
  EXPECT_EQ(ring.format(*ring.next(number, {})), "id: era-2\nevent: engine\ndata: 2\n\n");
  EXPECT_EQ(ring.next(number, {}), nullptr);
}

TEST_F(EventRingTest, AFullRingStillGoesOnAfterTheEventBeforeItsOldest) {
  add(kKept + 5);
  ASSERT_EQ(ring.resume_from(id(5)), 5u);
  EXPECT_FALSE(ring.has_dropped_after(5));
  const auto all = after(5);
  EXPECT_EQ(all.size(), kKept);
  EXPECT_EQ(all.front(), "6");
  EXPECT_EQ(all.back(), std::to_string(kKept + 5));
}

TEST_F(EventRingTest, WhoeverWasOneEventFurtherBehindIsToStartAgain) {
  add(kKept + 5);
  EXPECT_FALSE(ring.resume_from(id(4)));
  EXPECT_TRUE(ring.has_dropped_after(4));
  EXPECT_EQ(after(4).front(), "6");
}

TEST_F(EventRingTest, ResumingAtTheLatestGivesOnlyWhatComesLater) {
  add(3);
  ASSERT_EQ(ring.resume_from(id(3)), 3u);
  EXPECT_TRUE(after(3).empty());
  add(1);
  EXPECT_EQ(after(3), std::vector<std::string>{"4"});
}

TEST_F(EventRingTest, IdsThatAreNotItsOwnAreRefused) {
  add(3);
  for (const auto* foreign : {"other-2", "era-4", "era-", "era-2x", "era--2", "2", "", "era-18446744073709551617"}) {
    EXPECT_FALSE(ring.resume_from(foreign)) << foreign;
  }
}

TEST_F(EventRingTest, TasksComeOnlyToWhoeverNamesSomeAndWantsThem) {
  ring.add({0, Event::Type::task, "mine", "echo", "mine", "ok"});
  ring.add({0, Event::Type::task, "other", "echo", "other", "ok"});
  ring.add({0, Event::Type::skipped, "skipped", {}, {}, {}});
  ring.add({0, Event::Type::map, "map", {}, {}, {}});
  const auto only = [](Event::Type type) { return static_cast<std::uint8_t>(1 << static_cast<int>(type)); };
  using Names = std::vector<std::string>;
  EXPECT_EQ(after(0), Names{"map"});
  EXPECT_EQ(after(0, {.label = "mine"}), (Names{"mine", "skipped", "map"}));
  EXPECT_EQ(after(0, {.types = only(Event::Type::task), .label = "mine"}), (Names{"mine", "skipped"}));
  EXPECT_EQ(after(0, {.types = only(Event::Type::map), .label = "mine"}), Names{"map"});
  EXPECT_EQ(after(0, {.function = "echo", .status = "ok"}), (Names{"mine", "other", "skipped", "map"}));
}

}  // namespace
}  // namespace covey::api

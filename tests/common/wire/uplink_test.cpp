#include "common/wire/uplink.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace covey::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Event = Uplink::Event;

constexpr Incarnation kSelf{5}, kController{50}, kOther{51};

struct UplinkTest : testing::Test, Outlet {
  void send(std::string_view, ByteSpan frame) override { sent.emplace_back(frame.begin(), frame.end()); }
  void log(std::string_view) override {}

  Header last_header() {
    Frame frame;
    EXPECT_EQ(read_frame(sent.back(), frame), FrameError::none);
    return frame.header;
  }
  Event receive(FrameKind kind, Incarnation from, std::uint32_t link, const std::vector<std::byte>& body = {}, std::uint64_t sequence = 0) {
    return uplink.on_frame({{kind, link, from, kSelf, sequence, 0}, body}, now);
  }
  Event welcome(Incarnation from, std::uint32_t link) {
    Writer out;
    encode(out, Welcome{1000, 1 << 20, 500});
    return receive(FrameKind::welcome, from, link, {out.span().begin(), out.span().end()});
  }
  void link_up() {
    uplink.on_connected(now);
    ASSERT_EQ(welcome(kController, last_header().link), Event::linked);
  }

  Time now{seconds(100)};
  std::vector<std::vector<std::byte>> sent;
  Uplink uplink{kSelf, Subjects("demo"), Hello{Role::client, SessionId{9}, "x", 1, {}, {}}, *this};
};

TEST_F(UplinkTest, GreetsAtOnceAndAgainUntilWelcomed) {
  uplink.on_connected(now);
  EXPECT_EQ(last_header().kind, FrameKind::hello);
  sent.clear();
  now = uplink.next_deadline();
  EXPECT_EQ(now, Time{seconds(100)} + milliseconds(20));
  uplink.on_timer(now);
  EXPECT_EQ(last_header().kind, FrameKind::hello);
  EXPECT_EQ(welcome(kController, last_header().link), Event::linked);
  EXPECT_EQ(uplink.controller(), kController);
}

TEST_F(UplinkTest, AWelcomeToAnotherLinkIsIgnored) {
  uplink.on_connected(now);
  EXPECT_EQ(welcome(kController, last_header().link + 1), Event::nothing);
  EXPECT_EQ(uplink.link(), nullptr);
}

TEST_F(UplinkTest, AnotherControllersAnnouncementEndsTheLink) {
  link_up();
  const auto old = last_header().link;
  EXPECT_EQ(receive(FrameKind::announce, kController, 0), Event::nothing);
  EXPECT_EQ(receive(FrameKind::announce, kOther, 0), Event::lost);
  EXPECT_EQ(last_header().kind, FrameKind::hello);
  EXPECT_NE(last_header().link, old);
  EXPECT_TRUE(uplink.take_old_link());
}

TEST_F(UplinkTest, SilenceOfThreeSecondsEndsTheLinkButNotBeforeTheGraceAfterConnecting) {
  link_up();
  Event event = Event::nothing;
  const Time start = now;
  while (event != Event::lost && now < start + seconds(20)) {
    now = uplink.next_deadline();
    event = uplink.on_timer(now);
  }
  EXPECT_EQ(event, Event::lost);
  EXPECT_GE(now - start, seconds(5));
  EXPECT_LE(now - start, seconds(6));
}

TEST_F(UplinkTest, ALongPauseOfOursIsNotTheControllersSilence) {
  link_up();
  now += seconds(60);
  EXPECT_EQ(uplink.on_timer(now), Event::nothing);
}

TEST_F(UplinkTest, ARefusalOfAnUnknownLinkGreetsAgainAndAnotherIsForGood) {
  link_up();
  const auto link = last_header().link;
  Writer unknown, version;
  encode(unknown, Refuse{RefuseReason::unknown_link, "say hello"});
  encode(version, Refuse{RefuseReason::other_version, "too old"});
  EXPECT_EQ(receive(FrameKind::refuse, kController, link, {unknown.span().begin(), unknown.span().end()}), Event::lost);
  const auto next = last_header().link;
  EXPECT_EQ(receive(FrameKind::refuse, kController, next, {version.span().begin(), version.span().end()}), Event::refused);
  EXPECT_EQ(uplink.refusal(), "too old");
  EXPECT_EQ(uplink.next_deadline(), kNever);
}

TEST_F(UplinkTest, AnEndedLinkIsNotAskedForAgain) {
  uplink.on_connected(now);
  const auto link = last_header().link;
  Writer ended;
  encode(ended, Refuse{RefuseReason::unknown_link, "that link has ended"});
  EXPECT_EQ(receive(FrameKind::refuse, kController, link, {ended.span().begin(), ended.span().end()}), Event::nothing);
  EXPECT_EQ(last_header().kind, FrameKind::hello);
  EXPECT_GT(last_header().link, link);
}

}  // namespace
}  // namespace covey::wire

// Payloads by reference: who may let go of what, and when the controller takes something over.
#include <set>

#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::BlobReference;
using wire::TakenOutcome;
using wire::TaskStatus;

constexpr std::uint64_t kSize = 100'000;

struct PayloadsTest : BrokerFixture {
  explicit PayloadsTest(Config config = {}) : BrokerFixture(config) {}

  static BlobReference value_of(const FarEnd& engine, std::uint64_t number, std::uint64_t size = kSize) {
    return {engine.id, static_cast<std::uint8_t>(wire::Role::engine), number, size};
  }
  static BlobReference args_of(const FarEnd& client, std::uint64_t sequence, std::uint64_t size = kSize) {
    return {client.id, static_cast<std::uint8_t>(wire::Role::client), sequence, size};
  }
  static std::string content(const BlobReference& blob) {
    wire::Writer out;
    wire::encode_content(out, wire::Codec::bytes, blob);
    return std::string(wire::as_text(out.span()));
  }
  static BlobReference reference_in(const std::string& content) { return *wire::decode_content(wire::as_bytes(content))->reference; }
  static std::string report(const BlobReference& value) {
    wire::Writer out;
    const std::string inside = content(value);
    wire::encode_report(out, {TaskStatus::ok, "", 0, 0, wire::as_bytes(inside)});
    return std::string(wire::as_text(out.span()));
  }

  FarEnd another_link(const FarEnd& peer) {
    FarEnd next(peer.role, static_cast<std::uint64_t>(peer.id), peer.link_id + 1);
    wire::Hello hello;
    hello.role = peer.role;
    hello.session = peer.role == wire::Role::client ? wire::SessionId{77} : wire::SessionId::none;
    greet(next, hello);
    return next;
  }
  void submit_with_args(FarEnd& client, std::uint64_t sequence, wire::TaskSpec spec = {}) {
    spec.function = "echo";
    wire::Writer encoded;
    wire::encode_spec(encoded, spec);
    const std::string args = content(args_of(client, sequence));
    wire::encode(client.link->record(), wire::SpecRecord{sequence, encoded.span()});
    wire::encode(client.link->record(), wire::SubmitRecord{sequence, sequence, wire::as_bytes(args), {}, false});
    turn(client);
  }
  // The engine finishes its oldest run with a value that it keeps.
  BlobReference finish_with_value(FarEnd& engine, std::uint64_t number, std::uint64_t size = kSize) {
    const auto value = value_of(engine, number, size);
    const std::string text = report(value);
    wire::encode(engine.link->record(), wire::FinishedRecord{engine.runs.front().handle, engine.runs.front().task, wire::as_bytes(text)});
    engine.runs.erase(engine.runs.begin());
    turn(engine);
    return value;
  }
  void report_again(FarEnd& engine, std::uint64_t sequence, const BlobReference& value) {
    const std::string text = report(value);
    wire::encode(engine.link->record(), wire::FinishedRecord{wire::kAdoptedBit, {wire::SessionId{77}, sequence}, wire::as_bytes(text)});
    turn(engine);
  }
  void taken(FarEnd& client, std::uint64_t sequence, const BlobReference& blob, TakenOutcome outcome = TakenOutcome::read) {
    wire::encode(client.link->record(), wire::TakenRecord{sequence, outcome, blob});
    turn(client);
  }
  void spill(FarEnd& peer, const BlobReference& blob) {
    wire::encode(peer.link->record(), wire::SpillRecord{blob.blob, blob.size});
    turn(peer);
  }
  // The peer answers what the controller wants of it. Returns how many wants there were.
  std::size_t give(FarEnd& peer) {
    struct Forward : wire::Outlet {
      void send(std::string_view, wire::ByteSpan frame) override { frames.emplace_back(frame.begin(), frame.end()); }
      void log(std::string_view) override {}
      std::vector<std::vector<std::byte>> frames;
    } forward;
    broker.end_turn(now);
    read(peer);
    std::size_t wants = 0;
    for (const auto& message : std::exchange(peer.payload_frames, {})) {
      wire::Frame frame;
      wire::read_frame(message, frame);
      const auto want = wire::decode_payload_frame(frame.body);
      if (want->kind != wire::PayloadFrame::Kind::want) continue;
      ++wants;
      const wire::Buffer bytes(std::string(want->until, static_cast<char>('a' + want->blob)));
      wire::answer_want({peer.id, peer.role, &subjects}, wire::Role::controller, frame, *want, &bytes, forward);
    }
    for (const auto& frame : forward.frames) deliver(peer, frame);
    turn(peer);
    return wants;
  }
  void say_goodbye(const FarEnd& peer) {
    std::vector<std::byte> frame(wire::kHeaderBytes);
    wire::write_header(frame.data(), {wire::FrameKind::goodbye, peer.link_id, peer.id, kSelf, 0, 0});
    deliver(peer, frame);
    broker.end_turn(now);
    broker.check();
  }
};

// ---- values ----

// Found by seed 10003892 of the simulation: a task that waits for another with its key, but ran under an earlier controller, has a
// result of its own.
TEST_F(PayloadsTest, AValueIsLetGoOfThoughAnotherTaskWithItsKeyEndsLater) {
  auto e = engine(1, 4), late = engine(5, 0);
  auto c = client(2);
  wire::SubmitExtras extras;
  extras.idempotency_key = "k";
  submit(c, {}, 1, 2, extras);
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  report_again(late, 2, value_of(late, 9));
  const auto other = finish_with_value(e, 4);
  read(c);
  ASSERT_EQ(c.results.size(), 2u);
  EXPECT_EQ(c.results[0].sequence, 2u);
  EXPECT_EQ(c.results[1].sequence, 1u);
  taken(c, 2, value_of(late, 9));
  taken(c, 1, other);
  read(late);
  read(e);
  EXPECT_EQ(late.released, std::vector<std::uint64_t>{9});
  EXPECT_EQ(e.released, std::vector<std::uint64_t>{4});
}

TEST_F(PayloadsTest, AValueIsHeldUntilItsClientHasReadIt) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  const auto value = finish_with_value(e, 5);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(broker.unfinished_tasks(), 1u);
  EXPECT_TRUE(e.released.empty());
  taken(c, 1, value);
  read(e);
  EXPECT_EQ(e.released, std::vector<std::uint64_t>{5});
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
}

TEST_F(PayloadsTest, AValueThatIsGoneIsMadeAgainAndCostsAnAttempt) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  const auto value = finish_with_value(e, 5);
  taken(c, 1, value, TakenOutcome::gone);
  read(e);
  ASSERT_EQ(e.runs.size(), 1u);
  const auto second = finish_with_value(e, 6);
  read(c);
  ASSERT_EQ(c.results.size(), 2u);
  EXPECT_EQ(c.results[1].attempts, 2u);
  taken(c, 1, second);
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
}

TEST_F(PayloadsTest, AValueThatCannotBeMadeAgainIsLost) {
  auto e = engine(1, 4);
  auto c = client(2);
  wire::TaskSpec once;
  once.max_attempts = 1;
  submit(c, once, 1);
  read(e);
  taken(c, 1, finish_with_value(e, 5), TakenOutcome::gone);
  read(e);
  EXPECT_TRUE(e.runs.empty());
  ASSERT_EQ(c.results.size(), 2u);
  EXPECT_EQ(c.results[1].status, TaskStatus::payload_lost);
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
}

TEST_F(PayloadsTest, AnEngineThatLivesIsTriedAgainAndOneThatIsGoneIsNot) {
  auto e = engine(1, 4), other = engine(3, 0);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  const auto value = finish_with_value(e, 5);
  read(c);
  taken(c, 1, value, TakenOutcome::unreachable);
  ASSERT_EQ(c.results.size(), 2u);  // the same again
  EXPECT_EQ(c.results[1].report, c.results[0].report);
  alive = {&c, &other};
  pass(seconds(8));
  taken(c, 1, value, TakenOutcome::unreachable);
  EXPECT_EQ(broker.ready_tasks(), 1u);
}

TEST_F(PayloadsTest, WordOfAnOlderValueChangesNothing) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  finish_with_value(e, 5);
  taken(c, 1, value_of(e, 4), TakenOutcome::gone);
  read(e);
  EXPECT_TRUE(e.runs.empty());
  EXPECT_EQ(broker.unfinished_tasks(), 1u);
}

TEST_F(PayloadsTest, TheValueOfALateReportIsReleasedAtOnce) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  wire::encode(c.link->record(), wire::CancelRecord{{wire::SessionId{77}, 1}});
  turn(c);
  finish_with_value(e, 5);
  read(e);
  EXPECT_EQ(e.released, std::vector<std::uint64_t>{5});
}

TEST_F(PayloadsTest, AValueThatIsReportedAgainIsNotReleasedWhileItIsHeld) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  const auto value = finish_with_value(e, 5);
  auto again = another_link(e);
  report_again(again, 1, value);
  EXPECT_TRUE(again.released.empty());
  taken(c, 1, value);
  read(again);
  EXPECT_EQ(again.released, std::vector<std::uint64_t>{5});
}

TEST_F(PayloadsTest, AValueThatIsReportedAgainAfterItWasReadIsReleasedAgain) {
  auto e = engine(1, 4);
  auto c = client(2);
  alive = {&e, &c};
  pass(seconds(10));  // no orphans are expected any more
  submit(c, {}, 1);
  read(e);
  const auto value = finish_with_value(e, 5);
  taken(c, 1, value);
  auto again = another_link(e);  // and the release was lost
  report_again(again, 1, value);
  EXPECT_EQ(again.released, std::vector<std::uint64_t>{5});
}

// Of two engines that report one task to a new controller, one is used.
TEST_F(PayloadsTest, OfTwoReportsThatWaitForATaskTheOlderOnesValueIsReleased) {
  auto a = engine(1, 4), b = engine(3, 4);
  report_again(a, 1, value_of(a, 5));
  report_again(b, 1, value_of(b, 6));
  auto c = client(2);
  submit(c, {}, 1, 1, {}, true);
  ASSERT_EQ(c.results.size(), 1u);
  const auto used = wire::report_reference(wire::as_bytes(c.results[0].report));
  taken(c, 1, *used);
  read(a);
  read(b);
  EXPECT_EQ(a.released, std::vector<std::uint64_t>{5});
  EXPECT_EQ(b.released, std::vector<std::uint64_t>{6});
}

TEST_F(PayloadsTest, UnreadValuesOfDetachedTasksAreMadeAgainWhenTheirEngineDies) {
  auto e = engine(1, 4);
  auto c = client(2);
  wire::TaskSpec detached;
  detached.detached = true;
  submit(c, detached, 1);
  read(e);
  finish_with_value(e, 5);
  auto other = engine(3, 4);
  alive = {&c, &other};
  pass(seconds(8));
  read(other);
  ASSERT_EQ(other.runs.size(), 1u);
  finish(other);
  EXPECT_NE(broker.ask(R"({"what":"result","task":"000000000000004d-1"})", now).find(R"("ok")"), std::string::npos);
}

TEST_F(PayloadsTest, ValuesOfAClientThatStaysAwayAreReleasedInTheEnd) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  finish_with_value(e, 5);
  alive = {&e};
  pass(std::chrono::hours(1) + seconds(10));
  read(e);
  EXPECT_EQ(e.released, std::vector<std::uint64_t>{5});
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
}

// Found by seed 30 of the simulation.
TEST_F(PayloadsTest, AValueThatCameLongAfterItsClientHadLeftWaitsAsLongAsAnyOther) {
  auto e = engine(1, 4);
  auto c = client(2);
  wire::TaskSpec detached;
  detached.detached = true;
  submit(c, {}, 1);
  submit(c, detached, 2);
  read(e);
  alive = {&e};
  pass(std::chrono::minutes(59));
  finish_with_value(e, 5);
  finish_with_value(e, 6);
  pass(std::chrono::minutes(58));
  read(e);
  EXPECT_TRUE(e.released.empty());
  EXPECT_NE(broker.ask(R"({"what":"result","task":"000000000000004d-2"})", now).find(R"("ok")"), std::string::npos);
  pass(std::chrono::minutes(3));
  read(e);
  EXPECT_EQ(e.released, (std::vector<std::uint64_t>{5, 6}));
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
}

// Found by seed 60000518 of the simulation.
TEST_F(PayloadsTest, ValuesForClientsThatAreAwayMakeRoomInAFullEngine) {
  auto e = engine(1, 10);
  auto c = client(2);
  auto reader = client(3, 88);
  wire::TaskSpec detached;
  detached.detached = true;
  submit(reader, {}, 1);
  submit(reader, detached, 2);
  submit(c, {}, 1, 6);
  read(e);
  alive = {&e, &reader};
  pass(seconds(8));  // c falls silent
  for (std::uint64_t value = 1; value <= 8; ++value) finish_with_value(e, value);
  wire::encode(e.link->record(), wire::CreditRecord{0, 1});
  turn(e);
  pass(milliseconds(500));
  read(e);
  EXPECT_EQ(e.released, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_NE(broker.ask(R"({"what":"result","task":"0000000000000058-2"})", now).find("result_expired"), std::string::npos);
  wire::encode(e.link->record(), wire::CreditRecord{10, 1});
  turn(e);
  pass(seconds(10));
  read(e);
  EXPECT_EQ(e.released.size(), 2u);
  auto again = client(5);
  read(again);
  ASSERT_EQ(again.results.size(), 6u);
  EXPECT_EQ(again.results[0].status, TaskStatus::result_expired);
  EXPECT_EQ(again.results[1].status, TaskStatus::ok);
}

// ---- engines that leave ----

TEST_F(PayloadsTest, AValueOfAnEngineThatLeavesIsTakenOverAndItsClientToldOfIt) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  const auto value = finish_with_value(e, 5);
  read(c);
  spill(e, value);
  EXPECT_EQ(give(e), 1u);
  EXPECT_EQ(e.released, std::vector<std::uint64_t>{5});
  EXPECT_EQ(broker.spilled_bytes(), kSize);
  say_goodbye(e);
  read(c);
  ASSERT_EQ(c.results.size(), 2u);
  const auto copy = *wire::report_reference(wire::as_bytes(c.results[1].report));
  EXPECT_EQ(copy.holder, kSelf);
  // It can be read there, and is gone afterwards.
  wire::Writer want;
  wire::encode(want, wire::PayloadFrame{wire::PayloadFrame::Kind::want, copy.blob, 0, kSize, {}});
  std::vector<std::byte> frame(wire::kHeaderBytes);
  wire::write_header(frame.data(), {wire::FrameKind::payload, 0, c.id, kSelf, 1, 0});
  frame.insert(frame.end(), want.span().begin(), want.span().end());
  deliver(c, frame);
  read(c);
  std::size_t bytes = 0;
  for (const auto& message : c.payload_frames) {
    wire::Frame piece;
    wire::read_frame(message, piece);
    bytes += wire::decode_payload_frame(piece.body)->bytes.size();
  }
  EXPECT_EQ(bytes, kSize);
  taken(c, 1, copy);
  EXPECT_EQ(broker.spilled_bytes(), 0u);
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
}

TEST_F(PayloadsTest, AValueThatWasReadWhileItWasTakenOverIsNotKept) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1);
  read(e);
  const auto value = finish_with_value(e, 5);
  spill(e, value);
  taken(c, 1, value);
  give(e);
  EXPECT_EQ(broker.spilled_bytes(), 0u);
  EXPECT_EQ((std::set<std::uint64_t>(e.released.begin(), e.released.end())), std::set<std::uint64_t>{5});
}

TEST_F(PayloadsTest, AValueThatNobodyWantsIsReleasedInsteadOfTakenOver) {
  auto e = engine(1, 4);
  spill(e, value_of(e, 5));
  EXPECT_EQ(e.released, std::vector<std::uint64_t>{5});
  EXPECT_EQ(give(e), 0u);
}

struct SmallSpillTest : PayloadsTest {
  static Config small() {
    Config config;
    config.max_spill_bytes = kSize;
    return config;
  }
  SmallSpillTest() : PayloadsTest(small()) {}
};

TEST_F(SmallSpillTest, TheSpillStoreTakesWhatItsLimitAllowsAndNotAByteMore) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit(c, {}, 1, 2);
  read(e);
  const auto fits = finish_with_value(e, 5), too_much = finish_with_value(e, 6, 1'000);
  spill(e, fits);
  spill(e, too_much);
  EXPECT_EQ(give(e), 1u);
  EXPECT_EQ(broker.spilled_bytes(), kSize);
  EXPECT_EQ(e.released, std::vector<std::uint64_t>{5});
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.back().find("spill store"), std::string::npos);
}

// ---- arguments ----

TEST_F(PayloadsTest, ArgumentsOfAClientThatIsAwayAreTriedAgainForAMinute) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit_with_args(c, 1);
  alive = {&e};
  pass(seconds(8));  // the client falls silent
  int tries = 0;
  for (int i = 0; i < 100; ++i) {
    read(e);
    if (!e.runs.empty()) {
      ++tries;
      finish(e, TaskStatus::payload_unreachable);
    }
    pass(seconds(1));
  }
  EXPECT_GT(tries, 40);
  EXPECT_LT(tries, 65);
  EXPECT_EQ(broker.unfinished_tasks(), 0u);
  auto back = client(4);
  read(back);
  ASSERT_EQ(back.results.size(), 1u);
  EXPECT_EQ(back.results[0].status, TaskStatus::payload_lost);
}

TEST_F(PayloadsTest, ArgumentsThatAreGoneAreNotTriedAgain) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit_with_args(c, 1);
  read(e);
  finish(e, TaskStatus::payload_lost);
  read(c);
  ASSERT_EQ(c.results.size(), 1u);
  EXPECT_EQ(c.results[0].status, TaskStatus::payload_lost);
}

TEST_F(PayloadsTest, ArgumentsOfAClientThatLeavesAreTakenOver) {
  auto c = client(2);
  submit_with_args(c, 1);
  spill(c, args_of(c, 1));
  EXPECT_EQ(give(c), 1u);
  EXPECT_EQ(c.released, std::vector<std::uint64_t>{1});
  say_goodbye(c);
  auto e = engine(1, 4);
  read(e);
  ASSERT_EQ(e.contents.size(), 1u);
  EXPECT_EQ(reference_in(e.contents[0]).holder, kSelf);
  finish(e);
  EXPECT_EQ(broker.spilled_bytes(), 0u);
}

TEST_F(PayloadsTest, ArgumentsMayBeTakenOverBeforeTheirTaskArrives) {
  auto c = client(2);
  spill(c, args_of(c, 1));
  give(c);
  EXPECT_EQ(broker.spilled_bytes(), kSize);
  submit_with_args(c, 1);
  auto e = engine(1, 4);
  read(e);
  ASSERT_EQ(e.contents.size(), 1u);
  EXPECT_EQ(reference_in(e.contents[0]).holder, kSelf);
  finish(e);
  EXPECT_EQ(broker.spilled_bytes(), 0u);
}

TEST_F(PayloadsTest, ArgumentsWhoseTaskNeverArrivesGoWithTheirSession) {
  auto c = client(2);
  spill(c, args_of(c, 1));
  give(c);
  say_goodbye(c);
  EXPECT_EQ(broker.spilled_bytes(), 0u);
}

TEST_F(PayloadsTest, ArgumentsOfATaskThatHasEndedAreNotKept) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit_with_args(c, 1);
  read(e);
  spill(c, args_of(c, 1));
  finish(e);
  give(c);
  EXPECT_EQ(broker.spilled_bytes(), 0u);
  EXPECT_EQ(c.released, std::vector<std::uint64_t>{1});
}

TEST_F(PayloadsTest, AnEngineThatWasSentToTheOldHolderIsSentToTheNewOne) {
  auto e = engine(1, 4);
  auto c = client(2);
  submit_with_args(c, 1);
  read(e);
  spill(c, args_of(c, 1));
  give(c);
  say_goodbye(c);
  finish(e, TaskStatus::payload_lost);  // it had asked the client
  read(e);
  ASSERT_EQ(e.contents.size(), 2u);
  EXPECT_EQ(reference_in(e.contents[1]).holder, kSelf);
  finish(e);
  EXPECT_EQ(broker.spilled_bytes(), 0u);
}

// Found by seed 6 of the simulation.
TEST_F(PayloadsTest, ArgumentsThatAreOfferedAgainOnANewLinkAreTakenOverOnce) {
  auto c = client(2);
  submit_with_args(c, 1);
  for (const std::uint64_t sequence : {1, 2}) {  // 2 has not arrived
    spill(c, args_of(c, sequence));
    give(c);
  }
  auto again = another_link(c);
  for (const std::uint64_t sequence : {1, 2}) {
    spill(again, args_of(again, sequence));
    EXPECT_EQ(give(again), 0u);
  }
  EXPECT_EQ(again.released, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(broker.spilled_bytes(), 2 * kSize);
  submit_with_args(again, 2);
  auto e = engine(1, 4);
  read(e);
  while (!e.runs.empty()) finish(e);
  EXPECT_EQ(broker.spilled_bytes(), 0u);
}

}  // namespace
}  // namespace covey::controller

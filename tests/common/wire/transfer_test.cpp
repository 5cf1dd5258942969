#include "common/wire/transfer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace covey::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Incarnation kReader{1}, kHolder{2};

Buffer bytes_of(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return Buffer(std::move(bytes));
}

// A client that reads from an engine, and the frames between them.
struct TransferTest : testing::Test, Outlet, Fetcher::Taker {
  void send(std::string_view subject, ByteSpan frame) override {
    (subject == to_holder ? wants : answers).emplace_back(frame.begin(), frame.end());
  }
  void log(std::string_view) override {}
  void on_fetched(std::uint64_t cookie, Buffer payload) override { fetched[cookie] = payload; }
  void on_fetch_failed(std::uint64_t cookie, FetchError error) override {
    (error == FetchError::gone ? gone : unreachable).push_back(cookie);
  }

  static BlobReference reference(std::uint64_t blob, std::uint64_t size) { return {kHolder, 1, blob, size}; }
  void begin(std::uint64_t cookie, std::uint64_t blob) {
    fetcher.fetch(cookie, reference(blob, blobs.at(blob).size()));
    fetcher.flush(now);
  }
  using Messages = std::vector<std::vector<std::byte>>;
  // The holder answers all that it was asked.
  void answer() {
    for (const auto& message : std::exchange(wants, {})) {
      Frame frame;
      ASSERT_EQ(read_frame(message, frame), FrameError::none);
      const auto want = decode_payload_frame(frame.body);
      ASSERT_TRUE(want);
      const auto found = blobs.find(want->blob);
      answer_want(holder, Role::client, frame, *want, found == blobs.end() ? nullptr : &found->second, *this);
    }
  }
  void read(const std::vector<std::byte>& message) {
    Frame frame;
    ASSERT_EQ(read_frame(message, frame), FrameError::none);
    fetcher.on_frame(frame, *decode_payload_frame(frame.body), now);
  }
  void pass(Duration duration) {
    now += duration;
    fetcher.on_timer(now);
  }
  void exchange_until_quiet() {
    while (!wants.empty()) {
      answer();
      for (const auto& message : std::exchange(answers, {})) read(message);
      fetcher.flush(now);
    }
  }

  Subjects subjects{"t"};
  std::string to_holder = subjects.to_engine(kHolder, Role::client);
  TransferEnd holder{kHolder, Role::engine, &subjects};
  Fetcher fetcher{{kReader, Role::client, &subjects}, *this, *this};
  std::map<std::uint64_t, Buffer> blobs;
  Messages wants, answers;
  std::map<std::uint64_t, Buffer> fetched;
  std::vector<std::uint64_t> gone, unreachable;
  Time now{seconds(100)};

  void SetUp() override { fetcher.on_connected(now); }
};

TEST_F(TransferTest, APayloadArrivesWhole) {
  blobs[7] = bytes_of(3'000'001);
  begin(1, 7);
  exchange_until_quiet();
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched[1].view(), blobs[7].view());
  EXPECT_EQ(fetcher.size(), 0u);
}

TEST_F(TransferTest, NoMoreIsAskedForThanTheWindows) {
  for (std::uint64_t blob = 1; blob <= 20; ++blob) {
    blobs[blob] = bytes_of(4'000'000);
    fetcher.fetch(blob, reference(blob, 4'000'000));
  }
  fetcher.flush(now);
  answer();
  std::size_t asked = 0;
  for (const auto& message : answers) asked += message.size();
  EXPECT_LT(asked, Fetcher::Limits{}.all_windows + Fetcher::Limits{}.window + 100'000);
  for (const auto& message : std::exchange(answers, {})) read(message);
  exchange_until_quiet();
  EXPECT_EQ(fetched.size(), 20u);
}

TEST_F(TransferTest, LostDoubledAndReorderedFramesAreMadeUpFor) {
  std::mt19937 random(5);
  for (std::uint64_t blob = 1; blob <= 5; ++blob) {
    blobs[blob] = bytes_of(100'000 * blob, static_cast<unsigned>(blob));
    begin(blob, blob);
  }
  for (int turn = 0; turn < 10'000 && fetched.size() < 5; ++turn) {
    answer();
    auto arriving = std::exchange(answers, {});
    if (arriving.size() > 1 && random() % 4 == 0) std::swap(arriving.front(), arriving.back());
    for (const auto& message : arriving) {
      if (random() % 5 != 0) read(message);
      if (random() % 20 == 0) read(message);
    }
    pass(milliseconds(30));
  }
  for (auto& [blob, payload] : blobs) EXPECT_EQ(fetched[blob].view(), payload.view());
  EXPECT_TRUE(gone.empty());
  EXPECT_TRUE(unreachable.empty());
}

TEST_F(TransferTest, ABlobThatIsGoneFailsAtOnce) {
  fetcher.fetch(1, reference(9, 50'000));
  fetcher.flush(now);
  exchange_until_quiet();
  EXPECT_EQ(gone, std::vector<std::uint64_t>{1});
}

TEST_F(TransferTest, ASilentHolderIsGivenUpOnlyWhileWeAreConnected) {
  blobs[1] = bytes_of(50'000);
  begin(1, 1);
  fetcher.on_disconnected();
  for (int i = 0; i < 100; ++i) pass(milliseconds(500));
  EXPECT_TRUE(unreachable.empty());
  fetcher.on_connected(now);
  for (int i = 0; i < 9; ++i) pass(milliseconds(500));
  EXPECT_TRUE(unreachable.empty());
  for (int i = 0; i < 3; ++i) pass(milliseconds(500));
  EXPECT_EQ(unreachable, std::vector<std::uint64_t>{1});
}

TEST_F(TransferTest, WhatWasOnTheWayIsAskedForAgainAfterAReconnect) {
  blobs[1] = bytes_of(2'000'000);
  begin(1, 1);
  answer();
  answers.clear();
  fetcher.on_disconnected();
  fetcher.on_connected(now);
  exchange_until_quiet();
  EXPECT_EQ(fetched[1].view(), blobs[1].view());
}

TEST_F(TransferTest, AForgottenFetchIsNotToldOf) {
  blobs[1] = bytes_of(100'000);
  blobs[2] = bytes_of(50'000);
  begin(1, 1);
  fetcher.forget(1);
  exchange_until_quiet();
  begin(2, 2);
  exchange_until_quiet();
  EXPECT_FALSE(fetched.contains(1));
  EXPECT_TRUE(fetched.contains(2));
}

TEST_F(TransferTest, PiecesOfAnotherSenderAreIgnored) {
  blobs[1] = bytes_of(40'000);
  begin(1, 1);
  wants.clear();
  const auto forged = bytes_of(40'000, 2);
  Writer out;
  out.skip(kHeaderBytes);
  encode(out, PayloadFrame{PayloadFrame::Kind::piece, 0, 0, 0, forged.span()});
  write_header(out.data(), {FrameKind::payload, 0, Incarnation{66}, kReader, 1, 0});
  read({out.span().begin(), out.span().end()});
  EXPECT_TRUE(fetched.empty());
}

TEST_F(TransferTest, MalformedBodiesAreRefused) {
  EXPECT_FALSE(decode_payload_frame({}));
  EXPECT_FALSE(decode_payload_frame(as_bytes("\x04")));
  EXPECT_FALSE(decode_payload_frame(as_bytes("\x03 ")));
  EXPECT_FALSE(decode_payload_frame(as_bytes("\x01")));
}

}  // namespace
}  // namespace covey::wire

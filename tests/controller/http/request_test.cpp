// Idempotency keys, problems, gzip.
#include <gtest/gtest.h>
#include <zlib.h>

#include <boost/json.hpp>

#include "controller/http/gzip.hpp"
#include "controller/http/idempotency.hpp"
#include "controller/http/problem.hpp"

namespace covey::api {
namespace {

TEST(IdempotencyTest, AKeyIsRememberedForAnHour) {
  IdempotencyKeys keys;
  const auto start = IdempotencyKeys::Clock::now();
  keys.add("k", "f", start).done = true;
  EXPECT_NE(keys.find("k", start + IdempotencyKeys::kKept), nullptr);
  EXPECT_EQ(keys.find("k", start + IdempotencyKeys::kKept + std::chrono::seconds(1)), nullptr);
  EXPECT_EQ(keys.size(), 0u);
}

TEST(IdempotencyTest, BeyondTheLimitTheOldestKeysGoFirst) {
  IdempotencyKeys keys;
  for (std::size_t i = 0; i <= IdempotencyKeys::kMost; ++i) keys.add(std::to_string(i), "f");
  EXPECT_EQ(keys.size(), IdempotencyKeys::kMost);
  EXPECT_EQ(keys.find("0"), nullptr);
  EXPECT_NE(keys.find("1"), nullptr);
}

TEST(IdempotencyTest, RequestsAreToldApart) {
  EXPECT_EQ(fingerprint_of("/a", "b"), fingerprint_of("/a", "b"));
  EXPECT_NE(fingerprint_of("/a", "b"), fingerprint_of("/a", "c"));
  EXPECT_NE(fingerprint_of("/a", "b"), fingerprint_of("/b", "b"));
}

TEST(ProblemTest, EveryKindHasAStatusAndAStableType) {
  for (int i = 0; i <= static_cast<int>(Kind::internal); ++i) {
    const auto kind = static_cast<Kind>(i);
    const auto body = boost::json::parse(to_json({kind, "Detail.", "field", "this"}));
    EXPECT_EQ(body.at("status").to_number<unsigned>(), status_of(kind));
    EXPECT_GE(status_of(kind), 400u);
    EXPECT_EQ(body.at("type").as_string(), "urn:covey:problem:" + std::string(name_of(kind)));
  }
  EXPECT_EQ(name_of(Kind::internal), "internal");
  EXPECT_EQ(status_of(Kind::headers_too_large), 431u);
}

TEST(GzipTest, EachPieceCanBeReadAsSoonAsItIsThere) {
  Gzip gzip;
  z_stream stream{};
  ASSERT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  const auto read = [&](std::string packed) {
    std::string out(1000, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    ::inflate(&stream, Z_SYNC_FLUSH);
    out.resize(out.size() - stream.avail_out);
    return out;
  };
  EXPECT_EQ(read(gzip.add("one\n")), "one\n");
  EXPECT_EQ(read(gzip.add("two\n")), "two\n");
  EXPECT_EQ(read(gzip.finish()), "");
  ::inflateEnd(&stream);
}

}  // namespace
}  // namespace covey::api

#include "operator/kube/error.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"

namespace covey::kube {
namespace {

std::string status(unsigned code, std::string_view reason, std::string_view message, boost::json::object details = {}) {
  return boost::json::serialize(boost::json::value{{"kind", "Status"},
                                                   {"apiVersion", "v1"},
                                                   {"status", "Failure"},
                                                   {"code", code},
                                                   {"reason", std::string(reason)},
                                                   {"message", std::string(message)},
                                                   {"details", std::move(details)}});
}

TEST(ErrorTest, TheTwoKindsOf409AreToldApart) {
  EXPECT_EQ(error_of_answer(409, status(409, "AlreadyExists", "pods \"a\" already exists"), "").code, Errc::exists);
  EXPECT_EQ(error_of_answer(409, status(409, "Conflict", "the object has been modified"), "").code, Errc::conflict);
}

TEST(ErrorTest, QuotaAndATerminatingNamespaceAreNotJustForbidden) {
  EXPECT_EQ(error_of_answer(403, status(403, "Forbidden", "pods \"a\" is forbidden: exceeded quota: small, requested: pods=1"), "").code, Errc::quota);
  const boost::json::object details{{"causes", boost::json::array{boost::json::object{{"reason", "NamespaceTerminating"}}}}};
  EXPECT_EQ(error_of_answer(403, status(403, "Forbidden", "unable to create new content", details), "").code, Errc::terminating);
  EXPECT_EQ(error_of_answer(403, status(403, "Forbidden", "violates PodSecurity \"restricted:latest\""), "").code, Errc::forbidden);
}

TEST(ErrorTest, OtherStatusesHaveTheirKind) {
  const std::vector<std::pair<unsigned, Errc>> wanted{{400, Errc::invalid},   {401, Errc::unauthorized}, {404, Errc::not_found}, {408, Errc::transient},
                                                      {410, Errc::gone},      {413, Errc::invalid},      {422, Errc::invalid},   {429, Errc::throttled},
                                                      {500, Errc::transient}, {503, Errc::transient},    {504, Errc::transient}, {302, Errc::protocol}};
  for (const auto& [http, code] : wanted) EXPECT_EQ(error_of_answer(http, status(http, "Reason", "message"), "").code, code) << http;
}

TEST(ErrorTest, RetryAfterComesFromTheHeaderOrTheDetails) {
  using std::chrono::milliseconds;
  EXPECT_EQ(error_of_answer(429, "too many", "7").retry_after, milliseconds(7000));
  EXPECT_EQ(error_of_answer(504, status(504, "ServerTimeout", "m", {{"retryAfterSeconds", 3}}), "").retry_after, milliseconds(3000));
  EXPECT_EQ(error_of_answer(503, "", "").retry_after, std::nullopt);
  EXPECT_EQ(error_of_answer(503, "", "Wed, 21 Oct 2015 07:28:00 GMT").retry_after, std::nullopt);
  EXPECT_EQ(error_of_answer(503, "", "999999").retry_after, milliseconds(600'000)) << "nobody is sent away for days";
}

TEST(ErrorTest, ABodyThatIsNoStatusIsQuotedAndTheStatusLineCounts) {
  const auto error = error_of_answer(502, "<html>" + std::string(10'000, 'x'), "");
  EXPECT_EQ(error.code, Errc::transient);
  EXPECT_LT(error.message.size(), 400U);
  EXPECT_EQ(to_string(error_of_answer(404, status(404, "NotFound", "pods \"a\" not found"), "")), "not found (404 NotFound): pods \"a\" not found");
}

TEST(JsonTest, DeepObjectsAreReadAndBottomlessOnesAreRefused) {
  EXPECT_TRUE(parse_json(std::string(100, '[') + std::string(100, ']')).has_value());
  const auto refused = parse_json(std::string(1000, '[') + std::string(1000, ']'));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, Errc::protocol);
}

}  // namespace
}  // namespace covey::kube

// The routes and their description, held against one another.
#include <gtest/gtest.h>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/json.hpp>
#include <set>
#include <string>

#include "controller/http/openapi.hpp"
#include "controller/http/router.hpp"

namespace covey::api {
namespace {

namespace json = boost::json;

json::object paths() { return json::parse(json::string_view(kOpenapi.data(), kOpenapi.size())).at("paths").as_object(); }

std::string key(const Route& route) {
  std::string method(http::to_string(route.method));
  boost::algorithm::to_lower(method);
  return method + " " + std::string(route.pattern);
}

TEST(OpenapiTest, EveryRouteIsDescribedWithItsScope) {
  const auto described = paths();
  for (const Route& route : routes()) {
    const auto text = key(route);
    const auto* path = described.if_contains(json::string_view(route.pattern.data(), route.pattern.size()));
    ASSERT_NE(path, nullptr) << text;
    const auto* operation = path->as_object().if_contains(text.substr(0, text.find(' ')));
    ASSERT_NE(operation, nullptr) << text;
    const auto& security = operation->at("security").as_array();
    const std::string scope = security.empty() ? "none" : std::string(security[0].at("bearer").at(0).as_string());
    EXPECT_EQ(scope, to_string(route.scope)) << text;
  }
}

TEST(OpenapiTest, EveryDescribedOperationIsARoute) {
  std::set<std::string> known;
  for (const Route& route : routes()) known.insert(key(route));
  std::size_t described = 0;
  for (const auto& path : paths()) {
    for (const auto& operation : path.value().as_object()) {
      ++described;
      EXPECT_TRUE(known.contains(std::string(operation.key()) + " " + std::string(path.key()))) << operation.key() << " " << path.key();
    }
  }
  EXPECT_EQ(described, routes().size());
}

TEST(OpenapiTest, EveryNameThatADescriptionRefersToIsThere) {
  const auto document = json::parse(json::string_view(kOpenapi.data(), kOpenapi.size()));
  const auto check = [&](const auto& self, const json::value& value) -> void {
    if (const auto* object = value.if_object()) {
      for (const auto& member : *object) {
        if (member.key() == "$ref") {
          const std::string pointer(member.value().as_string());
          boost::system::error_code error;
          EXPECT_NE(document.find_pointer(pointer.substr(1), error), nullptr) << pointer;
        } else {
          self(self, member.value());
        }
      }
    } else if (const auto* array = value.if_array()) {
      for (const auto& one : *array) self(self, one);
    }
  };
  check(check, document);
}

}  // namespace
}  // namespace covey::api

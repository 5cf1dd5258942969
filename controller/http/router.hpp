// The table of routes, and who may use which. The handlers are declared here and defined in one file per resource; a
// test holds this table against openapi.json in both directions.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controller/http/exchange.hpp"

namespace covey::api {

enum class Scope : std::uint8_t { none = 0, read = 1, submit = 2, admin = 4 };
std::string_view to_string(Scope scope);

struct Route {
  http::verb method;
  std::string_view pattern;  // segments in braces stand for anything but nothing
  Scope scope;
  boost::asio::awaitable<Reply> (*handler)(Exchange* exchange);
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;
  std::vector<std::string> params;
  std::string allowed;  // the methods of this path, where it has another; empty: there is no such path
};
// HEAD finds GET's route.
Match find_route(http::verb method, const std::vector<std::string>& segments);

}  // namespace covey::api

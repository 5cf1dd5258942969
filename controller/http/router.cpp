#include "controller/http/router.hpp"

#include <algorithm>

#include "controller/http/handlers.hpp"

namespace covey::api {

namespace {

using http::verb;

constexpr Route kRoutes[] = {
    {verb::get, "/version", Scope::none, get_version},
    {verb::post, "/v1/tasks", Scope::submit, post_tasks},
    {verb::get, "/v1/tasks/{id}", Scope::read, get_task},
};

// Takes the next segment off a pattern.
std::string_view next(std::string_view& pattern) {
  pattern.remove_prefix(1);
  const auto segment = pattern.substr(0, pattern.find('/'));
  pattern.remove_prefix(segment.size());
  return segment;
}

bool fits(std::string_view pattern, const std::vector<std::string>& segments, std::vector<std::string>& params) {
  params.clear();
  for (const auto& segment : segments) {
    if (pattern.empty()) return false;
    const auto wanted = next(pattern);
    if (wanted.starts_with('{')) {
      if (segment.empty()) return false;
      params.push_back(segment);
    } else if (wanted != segment) {
      return false;
    }
  }
  return pattern.empty();
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::none: return "none";
    case Scope::read: return "read";
    case Scope::submit: return "submit";
    case Scope::admin: return "admin";
  }
  return "";
}

std::span<const Route> routes() { return kRoutes; }

Match find_route(verb method, const std::vector<std::string>& segments) {
  Match match;
  std::vector<std::string> params;
  for (const Route& route : kRoutes) {
    if (!fits(route.pattern, segments, params)) continue;
    if (route.method == method || (method == verb::head && route.method == verb::get)) {
      match.route = &route;
      match.params = params;
    }
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += http::to_string(route.method);
    if (route.method == verb::get) match.allowed += ", HEAD";
  }
  if (!match.allowed.empty()) match.allowed += ", OPTIONS";
  return match;
}

}  // namespace covey::api

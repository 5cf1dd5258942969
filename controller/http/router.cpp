#include "controller/http/router.hpp"

#include <algorithm>

#include "controller/http/handlers.hpp"

namespace covey::api {

namespace {

using http::verb;

constexpr Route kRoutes[] = {
    {verb::get, "/version", Scope::none, get_version},
    {verb::get, "/openapi.json", Scope::none, get_openapi},
    {verb::get, "/livez", Scope::none, get_livez},
    {verb::get, "/readyz", Scope::none, get_readyz},
    {verb::get, "/metrics", Scope::read, get_metrics},
    {verb::post, "/v1/tasks", Scope::submit, post_tasks},
    {verb::get, "/v1/tasks", Scope::read, list_tasks},
    {verb::get, "/v1/tasks/{id}", Scope::read, get_task},
    {verb::delete_, "/v1/tasks/{id}", Scope::submit, delete_task},
    {verb::post, "/v1/tasks/{id}/retry", Scope::submit, retry_task},
    {verb::get, "/v1/tasks/{id}/explain", Scope::read, explain_task},
    {verb::post, "/v1/maps", Scope::submit, post_maps},
    {verb::get, "/v1/maps", Scope::read, list_maps},
    {verb::get, "/v1/maps/{id}", Scope::read, get_map},
    {verb::get, "/v1/maps/{id}/results", Scope::read, get_map_results},
    {verb::delete_, "/v1/maps/{id}", Scope::submit, delete_map},
    {verb::put, "/v1/blobs/{id}", Scope::submit, put_blob},
    {verb::get, "/v1/blobs/{id}", Scope::read, get_blob},
    {verb::delete_, "/v1/blobs/{id}", Scope::submit, delete_blob},
    {verb::get, "/v1/engines", Scope::read, list_engines},
    {verb::get, "/v1/engines/{id}", Scope::read, get_engine},
    {verb::post, "/v1/engines/{id}/drain", Scope::admin, drain_engine},
    {verb::post, "/v1/engines/{id}/resume", Scope::admin, resume_engine},
    {verb::delete_, "/v1/engines/{id}", Scope::admin, delete_engine},
    {verb::post, "/v1/engines/{id}/lost", Scope::admin, give_up_engine},
    {verb::get, "/v1/demand", Scope::read, get_demand},
    {verb::get, "/v1/queues", Scope::read, list_queues},
    {verb::post, "/v1/benchmarks", Scope::submit, post_benchmarks},
    {verb::get, "/v1/benchmarks", Scope::read, list_benchmarks},
    {verb::get, "/v1/benchmarks/{id}", Scope::read, get_benchmark},
    {verb::delete_, "/v1/benchmarks/{id}", Scope::submit, delete_benchmark},
    {verb::get, "/v1/events", Scope::read, get_events},
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

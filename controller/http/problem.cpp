#include "controller/http/problem.hpp"

#include <boost/json.hpp>

namespace covey::api {

namespace {

struct Row {
  Kind kind;
  unsigned status;
  std::string_view name, title;
};

constexpr Row kRows[] = {
    {Kind::malformed_json, 400, "malformed-json", "The body is not the JSON that is wanted"},
    {Kind::invalid_field, 422, "invalid-field", "A field has the wrong type or value"},
    {Kind::unknown_field, 422, "unknown-field", "There is no such field"},
    {Kind::invalid_parameter, 400, "invalid-parameter", "A part of the path or the query is wrong"},
    {Kind::not_found, 404, "not-found", "There is no such thing here"},
    {Kind::gone, 410, "gone", "It was here and has been dropped"},
    {Kind::method_not_allowed, 405, "method-not-allowed", "This path has other methods"},
    {Kind::conflict, 409, "conflict", "Its state does not allow this"},
    {Kind::stale_leader, 409, "stale-leader", "Another leads by now"},
    {Kind::key_reused, 409, "key-reused", "This Idempotency-Key came with another request"},
    {Kind::unauthorized, 401, "unauthorized", "A token is wanted"},
    {Kind::forbidden, 403, "forbidden", "The token does not allow this"},
    {Kind::unsupported_media, 415, "unsupported-media-type", "The body has a type that is not read here"},
    {Kind::too_large, 413, "too-large", "The request is too large"},
    {Kind::headers_too_large, 431, "headers-too-large", "The request's header is too large"},
    {Kind::too_slow, 408, "too-slow", "The request took too long to arrive"},
    {Kind::queue_full, 429, "queue-full", "The queue is at its limit"},
    {Kind::busy, 429, "busy", "Another one has to end first"},
    {Kind::too_many, 503, "too-many", "A limit of this server is reached"},
    {Kind::unavailable, 503, "unavailable", "The controller cannot answer now"},
    {Kind::expectation_failed, 417, "expectation-failed", "This expectation cannot be met"},
    {Kind::malformed_request, 400, "malformed-request", "This is not an HTTP request"},
    {Kind::internal, 500, "internal", "Something went wrong in the controller"},
};

const Row& row_of(Kind kind) { return kRows[static_cast<std::size_t>(kind)]; }

}  // namespace

unsigned status_of(Kind kind) { return row_of(kind).status; }
std::string_view name_of(Kind kind) { return row_of(kind).name; }

std::string to_json(const Problem& problem) {
  const Row& row = row_of(problem.kind);
  boost::json::object body{{"type", std::string("urn:covey:problem:") + std::string(row.name)},
                           {"title", row.title},
                           {"status", row.status},
                           {"detail", problem.detail}};
  if (!problem.field.empty()) body["field"] = problem.field;
  if (!problem.expected.empty()) body["expected"] = problem.expected;
  return boost::json::serialize(body) + "\n";
}

}  // namespace covey::api

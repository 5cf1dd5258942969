// What went wrong with a request, as RFC 9457 has it: a stable type, the field at fault and what would be right. Values;
// they know no socket.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace covey::api {

// The kinds of problem. Each has a name that never changes, a title and a status; problem.cpp has the table.
enum class Kind : std::uint8_t {
  malformed_json,       // the body is not JSON
  invalid_field,        // a member of the body has the wrong type or value
  unknown_field,        // a member or parameter that there is not
  invalid_parameter,    // a part of the path or the query
  not_found,            // no such route, task, map or engine
  gone,                 // it was here, and was dropped
  method_not_allowed,   // the route has other methods
  conflict,             // the thing's state does not allow it
  stale_leader,         // somebody leads who came later
  key_reused,           // an Idempotency-Key that came with another request
  unauthorized,         // no token, or one that is not known
  forbidden,            // the token has not the scope
  unsupported_media,    // of the request's body
  too_large,            // the body, a line of it or a payload
  headers_too_large,
  too_slow,             // the request did not arrive in time
  queue_full,           // the controller lets this API have no more unfinished tasks now
  busy,                 // of this, one runs at a time
  too_many,             // connections, streams, maps or questions
  unavailable,          // no controller or no NATS
  expectation_failed,
  malformed_request,    // not HTTP
  internal,
};

struct Problem {
  Kind kind = Kind::internal;
  std::string detail;    // whole sentences
  std::string field;     // such as "tasks[3].retries" or "wait"; empty: none
  std::string expected;  // such as "an integer from 0 to 1000"
  int retry_after_s = 0;
};

// Thrown at whoever asks a failed Outcome for its value, which is a mistake in this program.
[[noreturn]] inline void throw_exception_from_error(const Problem& problem, const boost::source_location&) {
  throw std::logic_error(problem.detail);
}

template <class T>
using Outcome = boost::system::result<T, Problem>;

unsigned status_of(Kind kind);
std::string_view name_of(Kind kind);
// The body, of the type application/problem+json.
std::string to_json(const Problem& problem);

}  // namespace covey::api

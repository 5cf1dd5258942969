// How a request to the Kubernetes API ends when it does not succeed: what kind of failure it was, what the server said about it, and how
// long it wants to be left alone. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace covey::kube {

enum class Errc {
  transient,     // the network, a timeout or a 5xx: the same request may succeed later
  throttled,     // 429: the server wants fewer requests
  unauthorized,  // 401: the credentials are not accepted, even when read anew
  forbidden,     // 403: a role lacks a rule, or an admission (such as pod security) refuses the object
  quota,         // 403 of a ResourceQuota: succeeds once something else has gone
  terminating,   // 403: the namespace is being deleted; nothing can be made there any more
  not_found,     // 404: neither the object, nor, at a creation, its namespace or type
  conflict,      // 409: the object has changed meanwhile, or a precondition does not hold; read it live and compute again
  exists,        // 409: an object of that name is there already
  gone,          // 410: the resource version or the continue token has expired; list anew
  invalid,       // 400, 413, 422 and the like: the same request will never succeed
  protocol,      // an answer that is not the Kubernetes API's
  not_leading,   // not sent: its timeout could outlast this process's leadership
  local,         // not sent: a file, an exec plugin or the configuration is at fault
};

std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::transient;
  unsigned http = 0;    // 0 where there was no answer
  std::string reason;   // the server's word, such as "AlreadyExists"
  std::string message;  // a sentence for people
  std::optional<std::chrono::milliseconds> retry_after{};
  // The request was sent and not answered: the server may have carried it out.
  bool may_have_happened = false;

  bool transient() const { return code == Errc::transient || code == Errc::throttled; }
  // The same creation succeeds when something else has changed, and not sooner.
  bool lasting() const { return code == Errc::quota || code == Errc::forbidden || code == Errc::invalid || code == Errc::terminating; }
};

// "forbidden (403 Forbidden): pods is forbidden: …"
std::string to_string(const Error& error);

template <class T>
using Result = boost::system::result<T, Error>;

// Lets Result::value() throw, which only tests and start-up do.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

// What an answer of 400 and above means. `retry_after_header` is the header's value, empty if there was none. The body is a Status
// object, or, from proxies in between, anything.
Error error_of_answer(unsigned http, std::string_view body, std::string_view retry_after_header);
// The same for a Status object, as it also comes inside a watch.
Error error_of_status(const boost::json::value& status);

inline Error local_error(std::string message) { return {Errc::local, 0, {}, std::move(message)}; }

}  // namespace covey::kube

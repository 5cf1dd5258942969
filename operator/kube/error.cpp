#include "operator/kube/error.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

#include "operator/kube/json.hpp"

namespace covey::kube {

namespace json = boost::json;

namespace {

constexpr std::size_t kQuoted = 300;                          // of a body that is no Status object
constexpr auto kLongestWait = std::chrono::minutes(10);       // whatever a server asks for

Errc code_of_forbidden(const json::value& status, std::string_view message) {
  if (message.find("exceeded quota") != std::string_view::npos) return Errc::quota;
  for (const auto& cause : array_at(status, "details.causes")) {
    if (text_at(cause, "reason") == "NamespaceTerminating") return Errc::terminating;
  }
  return Errc::forbidden;
}

Errc code_of(unsigned http, std::string_view reason) {
  switch (http) {
    case 401: return Errc::unauthorized;
    case 404: return Errc::not_found;
    case 409: return reason == "AlreadyExists" ? Errc::exists : Errc::conflict;
    case 410: return Errc::gone;
    case 408: return Errc::transient;
    case 429: return Errc::throttled;
    default: break;
  }
  if (http >= 500) return Errc::transient;
  return http >= 400 ? Errc::invalid : Errc::protocol;
}

std::optional<std::chrono::milliseconds> seconds_of(std::string_view text) {
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;  // the form with a date is not used by Kubernetes
  return std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), kLongestWait);
}

}  // namespace

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::transient: return "transient";
    case Errc::throttled: return "throttled";
    case Errc::unauthorized: return "unauthorized";
    case Errc::forbidden: return "forbidden";
    case Errc::quota: return "over quota";
    case Errc::terminating: return "namespace terminating";
    case Errc::not_found: return "not found";
    case Errc::conflict: return "conflict";
    case Errc::exists: return "already there";
    case Errc::gone: return "expired";
    case Errc::invalid: return "invalid";
    case Errc::protocol: return "not the Kubernetes API";
    case Errc::not_leading: return "not leading";
    case Errc::local: return "configuration";
  }
  return "unknown";
}

std::string to_string(const Error& error) {
  if (error.http == 0) return fmt::format("{}: {}", to_string(error.code), error.message);
  return fmt::format("{} ({}{}{}): {}", to_string(error.code), error.http, error.reason.empty() ? "" : " ", error.reason, error.message);
}

void throw_exception_from_error(const Error& error, const boost::source_location&) { throw std::runtime_error(to_string(error)); }

Error error_of_status(const json::value& status) {
  Error error;
  error.http = static_cast<unsigned>(integer_at(status, "code").value_or(0));
  error.reason = std::string(text_at(status, "reason"));
  error.message = std::string(text_at(status, "message"));
  // etcd's compaction reaches watches with the reason alone in some versions.
  if (error.reason == "Expired" || error.reason == "Gone") error.http = 410;
  error.code = error.http == 403 ? code_of_forbidden(status, error.message) : code_of(error.http, error.reason);
  if (const auto seconds = integer_at(status, "details.retryAfterSeconds"); seconds && *seconds > 0) {
    error.retry_after = std::min<std::chrono::milliseconds>(std::chrono::seconds(*seconds), kLongestWait);
  }
  return error;
}

Error error_of_answer(unsigned http, std::string_view body, std::string_view retry_after_header) {
  Error error;
  const auto parsed = parse_json(body);
  if (parsed && text_at(*parsed, "kind") == "Status") {
    error = error_of_status(*parsed);
  } else {
    error.message = cut(std::string(body.substr(0, kQuoted + 4)), kQuoted);
    error.code = http == 403 ? Errc::forbidden : code_of(http, {});
  }
  if (error.http != http) {  // what the transport says counts
    error.http = http;
    if (http != 403) error.code = code_of(http, error.reason);
  }
  if (const auto wait = seconds_of(retry_after_header)) error.retry_after = wait;
  return error;
}

}  // namespace covey::kube

#include "controller/http/requests.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace covey::api {

std::optional<Problem> refuse_other_media(const Exchange& exchange) {
  const auto encoding = exchange.header(http::field::content_encoding);
  if (!encoding.empty() && encoding != "identity") {
    return Problem{Kind::unsupported_media, "A body is not read in this encoding.", "Content-Encoding", "no Content-Encoding"};
  }
  const auto type = exchange.media_type();
  // curl says the last one whenever it is given --data.
  if (type.empty() || type == "application/json" || type.ends_with("+json") || type == "application/x-www-form-urlencoded") return std::nullopt;
  return Problem{Kind::unsupported_media, fmt::format("A body of the type '{}' is not read here.", type), "Content-Type", "application/json"};
}

// ---- Idempotency-Key ----

KeyedRequest::KeyedRequest(Exchange& exchange, std::string_view body) : keys_(exchange.services.keys) {
  if (!exchange.has_header("Idempotency-Key")) return;
  const auto given = exchange.header("Idempotency-Key");
  if (given.empty() || given.size() > IdempotencyKeys::kLongestKey) {
    problem_ = Problem{Kind::invalid_parameter, fmt::format("The Idempotency-Key is {}.", given.empty() ? "empty" : "too long"),
                       "Idempotency-Key", fmt::format("1 to {} bytes", IdempotencyKeys::kLongestKey)};
    return;
  }
  key_ = fmt::format("{}\n{}", exchange.identity, given);
  const auto path = std::string_view(exchange.head().target());
  const auto fingerprint = fingerprint_of(path.substr(0, path.find('?')), body);
  auto* entry = keys_.find(key_);
  if (entry == nullptr) {
    keys_.add(key_, fingerprint);
    mine_ = true;
  } else if (entry->fingerprint != fingerprint) {
    problem_ = Problem{Kind::key_reused, "This Idempotency-Key came with another request before.", "Idempotency-Key", "a key of its own for each request"};
  } else if (!entry->done) {
    problem_ = Problem{Kind::conflict, "The first request with this Idempotency-Key is still under way.", "Idempotency-Key", {}, 1};
  } else {
    before_ = entry;
  }
}

KeyedRequest::~KeyedRequest() {
  if (!mine_) return;
  const auto* entry = keys_.find(key_);
  if (entry != nullptr && !entry->done) keys_.remove(key_);
}

// ---- streams ----

StreamPlace::StreamPlace(Services& services) : services_(services), granted_(services.figures.streams < services.options.limits.streams) {
  if (granted_) ++services_.figures.streams;
}
StreamPlace::~StreamPlace() {
  if (granted_) --services_.figures.streams;
}
Problem StreamPlace::problem() const {
  return {Kind::too_many, fmt::format("{} streams are open, the limit http-streams.", services_.options.limits.streams), {}, {}, 5};
}

// ---- questions ----

boost::asio::awaitable<Outcome<boost::json::object>> ask(Services* services, boost::json::object request, Kind unknown) {
  auto answer = co_await services->gateway.ask(std::move(request));
  if (answer.failure == Gateway::Failure::busy) {
    co_return Problem{Kind::too_many, "Too many questions wait for the controller.", {}, {}, 1};
  }
  if (answer.failure == Gateway::Failure::no_answer) {
    co_return Problem{Kind::unavailable, "The controller's scheduler did not answer in time.", {}, {}, 1};
  }
  const auto* error = answer.object.if_contains("error");
  if (error != nullptr && !answer.object.contains("status")) {
    co_return Problem{unknown, std::string(error->as_string()) + ".", {}, {}};
  }
  co_return std::move(answer.object);
}

boost::asio::awaitable<NatsFigures> nats_figures(Services* services) {
  constexpr auto kPatience = std::chrono::seconds(2);
  const auto signal = std::make_shared<Signal>(services->io);
  const auto figures = std::make_shared<NatsFigures>();
  services->look_at_nats([signal, figures](NatsFigures seen) {
    *figures = seen;
    signal->notify();
  });
  co_await Signal::wait(signal, kPatience);
  co_return *figures;
}

}  // namespace covey::api

// What several handlers do with a request: its Idempotency-Key, its media type, a place among the streams, a question to the
// controller.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controller/http/exchange.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

// nullopt: the body is JSON, or does not say what it is.
std::optional<Problem> refuse_other_media(const Exchange& exchange);

// A request with an Idempotency-Key is carried out once. Lives as long as its handler: a request that fails is forgotten.
class KeyedRequest {
 public:
  KeyedRequest(Exchange& exchange, std::string_view body);
  ~KeyedRequest();
  KeyedRequest(const KeyedRequest&) = delete;
  KeyedRequest& operator=(const KeyedRequest&) = delete;

  const std::optional<Problem>& problem() const { return problem_; }
  // What the first request with this key led to; null: this is the first, or has no key.
  const IdempotencyKeys::Entry* before() const { return before_; }
  template <class Fill>
  void done(Fill&& fill) {
    if (auto* entry = key_.empty() ? nullptr : keys_.find(key_)) {
      fill(*entry);
      entry->done = true;
    }
  }

 private:
  IdempotencyKeys& keys_;
  std::string key_;
  std::optional<Problem> problem_;
  const IdempotencyKeys::Entry* before_ = nullptr;
  bool mine_ = false;
};

// One of Limits::streams.
class StreamPlace {
 public:
  explicit StreamPlace(Services& services);
  ~StreamPlace();
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;
  bool granted() const { return granted_; }
  Problem problem() const;

 private:
  Services& services_;
  bool granted_;
};

// Asks the controller; what it cannot answer becomes a problem. `unknown`: what an answer with an error is.
boost::asio::awaitable<Outcome<boost::json::object>> ask(Services* services, boost::json::object request, Kind unknown = Kind::not_found);

boost::asio::awaitable<NatsFigures> nats_figures(Services* services);

}  // namespace covey::api

// What handlers work with. Everything lives on the API's loop, and outlives the sessions.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "controller/http/benchmarks.hpp"
#include "controller/http/blob_store.hpp"
#include "controller/http/event_hub.hpp"
#include "controller/http/fences.hpp"
#include "controller/http/gateway.hpp"
#include "controller/http/idempotency.hpp"
#include "controller/http/map_store.hpp"
#include "controller/http/options.hpp"
#include "controller/http/task_store.hpp"
#include "controller/http/tokens.hpp"

namespace covey::api {

// What the API itself has done, for /metrics.
struct Figures {
  std::uint64_t connections = 0;  // open now
  std::uint64_t streams = 0;      // likewise
  std::uint64_t refused_connections = 0;
  std::map<std::pair<std::string_view, unsigned>, std::uint64_t> answers;  // by pattern and status
};

// How the controller's connection to NATS fares. Written by the controller's loop, on request.
struct NatsFigures {
  bool connected = false;
  std::uint64_t reconnects = 0, dropped = 0, buffered_bytes = 0;
};

struct Services {
  boost::asio::io_context& io;
  const ServiceOptions& options;
  Gateway& gateway;
  BlobStore& blobs;
  TaskStore& tasks;
  MapStore& maps;
  EventHub& events;
  Benchmarks& benchmarks;
  IdempotencyKeys& keys;
  Tokens& tokens;
  bool open_to_all = false;  // no tokens are wanted
  // Has the controller's loop look at its connection, and calls back on this one. May never do so.
  std::function<void(std::function<void(NatsFigures)>)> look_at_nats = {};
  std::shared_ptr<boost::asio::ssl::context> tls = {};  // null: plain; connections keep the one they began with
  Fences fences = {};
  Figures figures = {};
};

}  // namespace covey::api

// What handlers work with. Everything lives on the API's loop, and outlives the sessions.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "controller/http/gateway.hpp"
#include "controller/http/options.hpp"
#include "controller/http/task_store.hpp"

namespace covey::api {

// What the API itself has done, for /metrics.
struct Figures {
  std::uint64_t connections = 0;  // open now
  std::uint64_t streams = 0;      // likewise
  std::uint64_t refused_connections = 0;
  std::map<std::pair<std::string_view, unsigned>, std::uint64_t> answers;  // by pattern and status
};

struct Services {
  boost::asio::io_context& io;
  const ServiceOptions& options;
  Gateway& gateway;
  TaskStore& tasks;
  std::shared_ptr<boost::asio::ssl::context> tls = {};  // null: plain; connections keep the one they began with
  Figures figures = {};
};

}  // namespace covey::api

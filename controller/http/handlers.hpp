// The handlers of all routes; each is defined in its resource's file. They run on the API's loop as coroutines of the session
// that the exchange belongs to, which outlives them.
#pragma once

#include "controller/http/exchange.hpp"

namespace covey::api {

using Answer = boost::asio::awaitable<Reply>;

// health.cpp
Answer get_version(Exchange* exchange);

// tasks.cpp
Answer post_tasks(Exchange* exchange);
Answer get_task(Exchange* exchange);

}  // namespace covey::api

// The handlers of all routes; each is defined in its resource's file. They run on the API's loop as coroutines of the session
// that the exchange belongs to, which outlives them.
#pragma once

#include "controller/http/exchange.hpp"

namespace covey::api {

using Answer = boost::asio::awaitable<Reply>;

// health.cpp
Answer get_version(Exchange* exchange);
Answer get_openapi(Exchange* exchange);
Answer get_livez(Exchange* exchange);
Answer get_readyz(Exchange* exchange);

// metrics.cpp
Answer get_metrics(Exchange* exchange);

// tasks.cpp
Answer post_tasks(Exchange* exchange);
Answer list_tasks(Exchange* exchange);
Answer get_task(Exchange* exchange);
Answer delete_task(Exchange* exchange);
Answer retry_task(Exchange* exchange);
Answer explain_task(Exchange* exchange);

// maps.cpp
Answer post_maps(Exchange* exchange);
Answer list_maps(Exchange* exchange);
Answer get_map(Exchange* exchange);
Answer delete_map(Exchange* exchange);
Answer get_map_results(Exchange* exchange);

// blobs.cpp
Answer put_blob(Exchange* exchange);
Answer get_blob(Exchange* exchange);
Answer delete_blob(Exchange* exchange);

// engines.cpp
Answer list_engines(Exchange* exchange);
Answer get_engine(Exchange* exchange);
Answer drain_engine(Exchange* exchange);
Answer resume_engine(Exchange* exchange);
Answer delete_engine(Exchange* exchange);
Answer give_up_engine(Exchange* exchange);
Answer get_demand(Exchange* exchange);
Answer list_queues(Exchange* exchange);

// benchmarks.cpp
Answer post_benchmarks(Exchange* exchange);
Answer list_benchmarks(Exchange* exchange);
Answer get_benchmark(Exchange* exchange);
Answer delete_benchmark(Exchange* exchange);

// events.cpp
Answer get_events(Exchange* exchange);

}  // namespace covey::api

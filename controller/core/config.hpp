// What an operator of a controller may set, with the defaults. Read by the core; parsed elsewhere.
#pragma once

#include <cstdint>

#include "common/wire/time.hpp"

namespace covey::controller {

// How an engine is chosen among those that may run a task; the names are IPython parallel's.
enum class Policy : std::uint8_t {
  leastload,    // the one with the least tasks per slot
  lru,          // the one that was given a task the longest time ago
  weighted,     // two at random, weighted by inverse load; the one with less load
  twobin,       // two at random; the one with less load
  plainrandom,  // one at random
};

struct Config {
  Policy policy = Policy::leastload;
  std::uint64_t max_tasks = 4'000'000;                     // unfinished, of all clients
  std::uint64_t max_payload_bytes = 1ULL << 30;            // of one referenced payload
  std::uint64_t max_result_bytes = 256ULL << 20;           // of results that nobody has taken yet
  std::uint64_t max_spill_bytes = 1ULL << 30;              // of payloads whose holders have left
  wire::Duration payload_grace = std::chrono::seconds(60);  // for a client that holds arguments to come back
  wire::Duration result_ttl = std::chrono::hours(1);       // how long these wait
  wire::Duration heartbeat = std::chrono::milliseconds(500);
  wire::Duration silence = std::chrono::seconds(3);        // after which a peer is taken for dead
  wire::Duration reconnect_grace = std::chrono::seconds(2);  // before silence counts, after our own connection came up
  wire::Duration adoption_grace = std::chrono::seconds(5);   // for engines to say what they still run
  wire::Duration idempotency_ttl = std::chrono::hours(1);
  std::size_t max_idempotency_keys = 100'000;
  std::size_t history = 16'384;                            // completed tasks that are still known, without their values
  std::size_t max_peers = 16'384;
  std::uint64_t seed = 1;                                  // of the random policies
};

}  // namespace covey::controller

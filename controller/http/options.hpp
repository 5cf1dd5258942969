// What an operator may set of the API, with the defaults. Every limit is here and has an option of the same name,
// `--http-…`. Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace covey::api {

struct Limits {
  std::uint64_t header_bytes = 16 * 1024;            // of a request's line and header; beyond: 431
  std::uint64_t body_bytes = 8 << 20;                // of a body that is read whole; beyond: 413
  std::uint64_t nesting = 32;                        // of JSON
  std::uint64_t connections = 4096;                  // beyond: 503
  std::uint64_t streams = 2048;                      // of events and results at once; beyond: 503
  std::uint64_t maps = 1000;                         // kept; finished ones go first, then: 503
  std::uint64_t map_unfinished = 100'000;            // of one map; beyond, its inputs are not read
  std::uint64_t map_large_bytes = 64 << 20;          // of its unfinished inputs over 32 KiB; likewise
  std::uint64_t result_bytes = 128 << 20;            // of maps' results; the oldest go first
  std::uint64_t history_tasks = 100'000;             // tasks that have ended and are still known with all that they carried
  std::uint64_t history_bytes = 64 << 20;            // the same, in bytes
  std::uint64_t blob_bytes = 64 << 20;               // of one blob; beyond: 413
  std::uint64_t blobs_bytes = 256 << 20;             // of all blobs; results' values go first, then: 503
  std::uint64_t blobs = 10'000;                      // likewise
  std::uint64_t value_bytes = 1 << 20;               // of a result's value in an answer; larger ones become blobs
  std::uint64_t list_tasks = 10'000;                 // of one POST /v1/tasks
  std::uint64_t benchmarks_kept = 20;                // the latest; older ones are forgotten
  std::chrono::milliseconds header_timeout{10'000};  // for a request's header to arrive; beyond: 408
  std::chrono::milliseconds body_timeout{30'000};    // for a whole body, or between two pieces of a streamed one; beyond: 408
  std::chrono::milliseconds idle_timeout{75'000};    // between two requests of a connection
  std::chrono::milliseconds write_timeout{30'000};   // for a client to take a piece of an answer
  std::chrono::milliseconds wait{600'000};           // the longest `?wait=`
  std::chrono::milliseconds benchmark_time{600'000};  // of one benchmark; beyond, it is ended and has failed
};

// How POST /v1/benchmarks runs `covey bench`.
struct BenchmarkOptions {
  std::string executable;    // of Covey
  std::string connect_file;  // with what a client needs; empty: there are no benchmarks
};

struct ServiceOptions {
  std::string host;               // an address; empty: no API
  std::uint16_t port = 0;         // 0: a free one
  std::string tokens_file;        // empty: anybody may do anything
  std::string cert_file, key_file;  // PEM; empty: plain
  std::string cors_origin;        // empty: no CORS
  bool insecure = false;          // listen beyond loopback without tokens
  std::string cluster = "default";
  std::string version;
  BenchmarkOptions benchmarks;
  Limits limits;
};

}  // namespace covey::api

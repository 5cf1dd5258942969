#include "cli/commands/http_options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

#include "cli/local/local_cluster.hpp"

namespace covey::cli {

namespace {

void add_time(CLI::App& command, const std::string& name, std::chrono::milliseconds& time, const std::string& about) {
  command
      .add_option_function<double>(name, [&time](double seconds) { time = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)); },
                                   fmt::format("{} ({} s)", about, time.count() / 1000))
      ->check(CLI::Range(0.001, 86400.0))
      ->type_name("SECONDS");
}

void add_limit(CLI::App& command, const std::string& name, std::uint64_t& limit, const std::string& about) {
  command.add_option(name, limit, fmt::format("{} ({})", about, limit))->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
}

}  // namespace

void add_http_options(CLI::App& command, api::ServiceOptions& options, std::string& address) {
  command.add_option("--http", address, "serve the HTTP API at this address, such as 127.0.0.1:8080")->envname("COVEY_HTTP")->type_name("HOST:PORT");
  command.add_option("--http-tokens", options.tokens_file, "file of tokens, a line each: TOKEN SCOPES [NAME], scopes of read,submit,admin")
      ->envname("COVEY_HTTP_TOKENS")
      ->type_name("FILE");
  command.add_option("--http-cert", options.cert_file, "certificate chain (PEM): serve TLS; read again when it changes")->type_name("FILE");
  command.add_option("--http-key", options.key_file, "its private key (PEM)")->type_name("FILE");
  command.add_option("--http-benchmarks", options.benchmarks.connect_file, "let POST /v1/benchmarks run `covey bench`, which connects with this file of a client's")
      ->type_name("FILE");
  command.add_option("--http-cors", options.cors_origin, "origin of web pages that may use the API, such as https://example.org")->type_name("ORIGIN");
  api::Limits& limits = options.limits;
  add_limit(command, "--http-header-bytes", limits.header_bytes, "largest request header");
  add_limit(command, "--http-body-bytes", limits.body_bytes, "largest body that is read whole");
  add_limit(command, "--http-nesting", limits.nesting, "deepest JSON");
  add_limit(command, "--http-connections", limits.connections, "connections at once");
  add_limit(command, "--http-streams", limits.streams, "streams of events and results at once");
  add_limit(command, "--http-maps", limits.maps, "maps that are kept");
  add_limit(command, "--http-map-unfinished", limits.map_unfinished, "unfinished tasks of one map");
  add_limit(command, "--http-map-large-bytes", limits.map_large_bytes, "bytes of its inputs over 32 KiB among these");
  add_limit(command, "--http-result-bytes", limits.result_bytes, "bytes of maps' results that are kept");
  add_limit(command, "--http-blob-bytes", limits.blob_bytes, "largest blob");
  add_limit(command, "--http-blobs-bytes", limits.blobs_bytes, "bytes of all blobs");
  add_limit(command, "--http-blobs", limits.blobs, "blobs that are kept");
  add_limit(command, "--http-value-bytes", limits.value_bytes, "largest value of a result in an answer; larger ones become blobs");
  add_limit(command, "--http-history-tasks", limits.history_tasks, "ended tasks that are kept with their results");
  add_limit(command, "--http-history-bytes", limits.history_bytes, "the same, in bytes");
  add_limit(command, "--http-list-tasks", limits.list_tasks, "tasks of one POST");
  add_limit(command, "--http-benchmarks-kept", limits.benchmarks_kept, "benchmarks that are kept");
  add_time(command, "--http-header-timeout", limits.header_timeout, "for a request's header to arrive");
  add_time(command, "--http-body-timeout", limits.body_timeout, "for a body, or a piece of a streamed one, to arrive");
  add_time(command, "--http-idle-timeout", limits.idle_timeout, "between two requests of a connection");
  add_time(command, "--http-write-timeout", limits.write_timeout, "for a client to take a piece of an answer");
  add_time(command, "--http-wait", limits.wait, "longest ?wait=");
  add_time(command, "--http-benchmark-time", limits.benchmark_time, "for a benchmark to end");
}

void finish_http_options(api::ServiceOptions& options, const std::string& address, bool insecure) {
  options.version = COVEY_VERSION;
  options.benchmarks.executable = local::own_executable();
  options.insecure = insecure;
  if (address.empty()) return;
  const auto colon = address.rfind(':');
  const auto digits = colon == std::string::npos ? std::string() : address.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), options.port);
  if (colon == std::string::npos || colon == 0 || digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    throw std::runtime_error(fmt::format("--http {}: HOST:PORT is wanted, such as 127.0.0.1:8080", address));
  }
  options.host = address.substr(0, colon);
  if (options.host.starts_with('[') && options.host.ends_with(']')) options.host = options.host.substr(1, options.host.size() - 2);
  if (options.cert_file.empty() != options.key_file.empty()) {
    throw std::runtime_error("--http-cert and --http-key go together");
  }
}

}  // namespace covey::cli

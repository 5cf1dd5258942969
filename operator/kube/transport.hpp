// Requests and watches over HTTP/1.1 connections to the API server: credentials, TLS, a small pool, deadlines, and the fence that keeps a
// process that may no longer lead from writing. It knows no Kubernetes types. One loop; outlives the requests under way.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/verb.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operator/kube/connection.hpp"
#include "operator/kube/credentials.hpp"
#include "operator/kube/error.hpp"

namespace covey::kube {

using Deadline = std::chrono::steady_clock::time_point;

struct Request {
  boost::beast::http::verb method = boost::beast::http::verb::get;
  std::string target;        // path and query, without the configuration's base path
  std::string body;          // empty: none
  std::string content_type;  // of the body
  std::string fencing_token; // for controllers; empty: none
  std::chrono::milliseconds timeout{0};  // 0: the transport's

  bool writes() const { return method != boost::beast::http::verb::get; }
};

struct Response {
  unsigned status = 0;
  std::string body;
};

struct TransportOptions {
  std::chrono::milliseconds timeout{10'000};        // of a request, connecting included
  std::chrono::milliseconds watch_grace{5'000};     // longer than the timeoutSeconds that a watch asks for
  std::size_t max_answer = 64 * 1024 * 1024;        // bytes of an answer that is no watch
  std::size_t max_connections = 16;                 // of requests; each watch has one of its own besides
  std::size_t max_idle = 8;
  std::string user_agent = "covey-operator";
  // Until when this process may write; empty: always. A write is not sent unless it must be over by then.
  std::function<Deadline()> write_fence;
};

// Below this there is no use in sending a write.
inline constexpr auto kLeastWriteTime = std::chrono::milliseconds(200);

class Transport {
 public:
  Transport(boost::asio::any_io_executor executor, std::shared_ptr<const Config> config, TransportOptions options);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // An answer of 200 to 299, or an Error. Credentials that are refused are read anew, once. Nothing else is tried again, except a request on
  // a connection that the server had closed meanwhile, if repeating it does no harm.
  boost::asio::awaitable<Result<Response>> send(Request request);

  // A watch: `on_bytes` gets pieces of the body as they come, and ends it by returning false. Returns nothing when the server ended it in good
  // order. `server_timeout` is what the target asks for as timeoutSeconds.
  using OnBytes = std::function<bool(std::string_view)>;
  boost::asio::awaitable<std::optional<Error>> stream(Request request, std::chrono::milliseconds server_timeout, OnBytes on_bytes);

  struct Counters {
    std::uint64_t requests = 0, connections = 0, fenced = 0;
    std::uint64_t failures = 0;  // not those that found nothing, or another version
  };
  const Counters& counters() const { return counters_; }
  const Config& config() const { return *config_; }

 private:
  struct Attempt;
  boost::asio::awaitable<Result<Response>> send_once(const Request* request, Deadline deadline);
  boost::asio::awaitable<Result<std::unique_ptr<Connection>>> fresh_connection(Deadline deadline);
  boost::asio::awaitable<std::optional<Error>> stream_once(const Request* request, Deadline deadline, const OnBytes* on_bytes);
  boost::asio::awaitable<std::optional<Error>> write(Attempt* attempt);
  boost::asio::awaitable<void> exchange(Attempt* attempt);
  Result<Deadline> deadline_of(const Request& request);
  std::unique_ptr<Connection> idle_connection();
  Result<std::shared_ptr<boost::asio::ssl::context>> tls_context(const Identity& identity);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<const Config> config_;
  TransportOptions options_;
  Credentials credentials_;
  Semaphore places_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::shared_ptr<boost::asio::ssl::context> tls_;
  std::string tls_from_;  // the material that tls_ was made of
  Counters counters_;
};

}  // namespace covey::kube

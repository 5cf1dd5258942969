#include "operator/kube/transport.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace covey::kube {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::uint32_t kMaxHeader = 64 * 1024;
constexpr std::size_t kMaxErrorBody = 1024 * 1024;

std::string_view header(const http::fields& fields, http::field name) {
  const auto value = fields[name];
  return {value.data(), value.size()};
}

// Carried out twice it leaves what once leaves: reads, applies and other patches of ours, deletions with preconditions. A creation does
// not, since its second answer would be that the object exists.
bool repeatable(const Request& request) { return request.method != http::verb::post; }

// Whether a thing is there is what requests are made to find out.
bool answers_the_question(Errc code) { return code == Errc::not_found || code == Errc::exists || code == Errc::conflict; }

}  // namespace

// One request on one connection.
struct Transport::Attempt {
  const Request* request;
  Deadline deadline;
  std::unique_ptr<Connection> connection;
  bool reused = false;  // of the pool: the server may have closed it
  bool stale = false;   // and it had: nothing of an answer came
  bool sent = false;
  Identity identity;
  std::optional<Error> error{};
  Response response{};
};

Transport::Transport(asio::any_io_executor executor, std::shared_ptr<const Config> config, TransportOptions options)
    : executor_(executor),
      config_(std::move(config)),
      options_(std::move(options)),
      credentials_(executor, config_),
      places_(executor, options_.max_connections) {}

// Of writes it is never after the fence, so that none is under way when another process may have begun to lead.
Result<Deadline> Transport::deadline_of(const Request& request) {
  const auto now = Clock::now();
  const auto timeout = request.timeout.count() > 0 ? request.timeout : options_.timeout;
  if (!request.writes() || !options_.write_fence) return now + timeout;
  const auto fence = options_.write_fence();
  if (fence < now + kLeastWriteTime) {
    ++counters_.fenced;
    return Error{Errc::not_leading, 0, {}, "not sent: this process may no longer lead"};
  }
  return std::min(now + timeout, fence);
}

asio::awaitable<Result<Response>> Transport::send(Request request) {
  ++counters_.requests;
  const auto deadline = deadline_of(request);
  if (!deadline) co_return deadline.error();
  const auto place = co_await places_.acquire(*deadline);
  if (!place) co_return Error{Errc::transient, 0, {}, "too many requests are under way"};
  auto answer = co_await send_once(&request, *deadline);
  if (answer.has_error() && answer.error().code == Errc::unauthorized && credentials_.drop()) {
    answer = co_await send_once(&request, *deadline);
  }
  if (answer.has_error() && !answers_the_question(answer.error().code)) ++counters_.failures;
  co_return answer;
}

asio::awaitable<Result<Response>> Transport::send_once(const Request* request, Deadline deadline) {
  auto identity = co_await credentials_.current();
  if (!identity) co_return identity.error();
  const auto context = tls_context(*identity);
  if (!context) co_return context.error();
  Attempt attempt{request, deadline, idle_connection(), false, false, false, *identity};
  attempt.reused = attempt.connection != nullptr;
  if (attempt.reused) co_await exchange(&attempt);
  // Nobody has read a request on a connection that the server had closed, unless it closed it at this very moment.
  const bool again = attempt.reused && attempt.stale && (repeatable(*request) || !attempt.sent);
  if (!attempt.reused || again) {
    idle_.clear();  // the others are of the same age
    auto opened = co_await fresh_connection(deadline);
    if (!opened) co_return opened.error();
    attempt = Attempt{request, deadline, std::move(*opened), false, false, false, std::move(*identity)};
    co_await exchange(&attempt);
  }
  if (attempt.error) co_return *attempt.error;
  co_return std::move(attempt.response);
}

asio::awaitable<Result<std::unique_ptr<Connection>>> Transport::fresh_connection(Deadline deadline) {
  ++counters_.connections;
  auto opened = co_await Connection::open(executor_, config_, tls_, deadline);
  co_return opened;
}

std::unique_ptr<Connection> Transport::idle_connection() {
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

Result<std::shared_ptr<asio::ssl::context>> Transport::tls_context(const Identity& identity) {
  if (!config_->tls) return tls_;
  const auto authority = config_->authority.read();
  if (!authority) return authority.error();
  auto material = *authority + identity.certificate + identity.key;
  if (tls_ && material == tls_from_) return tls_;
  auto made = make_tls_context(*config_, *authority, identity);
  if (!made) return made.error();
  // Connections of another identity are not used any more.
  idle_.clear();
  tls_ = *made;
  tls_from_ = std::move(material);
  return tls_;
}

// Looks at the clock before the first byte: after a SIGSTOP the deadline may be long past, although no timer has fired yet.
asio::awaitable<std::optional<Error>> Transport::write(Attempt* attempt) {
  const Request& request = *attempt->request;
  if (Clock::now() >= attempt->deadline) co_return Error{Errc::transient, 0, {}, "not sent: its time was over"};
  http::request<http::string_body> message(request.method, config_->base_path + request.target, 11);
  message.set(http::field::host, config_->authority_header());
  message.set(http::field::user_agent, options_.user_agent);
  message.set(http::field::accept, "application/json");
  if (!attempt->identity.token.empty()) message.set(http::field::authorization, "Bearer " + attempt->identity.token);
  if (!request.fencing_token.empty()) message.set("Fencing-Token", request.fencing_token);
  if (!request.body.empty()) {
    message.set(http::field::content_type, request.content_type);
    message.body() = request.body;
  }
  message.prepare_payload();
  attempt->connection->expires_at(attempt->deadline);
  http::request_serializer<http::string_body> serializer(message);
  const auto [error, bytes] = co_await http::async_write(*attempt->connection, serializer, kAwait);
  attempt->sent = bytes > 0;
  if (!error) co_return std::nullopt;
  attempt->stale = error != boost::beast::error::timeout;
  co_return Error{Errc::transient, 0, {}, fmt::format("sending to the API server: {}", error.message()), {}, attempt->sent};
}

asio::awaitable<void> Transport::exchange(Attempt* attempt) {
  attempt->error = co_await write(attempt);
  if (attempt->error) co_return;
  http::response_parser<http::string_body> parser;
  parser.body_limit(options_.max_answer);
  parser.header_limit(kMaxHeader);
  const auto [error, got] = co_await http::async_read(*attempt->connection, attempt->connection->buffer(), parser, kAwait);
  if (error) {
    attempt->stale = !parser.got_some() && error != boost::beast::error::timeout;
    const bool large = error == http::error::body_limit;
    attempt->error = Error{large ? Errc::protocol : Errc::transient, 0, {}, fmt::format("no answer from the API server: {}", error.message()), {}, attempt->request->writes()};
    co_return;
  }
  attempt->response.status = parser.get().result_int();
  attempt->response.body = std::move(parser.get().body());
  if (attempt->response.status < 200 || attempt->response.status > 299) {
    attempt->error = error_of_answer(attempt->response.status, attempt->response.body, header(parser.get(), http::field::retry_after));
  }
  if (parser.get().keep_alive() && idle_.size() < options_.max_idle) idle_.push_back(std::move(attempt->connection));
}

// ---- watches ----

asio::awaitable<std::optional<Error>> Transport::stream(Request request, std::chrono::milliseconds server_timeout, OnBytes on_bytes) {
  ++counters_.requests;
  auto deadline = Clock::now() + server_timeout + options_.watch_grace;
  auto error = co_await stream_once(&request, deadline, &on_bytes);
  if (error && error->code == Errc::unauthorized && credentials_.drop()) {
    deadline = Clock::now() + server_timeout + options_.watch_grace;
    error = co_await stream_once(&request, deadline, &on_bytes);
  }
  if (error) ++counters_.failures;
  co_return error;
}

asio::awaitable<std::optional<Error>> Transport::stream_once(const Request* request, Deadline deadline, const OnBytes* on_bytes) {
  auto identity = co_await credentials_.current();
  if (!identity) co_return identity.error();
  const auto context = tls_context(*identity);
  if (!context) co_return context.error();
  auto opened = co_await fresh_connection(std::min(deadline, Clock::now() + options_.timeout));
  if (!opened) co_return opened.error();
  Attempt attempt{request, deadline, std::move(*opened), false, false, false, std::move(*identity)};
  auto failed = co_await write(&attempt);
  if (failed) co_return failed;
  Connection& connection = *attempt.connection;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);  // or Beast ends every watch after 8 MiB
  parser.header_limit(kMaxHeader);
  const auto [header_error, header_bytes] = co_await http::async_read_header(connection, connection.buffer(), parser, kAwait);
  if (header_error) co_return Error{Errc::transient, 0, {}, fmt::format("no answer to a watch: {}", header_error.message())};
  const auto status = parser.get().result_int();
  std::string piece(kPiece, '\0'), refusal;
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    const auto [error, got] = co_await http::async_read_some(connection, connection.buffer(), parser, kAwait);
    const std::string_view bytes(piece.data(), piece.size() - parser.get().body().size);
    if (status != 200) {
      if (refusal.size() < kMaxErrorBody) refusal += bytes;
    } else if (!bytes.empty() && !(*on_bytes)(bytes)) {
      co_return std::nullopt;
    }
    if (error && error != http::error::need_buffer) {
      if (status != 200) break;
      co_return Error{Errc::transient, 0, {}, fmt::format("a watch broke: {}", error.message())};
    }
  }
  if (status == 200) co_return std::nullopt;
  co_return error_of_answer(status, refusal, header(parser.get(), http::field::retry_after));
}

}  // namespace covey::kube

#include "controller/http/server.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <utility>

#include "controller/http/page.hpp"

namespace covey::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadAhead = 16 * 1024;
constexpr std::size_t kMostTurnedAway = 64;        // at once; beyond that connections are just closed
constexpr std::size_t kMostLingering = 256 * 1024;  // bytes read and thrown away, so that the answer is not lost
constexpr auto kLinger = std::chrono::seconds(2);
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

}  // namespace

boost::system::error_code Server::listen(const tcp::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(1024, error);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  return error;
}

void Server::start() {
  asio::co_spawn(services_.io, accept_loop(shared_from_this()), [](const std::exception_ptr& thrown) {
    if (thrown) spdlog::error("http: accepting connections ended unexpectedly");
  });
}

void Server::stop() {
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : std::list<SessionPointer>(sessions_)) session->cancel.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> Server::accept_loop(std::shared_ptr<Server> self) {
  while (!self->stopping_) {
    auto [error, socket] = co_await self->acceptor_.async_accept(kAwait);
    if (self->stopping_) co_return;
    if (error) {  // most likely no descriptors are left: those that end will bring some
      asio::steady_timer pause(self->services_.io, kAcceptPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    self->begin(std::move(socket));
  }
}

void Server::begin(tcp::socket socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const bool full = services_.figures.connections >= services_.options.limits.connections;
  if (full) {
    ++services_.figures.refused_connections;
    if (turned_away_ >= kMostTurnedAway) return;
  }
  const auto session = std::make_shared<Session>(std::move(socket), services_.tls);
  session->place = sessions_.insert(sessions_.end(), session);
  run(session, full ? turn_away(shared_from_this(), session) : serve(shared_from_this(), session));
}

void Server::run(SessionPointer session, asio::awaitable<void> work) {
  asio::co_spawn(services_.io, std::move(work),
                 asio::bind_cancellation_slot(session->cancel.slot(), [self = shared_from_this(), session](const std::exception_ptr& thrown) {
                   self->sessions_.erase(session->place);
                   if (!thrown || self->stopping_) return;
                   try {
                     std::rethrow_exception(thrown);
                   } catch (const std::exception& error) {
                     spdlog::warn("http: a connection ended: {}", error.what());
                   }
                 }));
}

// ---- a connection ----

namespace {

struct Counted {
  explicit Counted(std::uint64_t& counter) : counter_(counter) { ++counter_; }
  ~Counted() { --counter_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::uint64_t& counter_;
};

}  // namespace

asio::awaitable<void> Server::serve(std::shared_ptr<Server> self, SessionPointer session) {
  const Counted counted(self->services_.figures.connections);
  if (auto* tls = session->stream.tls()) {
    session->stream.expires_after(self->services_.options.limits.header_timeout);
    const auto [error] = co_await tls->async_handshake(asio::ssl::stream_base::server, kAwait);
    if (error) co_return;
  }
  for (;;) {
    const bool more = co_await serve_one(self.get(), session.get());
    if (!more) break;
  }
  co_await linger(session.get());
}

// Beyond the limit of connections: says so and ends.
asio::awaitable<void> Server::turn_away(std::shared_ptr<Server> self, SessionPointer session) {
  const Counted counted(self->turned_away_);
  if (session->stream.tls() != nullptr) co_return;  // a handshake would cost what the limit is to save
  Exchange exchange(session->stream, session->buffer, self->services_);
  exchange.fresh_header();
  Problem problem{Kind::too_many, fmt::format("This server has {} connections, its limit http-connections.", self->services_.options.limits.connections), {}, {}};
  problem.retry_after_s = 5;
  const Reply reply(problem);
  co_await exchange.send(&reply);
  co_await linger(session.get());
}

// Says that nothing more will come, and lets the client read the answer before what it still sends is refused.
asio::awaitable<void> Server::linger(Session* session) {
  session->stream.expires_after(kLinger);
  if (auto* tls = session->stream.tls()) co_await tls->async_shutdown(kAwait);
  boost::system::error_code error;
  session->stream.lowest().shutdown(tcp::socket::shutdown_send, error);
  if (error) co_return;
  std::string rest(kReadAhead, '\0');
  for (std::size_t read = 0; read < kMostLingering;) {
    const auto [failed, got] = co_await session->stream.lowest().async_read_some(asio::buffer(rest), kAwait);
    if (failed) co_return;
    read += got;
  }
}

// False: there is no request to answer, or it has been refused already.
asio::awaitable<bool> Server::read_header(Server* self, Session* session, Exchange* exchange) {
  const Limits& limits = self->services_.options.limits;
  if (session->buffer.size() == 0) {
    session->stream.expires_after(limits.idle_timeout);
    const auto [error, got] = co_await session->stream.async_read_some(session->buffer.prepare(kReadAhead), kAwait);
    if (error) co_return false;
    session->buffer.commit(got);
  }
  session->stream.expires_after(limits.header_timeout);
  auto& parser = exchange->fresh_header();
  const auto [error, got] = co_await http::async_read_header(session->stream, session->buffer, parser, kAwait);
  if (!error) {
    exchange->note_header_read();
    co_return true;
  }
  Problem problem{Kind::malformed_request, "The request is not HTTP/1.1: " + error.message() + ".", {}, {}};
  if (error == http::error::header_limit) {
    problem = {Kind::headers_too_large,
               fmt::format("The request's header is larger than the limit http-header-bytes, {} bytes.", limits.header_bytes), {},
               fmt::format("at most {} bytes", limits.header_bytes)};
  } else if (session->stream.expired()) {
    problem = {Kind::too_slow, "The request's header did not come in time.", {}, {}};
  } else if (error == http::error::end_of_stream || error == http::error::partial_message || error.category() != http::make_error_code(http::error::bad_method).category()) {
    co_return false;
  }
  exchange->close_after();
  const Reply reply(problem);
  ++self->services_.figures.answers[{"", reply.status}];
  co_await exchange->send(&reply);
  co_return false;
}

asio::awaitable<bool> Server::serve_one(Server* self, Session* session) {
  Exchange exchange(session->stream, session->buffer, self->services_);
  const bool there = co_await read_header(self, session, &exchange);
  if (!there) co_return false;
  const Reply reply = co_await answer(self, &exchange);
  if (!reply.streamed) {
    co_await exchange.send(&reply);
  }
  ++self->services_.figures.answers[{exchange.route == nullptr ? std::string_view() : exchange.route->pattern, exchange.status()}];
  co_return exchange.keep_alive() && !self->stopping_;
}

// Whether the token allows what the route does.
std::optional<Problem> Server::refuse(Exchange& exchange) const {
  const Scope scope = exchange.route->scope;
  if (scope == Scope::none || services_.open_to_all) return std::nullopt;
  std::string_view given = exchange.header(http::field::authorization);
  constexpr std::string_view kBearer = "Bearer ";
  const bool bearer = given.size() > kBearer.size() && beast::iequals(given.substr(0, kBearer.size()), kBearer);
  if (!bearer) {
    return Problem{Kind::unauthorized, "This wants a token.", "Authorization", "Bearer TOKEN; `covey up` prints one"};
  }
  given.remove_prefix(kBearer.size());
  const auto holder = services_.tokens.find(given);
  if (!holder.known) return Problem{Kind::unauthorized, "This token is not known here.", "Authorization", "a token of the controller's file of tokens"};
  if ((holder.scopes & static_cast<std::uint8_t>(scope)) == 0) {
    return Problem{Kind::forbidden, fmt::format("The token of {} has not the scope {}.", holder.name, to_string(scope)), "Authorization",
                   fmt::format("a token with the scope {}", to_string(scope))};
  }
  exchange.identity = holder.name;
  return std::nullopt;
}

// A handler that throws has made a mistake; whoever asked is told so, and the others are served on.
asio::awaitable<Reply> Server::answer(Server* self, Exchange* exchange) {
  std::string thrown;
  try {
    co_return co_await dispatch(self, exchange);
  } catch (const std::exception& error) {
    if (self->stopping_) throw;
    thrown = error.what();
  }
  spdlog::error("http: {} {}: {}", std::string_view(exchange->head().method_string()), std::string_view(exchange->head().target()), thrown);
  exchange->close_after();
  if (exchange->answered()) co_return Reply::done();
  co_return Reply(Problem{Kind::internal, "The request could not be carried out; the controller's log has more.", {}, {}});
}

asio::awaitable<Reply> Server::dispatch(Server* self, Exchange* exchange) {
  if (const auto expected = exchange->header(http::field::expect); !expected.empty() && !beast::iequals(expected, "100-continue")) {
    co_return Problem{Kind::expectation_failed, "The only expectation that is known here is 100-continue.", "Expect", "100-continue"};
  }
  const std::string_view target = exchange->head().target();
  const bool all = target == "*" && exchange->method() == http::verb::options;
  auto parsed = parse_target(all ? std::string_view("/") : target);
  if (!parsed) co_return parsed.error();
  exchange->target = std::move(*parsed);
  Match match = find_route(exchange->method(), exchange->target.segments);
  if (match.allowed.empty()) match = find_page(exchange->method(), exchange->target.segments);
  if (all) match.allowed = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
  if (match.allowed.empty()) {
    co_return Problem{Kind::not_found, "There is no such path here; /openapi.json lists those that there are.", {}, {}};
  }
  if (exchange->method() == http::verb::options) {
    Reply reply(204, {});
    reply.headers.emplace_back("Allow", match.allowed);
    if (!exchange->services.options.cors_origin.empty()) {
      reply.headers.emplace_back("Access-Control-Allow-Methods", match.allowed);
      reply.headers.emplace_back("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID");
      reply.headers.emplace_back("Access-Control-Max-Age", "600");
    }
    co_return reply;
  }
  if (match.route == nullptr) {
    Reply reply(Problem{Kind::method_not_allowed, fmt::format("This path has the methods {}.", match.allowed), {}, match.allowed});
    reply.headers.emplace_back("Allow", match.allowed);
    co_return reply;
  }
  exchange->route = match.route;
  exchange->params = std::move(match.params);
  if (auto refused = self->refuse(*exchange)) co_return *refused;
  co_return co_await match.route->handler(exchange);
}

}  // namespace covey::api

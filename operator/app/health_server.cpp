#include "operator/app/health_server.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace covey::operating {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

}  // namespace

std::string HealthServer::listen(const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return fmt::format("{} is no address; one such as 0.0.0.0 is wanted", host);
  const tcp::endpoint endpoint(address, port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(kMostConnections, error);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  return error ? fmt::format("cannot listen at {}:{}: {}", host, port, error.message()) : std::string();
}

void HealthServer::start() { asio::co_spawn(acceptor_.get_executor(), accept_loop(shared_from_this()), [](const std::exception_ptr&) {}); }

void HealthServer::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> HealthServer::accept_loop(std::shared_ptr<HealthServer> self) {
  asio::steady_timer pause(self->acceptor_.get_executor());
  while (self->acceptor_.is_open()) {
    auto [error, socket] = co_await self->acceptor_.async_accept(kAwait);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    if (self->open_ >= kMostConnections) continue;
    ++self->open_;
    asio::co_spawn(self->acceptor_.get_executor(), serve(self, std::move(socket)), [self](const std::exception_ptr&) { --self->open_; });
  }
}

asio::awaitable<void> HealthServer::serve(std::shared_ptr<HealthServer> self, tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer(2 * kMostHeaderBytes);
  bool more = true;
  while (more) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(kMostHeaderBytes);
    stream.expires_after(kPatience * 3);
    const auto [failed, ignored] = co_await http::async_read(stream, buffer, parser, kAwait);
    if (failed) co_return;
    const auto& request = parser.get();
    const std::string target(request.target());
    auto page = request.method() == http::verb::get ? self->answer_(target.substr(0, target.find('?'))) : HealthPage{405, "GET is wanted\n"};
    http::response<http::string_body> response{http::int_to_status(page.status), request.version()};
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.body() = std::move(page.text);
    more = request.keep_alive() && self->acceptor_.is_open();
    response.keep_alive(more);
    response.prepare_payload();
    stream.expires_after(kPatience);
    const auto [unsent, bytes] = co_await http::async_write(stream, response, kAwait);
    if (unsent) co_return;
  }
}

}  // namespace covey::operating

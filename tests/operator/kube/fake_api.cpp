#include "tests/operator/kube/fake_api.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

namespace covey::kube::fake {

namespace asio = boost::asio;
namespace http = boost::beast::http;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

Answer json_answer(unsigned status, const std::string& body, const std::string& headers) {
  return {{fmt::format("HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body)},
          Answer::End::keep};
}

Answer watch_answer(const std::vector<std::string>& pieces, bool finished, Answer::End end) {
  Answer answer{{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"}, end};
  for (const auto& piece : pieces) answer.pieces.push_back(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece));
  if (finished) answer.pieces.push_back("0\r\n\r\n");
  return answer;
}

std::string status_body(unsigned code, const std::string& reason, const std::string& message) {
  return fmt::format(R"({{"kind":"Status","apiVersion":"v1","status":"Failure","code":{},"reason":"{}","message":"{}"}})", code, reason, message);
}

Api::Api(asio::io_context& io, std::shared_ptr<asio::ssl::context> tls)
    : io_(io), tls_(std::move(tls)), acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
  asio::co_spawn(io_, accept(), asio::detached);
}

// The loop is turned no more once this is gone.
Api::~Api() = default;

void Api::script(const std::string& method, const std::string& path, Answer answer) { scripted_[method + " " + path].push_back(std::move(answer)); }

std::size_t Api::unused() const {
  std::size_t count = 0;
  for (const auto& [name, answers] : scripted_) count += answers.size();
  return count;
}

Answer Api::answer_to(const Seen& seen) {
  auto& answers = scripted_[seen.method + " " + seen.target.substr(0, seen.target.find('?'))];
  if (answers.empty()) return json_answer(500, status_body(500, "NotScripted", seen.method + " " + seen.target));
  auto answer = std::move(answers.front());
  answers.pop_front();
  return answer;
}

asio::awaitable<void> Api::accept() {
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwait);
    if (error) co_return;
    const auto number = ++connections_;
    if (tls_) {
      auto stream = std::make_shared<asio::ssl::stream<Tcp>>(std::move(socket), *tls_);
      asio::co_spawn(io_, serve(std::move(stream), number), asio::detached);
    } else {
      auto stream = std::make_shared<Tcp>(std::move(socket));
      asio::co_spawn(io_, serve(std::move(stream), number), asio::detached);
    }
  }
}

template <class Stream>
asio::awaitable<void> Api::serve(std::shared_ptr<Stream> stream, std::size_t connection) {
  if constexpr (!std::is_same_v<Stream, Tcp>) {
    const auto [failed] = co_await stream->async_handshake(asio::ssl::stream_base::server, kAwait);
    if (failed) co_return;
  }
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    const auto [error, got] = co_await http::async_read(*stream, buffer, parser, kAwait);
    if (error) co_return;
    const auto& request = parser.get();
    Seen seen{std::string(request.method_string()), std::string(request.target()), request.body(), std::string(request[http::field::content_type]),
              std::string(request[http::field::authorization]), connection};
    seen_.push_back(seen);
    const Answer answer = answer_to(seen);
    for (const auto& piece : answer.pieces) {
      const auto [failed, bytes] = co_await asio::async_write(*stream, asio::buffer(piece), kAwait);
      if (failed) co_return;
    }
    if (answer.end == Answer::End::close) co_return;
    if (answer.end == Answer::End::hang) {  // until the client goes
      char byte;
      co_await stream->async_read_some(asio::buffer(&byte, 1), kAwait);
      co_return;
    }
  }
}

}  // namespace covey::kube::fake

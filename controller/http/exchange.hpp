// One request and its answer, as a handler sees them. Lives on the API's loop, inside its session's coroutine; everything
// that waits has a deadline from Limits.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/http/gzip.hpp"
#include "controller/http/options.hpp"
#include "controller/http/problem.hpp"
#include "controller/http/stream.hpp"
#include "controller/http/target.hpp"

namespace covey::api {

struct Services;
struct Route;

namespace http = boost::beast::http;

struct Reply {
  unsigned status = 200;
  std::string body;
  std::string_view type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  bool streamed = false;  // the answer has left by begin(), write() and finish()
  bool as_it_is = false;  // the headers say how it is packed and cached

  Reply() = default;
  Reply(unsigned with, std::string text, std::string_view media = "application/json")
      : status(with), body(std::move(text)), type(media) {}
  Reply(const Problem& problem);  // NOLINT: a problem is an answer
  static Reply done() {
    Reply reply;
    reply.streamed = true;
    return reply;
  }
};

class Exchange {
 public:
  using HeaderParser = http::request_parser<http::empty_body>;

  Exchange(Stream& stream, boost::beast::flat_buffer& buffer, Services& with)
      : services(with), stream_(stream), buffer_(buffer) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // ---- the request ----
  Services& services;
  Target target;
  const Route* route = nullptr;
  std::vector<std::string> params;  // what the pattern's braces stand for, in order
  std::string identity;             // whose token it came with; empty where none is wanted

  const http::request_header<>& head() const { return body_ ? body_->get().base() : header_->get().base(); }
  std::string_view header(http::field field) const { return head()[field]; }
  std::string_view header(std::string_view name) const { return head()[name]; }
  bool has_header(std::string_view name) const { return head().find(name) != head().end(); }
  http::verb method() const { return head().method(); }
  bool is_head() const { return method() == http::verb::head; }
  std::string_view media_type() const;  // of the body, in lower case as it should come, without parameters
  bool wants_gzip() const;

  // How long the body says that it is; nullopt: it comes in chunks.
  std::optional<std::uint64_t> announced_bytes() const;
  // The whole body, within Limits::body_bytes and Limits::body_timeout.
  boost::asio::awaitable<Outcome<std::string>> read_body();
  // Some more of a body of any length, within Limits::body_timeout each time; 0: it has ended.
  boost::asio::awaitable<Outcome<std::size_t>> read_some(char* to, std::size_t size);

  // ---- an answer of unknown length, in pieces; false: the client is gone ----
  boost::asio::awaitable<bool> begin(std::string_view type, bool may_gzip);
  // The same of a known length, which the pieces have in all; finish() is not for it.
  boost::asio::awaitable<bool> begin(std::string_view type, std::uint64_t size);
  boost::asio::awaitable<bool> write(std::string_view text);
  boost::asio::awaitable<bool> finish();

  // ---- for the session ----
  HeaderParser& fresh_header();
  boost::asio::awaitable<bool> send(const Reply* reply);
  bool body_done() const { return body_ ? body_->is_done() : header_->is_done(); }
  bool keep_alive() const { return keep_alive_; }
  void close_after() { keep_alive_ = false; }
  bool answered() const { return answered_; }
  unsigned status() const { return status_; }
  void note_header_read() { keep_alive_ = header_->get().keep_alive(); }

 private:
  boost::asio::awaitable<bool> continue_if_expected();
  boost::asio::awaitable<bool> put(std::string_view first, std::string_view second);
  std::string head_of(unsigned status, std::string_view type, bool gzipped, bool stored = false) const;
  boost::asio::awaitable<Outcome<std::size_t>> read_more(char* to, std::size_t size);
  void start_body();

  Stream& stream_;
  boost::beast::flat_buffer& buffer_;
  std::optional<HeaderParser> header_;
  std::optional<http::request_parser<http::buffer_body>> body_;
  std::optional<Gzip> gzip_;  // of the streamed answer
  bool keep_alive_ = false;
  bool chunked_ = false;
  bool answered_ = false;
  unsigned status_ = 0;
};

}  // namespace covey::api

#include "controller/http/exchange.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <ctime>

#include "controller/http/services.hpp"

namespace covey::api {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

constexpr std::size_t kPiece = 64 * 1024;       // read at a time
constexpr std::size_t kWorthGzip = 1024;        // smaller answers go as they are
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

std::string_view date() {
  static std::time_t of = 0;
  static std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != of) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 64> buffer{};
    text.assign(buffer.data(), std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
    of = now;
  }
  return text;
}

}  // namespace

Reply::Reply(const Problem& problem)
    : status(status_of(problem.kind)), body(to_json(problem)), type("application/problem+json") {
  if (problem.retry_after_s > 0) headers.emplace_back("Retry-After", std::to_string(problem.retry_after_s));
  if (problem.kind == Kind::unauthorized) headers.emplace_back("WWW-Authenticate", "Bearer realm=\"covey\"");
}

// ---- the request ----

Exchange::HeaderParser& Exchange::fresh_header() {
  header_.emplace();
  header_->header_limit(static_cast<std::uint32_t>(services.options.limits.header_bytes));
  header_->body_limit(boost::none);  // counted here, so that the answer can name the limit
  return *header_;
}

std::string_view Exchange::media_type() const {
  auto type = header(http::field::content_type);
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type;
}

// "gzip" or "*" with any weight but zero.
bool Exchange::wants_gzip() const {
  for (const auto& [name, parameters] : http::ext_list(header(http::field::accept_encoding))) {
    if (!beast::iequals(name, "gzip") && !beast::iequals(name, "x-gzip") && name != "*") continue;
    bool refused = false;
    for (const auto& [key, value] : parameters) {
      refused |= beast::iequals(key, "q") && value.find_first_not_of("0.") == std::string_view::npos;
    }
    return !refused;
  }
  return false;
}

void Exchange::start_body() {
  if (!body_) body_.emplace(std::move(*header_));
}

asio::awaitable<bool> Exchange::continue_if_expected() {
  if (!beast::iequals(header(http::field::expect), "100-continue")) co_return true;
  co_return co_await put("HTTP/1.1 100 Continue\r\n\r\n", {});
}

// What this waits for is the client alone: however long the reader was busy with an earlier piece does not count.
asio::awaitable<Outcome<std::size_t>> Exchange::read_some(char* to, std::size_t size) {
  stream_.expires_after(services.options.limits.body_timeout);
  co_return co_await read_more(to, size);
}

asio::awaitable<Outcome<std::size_t>> Exchange::read_more(char* to, std::size_t size) {
  if (!body_) {
    const bool there = co_await continue_if_expected();
    if (!there) co_return Problem{Kind::too_slow, "The client went away.", {}, {}};
    start_body();
    stream_.expires_after(services.options.limits.body_timeout);
  }
  while (!body_->is_done()) {
    auto& into = body_->get().body();
    into.data = to;
    into.size = size;
    into.more = true;
    const auto [error, read] = co_await http::async_read_some(stream_, buffer_, *body_, kAwait);
    const std::size_t got = size - into.size;
    if (error && stream_.expired()) {
      close_after();
      co_return Problem{Kind::too_slow, "The rest of the body did not come in time.", {}, {}};
    }
    if (error && error != http::error::need_buffer) {
      close_after();
      co_return Problem{Kind::malformed_request, "The body ended early or is malformed: " + error.message() + ".", {}, {}};
    }
    if (got > 0) co_return got;
  }
  co_return std::size_t{0};
}

std::optional<std::uint64_t> Exchange::announced_bytes() const {
  const auto length = header_ ? header_->content_length() : boost::optional<std::uint64_t>();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

asio::awaitable<Outcome<std::string>> Exchange::read_body() {
  const std::uint64_t limit = services.options.limits.body_bytes;
  const auto too_large = [&] {
    close_after();
    return Problem{Kind::too_large, fmt::format("The body is larger than the limit http-body-bytes, {} bytes.", limit), {},
                   fmt::format("at most {} bytes", limit)};
  };
  const auto announced = announced_bytes();
  if (announced && *announced > limit) co_return too_large();
  std::string text;
  if (announced) text.reserve(*announced);
  std::string piece(std::min<std::uint64_t>(announced ? *announced : kPiece, kPiece) + 1, '\0');
  // One deadline for all of it: read_more() sets it with the first piece and leaves it.
  for (;;) {
    const auto got = co_await read_more(piece.data(), piece.size());
    if (!got) co_return got.error();
    if (*got == 0) co_return text;
    if (text.size() + *got > limit) co_return too_large();
    text.append(piece, 0, *got);
  }
}

// ---- the answer ----

asio::awaitable<bool> Exchange::put(std::string_view first, std::string_view second) {
  stream_.expires_after(services.options.limits.write_timeout);
  const std::array<asio::const_buffer, 2> both{asio::buffer(first), asio::buffer(second)};
  const auto [error, written] = co_await asio::async_write(stream_, both, kAwait);
  if (error) close_after();
  co_return !error;
}

std::string Exchange::head_of(unsigned status, std::string_view type, bool gzipped, bool stored) const {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nServer: covey\r\nDate: {}\r\n", status,
                                 std::string_view(http::obsolete_reason(static_cast<http::status>(status))), date());
  if (!type.empty()) fmt::format_to(std::back_inserter(text), "Content-Type: {}\r\n", type);
  if (!stored) text += "Cache-Control: no-store\r\n";
  text += "X-Content-Type-Options: nosniff\r\n";
  if (gzipped) text += "Content-Encoding: gzip\r\n";
  if (!services.options.cors_origin.empty()) {
    fmt::format_to(std::back_inserter(text), "Access-Control-Allow-Origin: {}\r\nVary: Origin, Accept-Encoding\r\n",
                   services.options.cors_origin);
  } else {
    text += "Vary: Accept-Encoding\r\n";
  }
  text += keep_alive_ ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  return text;
}

asio::awaitable<bool> Exchange::send(const Reply* reply) {
  const bool gzipped = !reply->as_it_is && reply->body.size() >= kWorthGzip && header_ && wants_gzip();
  const std::string packed = gzipped ? Gzip().finish(reply->body) : std::string();
  const std::string_view body = gzipped ? std::string_view(packed) : std::string_view(reply->body);
  if (!body_done()) close_after();  // what is left of the body is not worth reading
  answered_ = true;
  status_ = reply->status;
  std::string head = head_of(reply->status, reply->body.empty() ? std::string_view() : reply->type, gzipped, reply->as_it_is);
  for (const auto& [name, value] : reply->headers) fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  if (reply->status != 204 && reply->status != 304) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", body.size());
  head += "\r\n";
  const bool ok = co_await put(head, header_ && is_head() ? std::string_view() : body);
  co_return ok;
}

asio::awaitable<bool> Exchange::begin(std::string_view type, bool may_gzip) {
  if (!body_done()) close_after();
  chunked_ = head().version() >= 11;
  if (!chunked_) close_after();
  answered_ = true;
  status_ = 200;
  if (may_gzip && wants_gzip()) gzip_.emplace();
  std::string text = head_of(200, type, gzip_.has_value());
  text += chunked_ ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
  const bool ok = co_await put(text, {});
  co_return ok;
}

asio::awaitable<bool> Exchange::begin(std::string_view type, std::uint64_t size) {
  if (!body_done()) close_after();
  answered_ = true;
  status_ = 200;
  const bool ok = co_await put(head_of(200, type, false), fmt::format("Content-Length: {}\r\n\r\n", size));
  co_return ok;
}

asio::awaitable<bool> Exchange::write(std::string_view text) {
  const std::string packed = gzip_ ? gzip_->add(text) : std::string();
  const std::string_view body = gzip_ ? std::string_view(packed) : text;
  if (body.empty()) co_return true;
  if (!chunked_) co_return co_await put(body, {});
  std::string chunk = fmt::format("{:x}\r\n", body.size());
  chunk += body;
  chunk += "\r\n";
  co_return co_await put(chunk, {});
}

asio::awaitable<bool> Exchange::finish() {
  const std::string packed = gzip_ ? gzip_->finish() : std::string();
  std::string rest;
  if (!packed.empty()) rest = chunked_ ? fmt::format("{:x}\r\n{}\r\n", packed.size(), packed) : packed;
  if (chunked_) rest += "0\r\n\r\n";
  const bool ok = co_await put(rest, {});
  co_return ok;
}

}  // namespace covey::api

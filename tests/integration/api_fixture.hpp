// A real cluster with its HTTP API, and an HTTP client that blocks.
#pragma once

#include <poll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <map>
#include <string>
#include <string_view>

#include "cli/commands/http_access.hpp"
#include "tests/integration/cluster_fixture.hpp"

namespace covey::integration {

namespace json = boost::json;
namespace http = boost::beast::http;

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
  http::fields headers;
  json::value json() const { return json::parse(body); }
  std::string header(std::string_view name) const { return std::string(headers[boost::beast::string_view(name.data(), name.size())]); }
};

// One connection. What is sent and read raw is for tests of what no good client does.
class HttpConnection {
 public:
  explicit HttpConnection(std::uint16_t port) : socket_(io_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port});
    const timeval patience{60, 0};  // what does not come makes the test fail, not hang
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  using Headers = std::map<std::string, std::string>;
  HttpAnswer ask(const std::string& method, const std::string& target, const std::string& body = {}, const Headers& headers = {}) {
    http::request<http::string_body> request;
    request.method_string(method);
    request.target(target);
    request.version(11);
    request.set(http::field::host, "127.0.0.1");
    for (const auto& [name, value] : headers) request.set(name, value);
    request.body() = body;
    if (!body.empty()) request.prepare_payload();
    http::write(socket_, request);
    return read(method == "HEAD");
  }
  HttpAnswer read(bool head = false) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    parser.skip(head);
    http::read(socket_, buffer_, parser);
    HttpAnswer answer;
    answer.status = parser.get().result_int();
    answer.headers = parser.get().base();
    answer.body = parser.get().body();
    return answer;
  }
  void send(const std::string& bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }
  // Up to and with `mark`.
  std::string read_until(const std::string& mark) {
    const auto size = boost::asio::read_until(socket_, boost::asio::dynamic_buffer(text_), mark);
    auto found = text_.substr(0, size);
    text_.erase(0, size);
    return found;
  }
  void shut_down_sending() { socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send); }
  // Something has come, or the connection has ended.
  bool readable_within(std::chrono::milliseconds time) {
    pollfd one{socket_.native_handle(), POLLIN, 0};
    return ::poll(&one, 1, static_cast<int>(time.count())) == 1;
  }
  // How many bytes come before the connection ends.
  std::size_t count_rest() {
    std::size_t count = text_.size();
    std::string piece(1 << 16, '\0');
    boost::system::error_code error;
    while (!error) count += socket_.read_some(boost::asio::buffer(piece), error);
    return count;
  }
  bool ended() {
    char byte = 0;
    boost::system::error_code error;
    boost::asio::read(socket_, boost::asio::buffer(&byte, 1), error);
    return static_cast<bool>(error);
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  std::string text_;
};

struct ApiFixture : ClusterFixture {
  void start_with_api(std::size_t engines, std::vector<std::string> controller_arguments = {}) {
    access = cli::make_http_access(folder, 0);
    local::LocalCluster::Options options;
    options.folder = folder;
    options.executable = COVEY_EXECUTABLE;
    options.engines = engines;
    options.controller_arguments = access.controller_arguments();
    options.controller_arguments.insert(options.controller_arguments.end(), controller_arguments.begin(), controller_arguments.end());
    cluster = std::make_unique<local::LocalCluster>(options);
    connect(engines);
  }
  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(access.url.substr(access.url.rfind(':') + 1)));
  }
  HttpConnection::Headers authorized(HttpConnection::Headers more = {}) const {
    more.emplace("Authorization", "Bearer " + access.token);
    return more;
  }
  HttpAnswer ask(const std::string& method, const std::string& target, const std::string& body = {}, const HttpConnection::Headers& headers = {}) {
    return HttpConnection(port()).ask(method, target, body, authorized(headers));
  }
  // Asks again until `good` is true of the answer.
  template <class Good>
  HttpAnswer ask_until(const std::string& target, Good good) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    HttpConnection connection(port());
    for (;;) {
      auto answer = connection.ask("GET", target, {}, authorized());
      if (good(answer)) return answer;
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << target << " still answers " << answer.status << " " << answer.body;
        return answer;
      }
    }
  }
  cli::HttpAccess access;
};

}  // namespace covey::integration

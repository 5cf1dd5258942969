// One connection to the API server, plain or TLS, as one type that Asio and Beast can read from and write to. It verifies the server's name,
// or, as is usual, its IP address. One loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "operator/kube/credentials.hpp"

namespace covey::kube {

// Throws nothing: an Error names the file or the certificate that is of no use.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const Config& config, const std::string& authority, const Identity& identity);

class Connection {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  using Tcp = boost::beast::tcp_stream;
  using Tls = boost::beast::ssl_stream<Tcp>;
  using executor_type = Tcp::executor_type;

  Connection(const boost::asio::any_io_executor& executor, std::shared_ptr<boost::asio::ssl::context> tls);

  // Resolves, connects and shakes hands, all before the deadline.
  static boost::asio::awaitable<Result<std::unique_ptr<Connection>>> open(boost::asio::any_io_executor executor, std::shared_ptr<const Config> config,
                                                                        std::shared_ptr<boost::asio::ssl::context> tls, Deadline deadline);

  // Ends whatever is under way when it passes; the connection is of no use then.
  void expires_at(Deadline deadline) { lowest().expires_at(deadline); }
  executor_type get_executor() { return lowest().get_executor(); }
  boost::beast::flat_buffer& buffer() { return buffer_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return tls_ ? tls_->async_read_some(buffers, std::forward<Token>(token)) : plain_->async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return tls_ ? tls_->async_write_some(buffers, std::forward<Token>(token)) : plain_->async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  Tcp& lowest() { return tls_ ? tls_->next_layer() : *plain_; }
  boost::asio::awaitable<std::optional<Error>> connect(std::shared_ptr<const Config> config, Deadline deadline);
  std::optional<Error> expect_name(const std::string& name);
  void notice_dead_peers();

  std::shared_ptr<boost::asio::ssl::context> context_;
  std::optional<Tcp> plain_;
  std::optional<Tls> tls_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace covey::kube

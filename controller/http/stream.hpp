// A connection to an HTTP client, plain or TLS, as one type that Asio and Beast can read from and write to. A deadline set
// by expires_after() ends what is then under way, and leaves the connection open, so that an answer can still say why.
// Lives on the API's loop.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>

namespace covey::api {

class Stream {
 public:
  using Tcp = boost::asio::ip::tcp::socket;
  using Tls = boost::asio::ssl::stream<Tcp>;
  using executor_type = Tcp::executor_type;

  Stream(Tcp socket, std::shared_ptr<boost::asio::ssl::context> tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  executor_type get_executor() { return lowest().get_executor(); }
  Tcp& lowest() { return tls_ ? tls_->next_layer() : *plain_; }
  Tls* tls() { return tls_ ? &*tls_ : nullptr; }

  // Holds for all operations until it is set again.
  void expires_after(std::chrono::milliseconds time);
  // Whether the deadline that was set last has passed.
  bool expired() const { return watch_->expired; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return tls_ ? tls_->async_read_some(buffers, std::forward<Token>(token))
                : plain_->async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return tls_ ? tls_->async_write_some(buffers, std::forward<Token>(token))
                : plain_->async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  using Clock = std::chrono::steady_clock;
  // Outlives the stream while its timer is under way.
  struct Watch {
    Watch(const executor_type& executor, Stream* of) : timer(executor), stream(of) {}
    boost::asio::steady_timer timer;
    Stream* stream;  // null once it is gone
    Clock::time_point deadline{};
    Clock::time_point armed_for = Clock::time_point::max();
    bool expired = false;
  };
  // A timer that is armed for too early a time fires and looks again: cheaper than to arm it anew for every operation.
  static void arm(const std::shared_ptr<Watch>& watch);

  std::shared_ptr<boost::asio::ssl::context> context_;  // outlives the stream that uses it
  std::optional<Tcp> plain_;
  std::optional<Tls> tls_;
  std::shared_ptr<Watch> watch_;
};

}  // namespace covey::api

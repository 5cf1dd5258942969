// A TCP proxy on 127.0.0.1, on a thread of its own, that can let what the server says through a byte at a time: a peer
// then sits for long with part of a TLS record.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <thread>

namespace covey::support {

class TrickleProxy {
 public:
  explicit TrickleProxy(std::uint16_t server_port);
  ~TrickleProxy();
  std::uint16_t port() const { return port_; }
  // From now on one byte of the server's per `interval`; zero: as it comes.
  void trickle(std::chrono::microseconds interval) { interval_us_ = interval.count(); }

 private:
  void accept();

  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::endpoint server_;
  std::uint16_t port_;
  std::atomic<std::int64_t> interval_us_{0};
  std::thread thread_;
};

}  // namespace covey::support

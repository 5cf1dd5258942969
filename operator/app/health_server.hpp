// /livez, /readyz and /metrics over HTTP, for the kubelet and Prometheus. Knows nothing of what it serves. One loop; bounded connections, deadlines.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

namespace covey::operating {

struct HealthPage {
  unsigned status = 200;
  std::string text;
};

class HealthServer : public std::enable_shared_from_this<HealthServer> {
 public:
  // For a path; a status of 404 where there is nothing.
  using Answer = std::function<HealthPage(std::string_view path)>;

  HealthServer(boost::asio::any_io_executor executor, Answer answer) : acceptor_(std::move(executor)), answer_(std::move(answer)) {}
  // Empty, or what is wrong.
  std::string listen(const std::string& host, std::uint16_t port);
  void start();
  void stop();
  std::uint16_t port() const { return port_; }

 private:
  static boost::asio::awaitable<void> accept_loop(std::shared_ptr<HealthServer> self);
  static boost::asio::awaitable<void> serve(std::shared_ptr<HealthServer> self, boost::asio::ip::tcp::socket socket);

  boost::asio::ip::tcp::acceptor acceptor_;
  Answer answer_;
  std::uint16_t port_ = 0;
  int open_ = 0;
};

inline constexpr int kMostConnections = 64;
inline constexpr std::uint32_t kMostHeaderBytes = 16 * 1024;

}  // namespace covey::operating

#include "tests/support/trickle_proxy.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <memory>

namespace covey::support {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using Socket = std::shared_ptr<tcp::socket>;

// One direction. It lives in its handlers, and ends with either socket.
class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  Pipe(Socket from, Socket to, const std::atomic<std::int64_t>* interval_us)
      : from_(std::move(from)), to_(std::move(to)), interval_us_(interval_us), timer_(from_->get_executor()) {}

  void read() {
    from_->async_read_some(asio::buffer(buffer_), [kept = shared_from_this()](const auto& error, std::size_t size) {
      if (error) return kept->end();
      kept->begin_ = 0;
      kept->size_ = size;
      kept->write();
    });
  }

 private:
  void write() {
    if (begin_ == size_) return read();
    const bool slow = interval_us_ != nullptr && interval_us_->load() > 0;
    const std::size_t size = slow ? 1 : size_ - begin_;
    asio::async_write(*to_, asio::buffer(buffer_.data() + begin_, size),
                      [kept = shared_from_this(), slow](const auto& error, std::size_t written) {
                        if (error) return kept->end();
                        kept->begin_ += written;
                        slow ? kept->pause() : kept->write();
                      });
  }
  void pause() {
    timer_.expires_after(std::chrono::microseconds(interval_us_->load()));
    timer_.async_wait([kept = shared_from_this()](const auto& error) {
      if (!error) kept->write();
    });
  }
  void end() {
    boost::system::error_code ignored;
    from_->close(ignored);
    to_->close(ignored);
  }

  Socket from_, to_;
  const std::atomic<std::int64_t>* interval_us_;
  asio::steady_timer timer_;
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0, size_ = 0;
};

}  // namespace

TrickleProxy::TrickleProxy(std::uint16_t server_port)
    : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      server_(asio::ip::address_v4::loopback(), server_port),
      port_(acceptor_.local_endpoint().port()) {
  accept();
  thread_ = std::thread([this] { io_.run(); });
}

TrickleProxy::~TrickleProxy() {
  io_.stop();
  thread_.join();
}

void TrickleProxy::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket peer) {
    if (error) return;
    auto client = std::make_shared<tcp::socket>(std::move(peer));
    auto server = std::make_shared<tcp::socket>(io_);
    boost::system::error_code refused;
    server->connect(server_, refused);
    client->set_option(tcp::no_delay(true));
    if (!refused) {
      std::make_shared<Pipe>(client, server, nullptr)->read();
      std::make_shared<Pipe>(server, client, &interval_us_)->read();
    }
    accept();
  });
}

}  // namespace covey::support

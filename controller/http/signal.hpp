// Lets coroutines of one loop wait for something to happen. A waiter looks at what it waits for first, waits, and looks again.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace covey::api {

class Signal : public std::enable_shared_from_this<Signal> {
 public:
  explicit Signal(boost::asio::io_context& io) : io_(io) {}

  // Wakes all that wait now.
  void notify() {
    for (auto* timer : std::exchange(waiting_, {})) timer->cancel();
  }
  bool awaited() const { return !waiting_.empty(); }

  // True: it has been notified; false: the time has passed.
  static boost::asio::awaitable<bool> wait(std::shared_ptr<Signal> signal, std::chrono::steady_clock::duration time) {
    boost::asio::steady_timer timer(signal->io_, time);
    signal->waiting_.push_back(&timer);
    struct Leave {  // also when the connection ends meanwhile
      Signal& signal;
      boost::asio::steady_timer* timer;
      ~Leave() { std::erase(signal.waiting_, timer); }
    } leave{*signal, &timer};
    const auto [error] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return static_cast<bool>(error);
  }

 private:
  boost::asio::io_context& io_;
  std::vector<boost::asio::steady_timer*> waiting_;
};

}  // namespace covey::api

// Runs several coroutines side by side to their ends. One loop.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <vector>

namespace covey::operating {

// Each notes its own outcome; what one throws is thrown here when all have ended.
inline boost::asio::awaitable<void> side_by_side(std::vector<boost::asio::awaitable<void>> work) {
  namespace asio = boost::asio;
  struct Shared {
    explicit Shared(const asio::any_io_executor& executor) : finished(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer finished;
    std::size_t left = 0;
    std::exception_ptr thrown;
  };
  const auto executor = co_await asio::this_coro::executor;
  const auto shared = std::make_shared<Shared>(executor);
  shared->left = work.size();
  for (auto& each : work) {
    asio::co_spawn(executor, std::move(each), [shared](const std::exception_ptr& thrown) {
      if (thrown) shared->thrown = thrown;
      if (--shared->left == 0) shared->finished.cancel();
    });
  }
  while (shared->left > 0) co_await shared->finished.async_wait(asio::as_tuple(asio::use_awaitable));
  if (shared->thrown) std::rethrow_exception(shared->thrown);
}

}  // namespace covey::operating

// One asynchronous operation of the client that some token of Asio's waits for. It ends once, whoever ends it first: the
// client's loop, or the token's cancellation slot. Its handler is always posted to its executor, never called in place.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace covey::client {

class Completion {
 public:
  Completion() = default;
  virtual ~Completion() = default;
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;
  // Any thread, any number of times; only the first counts.
  virtual void complete(boost::system::error_code error) = 0;
};

// Calls a handler of the signature void(error_code, Results...): with the results that it was made with, or, after an error,
// with empty ones.
template <class Handler, class... Results>
class HandlerCompletion final : public Completion, public std::enable_shared_from_this<HandlerCompletion<Handler, Results...>> {
 public:
  // `fallback`: where the handler is called if it has no executor of its own.
  HandlerCompletion(Handler handler, const boost::asio::any_io_executor& fallback, Results... results)
      : handler_(std::move(handler)),
        results_(std::move(results)...),
        slot_(boost::asio::get_associated_cancellation_slot(*handler_)),
        work_(boost::asio::make_work_guard(boost::asio::get_associated_executor(*handler_, fallback))) {}

  // `cancel` is called with this completion when the token is cancelled. Call it before anybody can complete.
  template <class Cancel>
  void on_cancel(Cancel cancel) {
    if (!slot_.is_connected()) return;
    slot_.assign([weak = this->weak_from_this(), cancel = std::move(cancel)](boost::asio::cancellation_type) {
      if (const auto self = weak.lock()) cancel(*self);
    });
  }

  void complete(boost::system::error_code error) override {
    if (done_.exchange(true)) return;
    const auto work = work_;  // until post() has returned the handler's loop does not end, and is not destroyed by whoever ran it
    boost::asio::post(work.get_executor(), [self = this->shared_from_this(), error] { self->finish(error); });
  }

 private:
  // On the handler's executor. Everything is released before the handler runs, which may destroy who owns it.
  void finish(boost::system::error_code error) {
    if (slot_.is_connected()) slot_.clear();
    Handler handler = std::move(*handler_);
    handler_.reset();
    std::tuple<Results...> results = error ? std::tuple<Results...>() : std::move(results_);
    const auto work = std::move(work_);
    std::apply([&](auto&... one) { std::move(handler)(error, std::move(one)...); }, results);
  }

  using Executor = boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;
  std::optional<Handler> handler_;
  std::tuple<Results...> results_;
  boost::asio::associated_cancellation_slot_t<Handler> slot_;
  boost::asio::executor_work_guard<Executor> work_;
  std::atomic<bool> done_{false};
};

template <class Handler, class... Results>
std::shared_ptr<HandlerCompletion<Handler, Results...>> make_completion(Handler handler, const boost::asio::any_io_executor& fallback,
                                                                        Results... results) {
  return std::make_shared<HandlerCompletion<Handler, Results...>>(std::move(handler), fallback, std::move(results)...);
}

}  // namespace covey::client

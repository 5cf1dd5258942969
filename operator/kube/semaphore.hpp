// At most so many coroutines at a time; the others wait in turn. Lives on one loop, and outlives those that wait.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <utility>

namespace covey::kube {

class Semaphore {
 public:
  Semaphore(boost::asio::any_io_executor executor, std::size_t places) : executor_(std::move(executor)), free_(places) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // A place, given back when this goes. Empty where the deadline came first.
  class Permit {
   public:
    Permit() = default;
    explicit Permit(Semaphore* of) : of_(of) {}
    Permit(Permit&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(of_, other.of_);
      return *this;
    }
    ~Permit() {
      if (of_ != nullptr) of_->release();
    }
    explicit operator bool() const { return of_ != nullptr; }

   private:
    Semaphore* of_ = nullptr;
  };

  boost::asio::awaitable<Permit> acquire(std::chrono::steady_clock::time_point deadline) {
    if (free_ > 0) {
      --free_;
      co_return Permit(this);
    }
    Waiting waiting(executor_, this);
    waiting.timer.expires_at(deadline);
    co_await waiting.timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return std::move(waiting.granted);
  }

 private:
  struct Waiting {
    Waiting(const boost::asio::any_io_executor& executor, Semaphore* of) : timer(executor), semaphore(of) {
      place = semaphore->waiting_.insert(semaphore->waiting_.end(), this);
    }
    ~Waiting() {
      if (!granted_once) semaphore->waiting_.erase(place);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    boost::asio::steady_timer timer;
    Semaphore* semaphore;
    std::list<Waiting*>::iterator place{};
    bool granted_once = false;
    Permit granted;  // given back when nobody takes it any more
  };

  // The place goes straight to who has waited longest, so that nobody overtakes.
  void release() {
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    Waiting* first = waiting_.front();
    waiting_.pop_front();
    first->granted_once = true;
    first->granted = Permit(this);
    first->timer.cancel();
  }

  boost::asio::any_io_executor executor_;
  std::size_t free_;
  std::list<Waiting*> waiting_;
};

}  // namespace covey::kube

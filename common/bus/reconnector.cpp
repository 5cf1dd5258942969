#include "common/bus/reconnector.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <random>

namespace covey::bus {

namespace {

// Between attempts, with as much as the jitter added, so that many peers do not come at once.
constexpr std::chrono::milliseconds kWait{100}, kJitter{50};
// A server that is there but does not want us will not change its mind soon.
constexpr std::chrono::milliseconds kWaitWhenRefused{1000};

}  // namespace

Reconnector::Reconnector(boost::asio::io_context& io, ConnectOptions options, ReconnectEvents& events)
    : io_(io), options_(std::move(options)), events_(events), thread_([this] { run(); }) {}

Reconnector::~Reconnector() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  thread_.join();
}

// False when it is time to stop.
bool Reconnector::pause(Errc last) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const bool gone = last == Errc::ok || last == Errc::refused || last == Errc::timeout;
  const std::chrono::milliseconds jitter{std::uniform_int_distribution<long>(0, kJitter.count())(random)};
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, (gone ? kWait : kWaitWhenRefused) + jitter, [this] { return stop_; });
}

void Reconnector::run() {
  Errc last = Errc::ok;
  while (pause(last)) {
    auto link = NatsLink::open(io_, options_);
    if (link) {
      boost::asio::post(io_, [this, alive = alive_, opened = std::move(*link)]() mutable {
        if (*alive) events_.on_reopened(std::move(opened));
      });
      return;
    }
    const auto code = static_cast<Errc>(link.error().value());
    if (code != last) {
      boost::asio::post(io_, [this, alive = alive_, code] {
        if (*alive) events_.on_refused(code);
      });
    }
    last = code;
  }
}

}  // namespace covey::bus

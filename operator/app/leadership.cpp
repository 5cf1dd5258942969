#include "operator/app/leadership.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

namespace covey::operating {

namespace asio = boost::asio;
using Do = kube::Election::Step::Do;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kReleaseAttempts = 2;

kube::TransportOptions transport_options(const kube::Election::Options& options) {
  kube::TransportOptions transport;
  transport.timeout = options.request_timeout;
  transport.max_connections = transport.max_idle = 1;
  return transport;
}

}  // namespace

Leadership::Leadership(asio::any_io_executor executor, std::shared_ptr<const kube::Config> config, kube::Election::Options options, Events events)
    : executor_(executor),
      place_{kube::types::kLeases, options.ns, options.name},
      election_(options),
      client_(std::move(executor), std::move(config), transport_options(options)),
      events_(std::move(events)) {}

asio::awaitable<void> Leadership::run() {
  asio::steady_timer pause(executor_);
  bool led = false;
  while (!released_) {
    auto step = election_.next(Clock::now(), std::chrono::system_clock::now());
    if (step.what == Do::lost) {
      if (!released_) events_.lost();
      co_return;
    }
    if (step.at > Clock::now()) {
      pause.expires_at(step.at);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      // The time in it is to be that of the writing.
      step = election_.next(Clock::now(), std::chrono::system_clock::now());
      if (released_ || step.what == Do::lost) continue;
    }
    co_await carry_out(std::move(step));
    if (!led && leading()) {
      led = true;
      events_.won();
    }
  }
}

asio::awaitable<void> Leadership::carry_out(kube::Election::Step step) {
  const auto began = Clock::now();
  if (step.what == Do::read) {
    const auto read = co_await client_.get(place_);
    if (read) {
      election_.on_read(&*read, Clock::now());
    } else if (read.error().code == kube::Errc::not_found) {
      election_.on_read(nullptr, Clock::now());
    } else {
      spdlog::warn("the lease could not be read: {}", kube::to_string(read.error()));
      election_.on_failed(read.error(), Clock::now());
    }
    co_return;
  }
  const bool creates = step.what == Do::create;
  const kube::Place collection{place_.type, place_.ns, {}};
  auto work = creates ? client_.create(collection, std::move(step.lease)) : client_.replace(place_, std::move(step.lease));
  const auto written = co_await std::move(work);
  if (written) {
    election_.on_written(*written, began, Clock::now());
  } else {
    if (written.error().code != kube::Errc::conflict) spdlog::warn("the lease could not be written: {}", kube::to_string(written.error()));
    election_.on_failed(written.error(), Clock::now());
  }
}

asio::awaitable<void> Leadership::release() {
  released_ = true;
  for (int attempt = 0; attempt < kReleaseAttempts; ++attempt) {
    auto lease = election_.release(Clock::now(), std::chrono::system_clock::now());
    if (!lease) co_return;
    const auto written = co_await client_.replace(place_, std::move(*lease));
    if (written) co_return;
    // A renewal that was under way has come first.
    if (written.error().code != kube::Errc::conflict) {
      spdlog::warn("the lease could not be released: {}", kube::to_string(written.error()));
      co_return;
    }
    const auto read = co_await client_.get(place_);
    if (!read) co_return;
    election_.on_read(&*read, Clock::now());
  }
}

}  // namespace covey::operating

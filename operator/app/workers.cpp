#include "operator/app/workers.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "operator/reconcile/claims.hpp"

namespace covey::operating {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// Whatever no event tells is found after that long all the same; and sooner what may have been a passing trouble.
constexpr auto kResync = std::chrono::minutes(5);
constexpr auto kPassing = std::chrono::seconds(30), kUnhurried = std::chrono::seconds(10);

}  // namespace

void rethrow(const std::exception_ptr& thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

void Workers::add(const std::string& key) {
  if (!leading_) return;
  queue_.add(key);
  pump();
}

void Workers::pump() {
  if (stopping_ || !leading_ || !job_.ready()) return;
  while (under_way_ < job_.at_once) {
    auto key = queue_.pop(Clock::now());
    if (!key) break;
    if (job_.left_to_others(key->substr(0, key->find('/')))) {
      if (job_.interest(*key) != Interest::gone) queue_.add_at(*key, Clock::now() + reconcile::Claims::kPatience);
      queue_.done(*key);
      continue;
    }
    ++under_way_;
    asio::co_spawn(io_, work(this, std::move(*key)), rethrow);
  }
  const auto next = queue_.next_at();
  if (next && under_way_ < job_.at_once) wake_at(*next);
}

void Workers::wake_at(Clock::time_point when) {
  wake_.expires_at(when);
  wake_.async_wait([this](const boost::system::error_code& error) {
    if (!error) pump();
  });
}

asio::awaitable<void> Workers::work(Workers* self, std::string key) {
  const auto began = Clock::now();
  PassResult result;
  try {
    auto pass = self->job_.pass(key);
    result = co_await std::move(pass);
  } catch (const std::exception& error) {
    result.error = kube::local_error(fmt::format("a pass ended by an exception: {}", error.what()));
  }
  self->metrics_.reconcile_seconds.Observe(std::chrono::duration<double>(Clock::now() - began).count());
  self->settle(key, result);
  --self->under_way_;
  // Not from here: passes that end without waiting would begin one inside another.
  asio::post(self->io_, [self] { self->pump(); });
}

void Workers::settle(const std::string& key, const PassResult& result) {
  const auto now = Clock::now();
  if (result.error) {
    metrics_.reconcile_errors.Increment();
    spdlog::warn("{} {}: {}", job_.kind, key, kube::to_string(*result.error));
    milliseconds most = result.error->transient() ? milliseconds(kPassing) : milliseconds(kResync);
    if (result.again_after.count() > 0) most = std::min(most, std::max<milliseconds>(result.again_after, kUnhurried));
    queue_.failed(key, now, result.error->retry_after.value_or(milliseconds(0)), most);
  } else {
    queue_.succeeded(key);
    const auto interest = job_.interest(key);
    if (result.again_after.count() > 0) {
      queue_.add_at(key, now + result.again_after);
    } else if (interest == Interest::lasting) {
      queue_.add_at(key, now + kResync);
    }
    if (interest == Interest::gone) queue_.forget(key);
  }
  queue_.done(key);
}

}  // namespace covey::operating

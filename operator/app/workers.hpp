// Lets passes over keys ("namespace/name") run, so many at once and one over a key at a time: when something has changed, when the pass before has
// asked for it, after a failure ever later, and now and then in any case. One loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "operator/app/metrics.hpp"
#include "operator/kube/error.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace covey::operating {

struct PassResult {
  std::optional<kube::Error> error{};
  std::chrono::milliseconds again_after{0};  // 0: not before something changes
};

class Workers {
 public:
  enum class Interest { gone, ended, lasting };
  struct Job {
    std::string kind;  // of what there are keys, for the log
    int at_once;
    std::function<bool()> ready;  // enough is known to work
    std::function<bool(const std::string& ns)> left_to_others;
    std::function<boost::asio::awaitable<PassResult>(std::string key)> pass;
    std::function<Interest(const std::string& key)> interest;
  };
  Workers(boost::asio::io_context& io, Metrics& metrics, Job job) : io_(io), metrics_(metrics), job_(std::move(job)), wake_(io) {}

  // Until then nothing is remembered, for whoever begins to lead adds everything that there is.
  void lead() { leading_ = true; }
  // Something has changed about it.
  void add(const std::string& key);
  // To be called when `ready` may have come true.
  void pump();
  // Passes under way end; no others begin.
  void stop() { stopping_ = true; }
  int under_way() const { return under_way_; }
  std::size_t depth() const { return queue_.depth(); }

 private:
  using Clock = std::chrono::steady_clock;
  static boost::asio::awaitable<void> work(Workers* self, std::string key);
  void settle(const std::string& key, const PassResult& result);
  void wake_at(Clock::time_point when);

  boost::asio::io_context& io_;
  Metrics& metrics_;
  Job job_;
  reconcile::WorkQueue queue_;
  boost::asio::steady_timer wake_;
  int under_way_ = 0;
  bool leading_ = false, stopping_ = false;
};

// For co_spawn: a loop that ended by an exception would go on as if nothing had happened, and do nothing.
void rethrow(const std::exception_ptr& thrown);

}  // namespace covey::operating

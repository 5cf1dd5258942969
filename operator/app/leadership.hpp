// Takes part in the election of the operator that acts: carries out what kube::Election says, over a connection of its own. One loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "operator/kube/client.hpp"
#include "operator/kube/lease.hpp"

namespace covey::operating {

class Leadership {
 public:
  struct Events {
    std::function<void()> won;
    std::function<void()> lost;  // whoever led and does no longer has to end
  };
  Leadership(boost::asio::any_io_executor executor, std::shared_ptr<const kube::Config> config, kube::Election::Options options, Events events);

  // Until it is lost, or released.
  boost::asio::awaitable<void> run();
  // So that the next one need not wait; writes nothing that the lease covers after that.
  boost::asio::awaitable<void> release();

  bool leading() const { return election_.leading(std::chrono::steady_clock::now()); }
  kube::Deadline write_fence() const { return election_.write_fence(); }
  // By which controllers know this leader from those before it.
  const std::string& fencing_token() const { return election_.fencing_token(); }

 private:
  boost::asio::awaitable<void> carry_out(kube::Election::Step step);

  boost::asio::any_io_executor executor_;
  kube::Place place_;
  kube::Election election_;
  kube::Client client_;
  Events events_;
  bool released_ = false;
};

}  // namespace covey::operating

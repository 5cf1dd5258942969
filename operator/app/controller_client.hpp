// Asks the controllers what they know of their engines, and tells them to drain some, over their HTTP API. Views are fetched beside the passes, so
// that a controller that hangs holds up nobody. One loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "operator/app/leadership.hpp"
#include "operator/kube/transport.hpp"
#include "operator/reconcile/observed.hpp"

namespace covey::operating {

class ControllerClients {
 public:
  using Now = std::chrono::steady_clock::time_point;
  // `on_view` is called with the cluster's key when a new view is there.
  ControllerClients(boost::asio::any_io_executor executor, const Leadership& leadership, std::function<void(const std::string&)> on_view)
      : executor_(std::move(executor)), leadership_(leadership), on_view_(std::move(on_view)) {}

  // Where the cluster's controller is, and with what token; an empty address: nowhere yet.
  void set(const std::string& cluster, const std::string& address, std::uint16_t port, const std::string& token);
  void forget(const std::string& cluster) { known_.erase(cluster); }

  // What is known by now. One that is older than `most` is asked for anew, beside.
  const reconcile::ControllerView& view(const std::string& cluster, std::chrono::milliseconds most);
  // How old what is known is; very, where nothing is.
  std::chrono::steady_clock::duration age(const std::string& cluster) const;
  boost::asio::awaitable<kube::Result<bool>> drain(std::string cluster, std::string engine);
  // Says that it has ended, and why. False: the controller knows of nothing that it was running.
  boost::asio::awaitable<kube::Result<bool>> give_up(std::string cluster, std::string engine, std::string why);

 private:
  struct Known {
    std::string address, token;
    std::shared_ptr<kube::Transport> transport;
    reconcile::ControllerView view{};
    Now asked_at{}, good_at{}, on_nats_since{};
    bool asking = false;
  };
  boost::asio::awaitable<kube::Result<bool>> tell(std::string cluster, std::string engine, std::string what, std::string body);
  static boost::asio::awaitable<void> fetch(std::shared_ptr<Known> known);

  boost::asio::any_io_executor executor_;
  const Leadership& leadership_;
  std::function<void(const std::string&)> on_view_;
  std::map<std::string, std::shared_ptr<Known>> known_;
};

}  // namespace covey::operating

// One pass over one cluster: look, decide by the pure parts, carry out, tell. Level-triggered: whatever a pass could not do, the next one does, and a
// pass over a cluster that is as it should be writes nothing. Passes over different clusters overlap; those over one do not. One loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "operator/app/access.hpp"
#include "operator/app/controller_client.hpp"
#include "operator/app/store.hpp"
#include "operator/app/workers.hpp"
#include "operator/resources/children.hpp"

namespace covey::operating {

class Reconciler {
 public:
  struct Options {
    std::string default_image;
    std::string instance;  // for events
  };
  Reconciler(kube::Client& client, Store& store, ControllerClients& controllers, Metrics& metrics, Options options)
      : client_(client), store_(store), controllers_(controllers), metrics_(metrics), options_(std::move(options)) {}

  boost::asio::awaitable<PassResult> pass(std::string key);

 private:
  using Object = boost::json::value;
  // What is remembered of a cluster. Losing it costs a few requests, and never an engine.
  struct State {
    std::string uid;
    reconcile::Memory memory;
    std::deque<reconcile::Loss> untold;  // that the controller does not know yet
    AccessResult access;
    std::int64_t access_generation = -1;
    std::chrono::steady_clock::time_point access_at{};
    std::map<std::string, std::string> applied;  // child → digest of what was wanted and of what came of it
    std::optional<reconcile::Trouble> failure;
    std::chrono::steady_clock::time_point make_no_pods_before{};
    std::chrono::milliseconds view_age{500};  // how old what the controller said may be
    std::int64_t errors_told = -1;            // the generation whose errors an event has told
  };
  using StatePointer = std::shared_ptr<State>;
  struct Pass;

  boost::asio::awaitable<PassResult> pass_over(Pass* pass);
  boost::asio::awaitable<std::optional<kube::Error>> look_up_unseen(Pass* pass);
  boost::asio::awaitable<std::optional<kube::Error>> ensure_secrets(Pass* pass);
  boost::asio::awaitable<std::optional<kube::Error>> apply_children(Pass* pass);
  boost::asio::awaitable<void> apply_into(Pass* pass, resources::Child child, std::optional<kube::Error>* first);
  boost::asio::awaitable<std::optional<kube::Error>> apply_child(Pass* pass, resources::Child child);
  boost::asio::awaitable<std::optional<kube::Error>> prune(Pass* pass, const std::vector<std::string>* wanted);
  void plan_engines(Pass* pass);
  void wait_for_fresh_view(Pass* pass);
  boost::asio::awaitable<void> tend_engines(Pass* pass);
  boost::asio::awaitable<void> create_engines(Pass* pass);
  boost::asio::awaitable<void> create_engine(Pass* pass, std::string name);
  boost::asio::awaitable<void> drain_engine(Pass* pass, reconcile::Drain drain);
  boost::asio::awaitable<void> remove_engine(Pass* pass, reconcile::Removal removal);
  boost::asio::awaitable<void> tell_loss(Pass* pass, reconcile::Loss loss);
  boost::asio::awaitable<std::optional<kube::Error>> tell_status(Pass* pass);
  boost::asio::awaitable<void> tell_events(Pass* pass);
  boost::asio::awaitable<void> note(Pass* pass, bool warning, std::string_view reason, std::string_view action, std::string text);
  boost::asio::awaitable<PassResult> tell_errors(Pass* pass);
  boost::asio::awaitable<PassResult> clear_up(std::string key);

  void find_controller(Pass* pass);
  std::optional<reconcile::Trouble> trouble_of(const Pass& pass, std::string_view component) const;
  void on_create_failed(Pass* pass, const kube::Error& error);

  kube::Client& client_;
  Store& store_;
  ControllerClients& controllers_;
  Metrics& metrics_;
  Options options_;
  std::map<std::string, StatePointer> states_;
};

}  // namespace covey::operating

// A client of a Covey cluster. Put in work through a view:
//
//   auto client = covey::client::Client::connect({.nats_url = "nats://127.0.0.1:4222"});
//   auto view = client->load_balanced();
//   auto squares = view.map("sleep", {"[0.1]", "[0.2]"});
//   squares.wait();
//
// With connect() the client has a loop and a thread of its own, and any thread may use it; one that waits for a lone task runs
// the loop meanwhile. With a caller's io_context it lives on that loop: from there apply() costs no hand-over, and nothing may
// block.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/async_result.hpp"
#include "client/direct_view.hpp"
#include "client/task_options.hpp"
#include "client/view.hpp"
#include "common/bus/connection.hpp"

namespace covey::client {

struct Options {
  std::string nats_url = "nats://127.0.0.1:4222";
  std::string user, password;
  std::optional<bus::TlsOptions> tls;
  std::string cluster = "default";
  std::string name = "client";
  std::chrono::milliseconds connect_timeout{5000};
};

// An engine as the controller sees it.
struct EngineInfo {
  wire::Incarnation id = wire::Incarnation::none;
  std::string name;
  std::uint32_t slots = 0;
  std::string state;  // draining, joining, busy, idle
  std::vector<std::string> labels, functions;
};

class Client {
 public:
  static boost::system::result<std::unique_ptr<Client>> connect(Options options);
  static boost::system::result<std::unique_ptr<Client>> connect(Options options, boost::asio::io_context& io);
  // Says goodbye. Tasks go on; their results wait in the controller for its result_ttl.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  LoadBalancedView load_balanced(Scheme scheme = Scheme::controller) { return LoadBalancedView(session_, scheme); }
  // A view of these engines, or of all that are there now and take tasks. Throws std::invalid_argument where there are none.
  DirectView direct_view(std::vector<wire::Incarnation> engines) { return DirectView(session_, std::move(engines)); }
  DirectView direct_view();

  // Asks the controller (status, engines, explain, result, cancel, drain): JSON in, JSON out. nullopt: no answer in time.
  std::optional<std::string> request(std::string_view json, std::chrono::nanoseconds timeout = std::chrono::seconds(5));
  // The engines that are there now. Throws std::runtime_error where the controller does not answer in time. Not from the
  // client's own loop, like all that waits.
  std::vector<EngineInfo> engines(std::chrono::nanoseconds timeout = std::chrono::seconds(5));
  // Waits until a controller has welcomed us and at least `engines` engines are registered with it.
  bool wait_for_engines(std::size_t engines, std::chrono::nanoseconds timeout);
  // The value of a detached task, where it is too large for the controller's answer to `result` (which has `value_at` then): read
  // from the engine or the controller that holds it, and left there. Throws TimeoutError, or std::runtime_error that says why
  // it cannot be had.
  wire::Payload large_value_of(const wire::TaskId& task, std::chrono::nanoseconds timeout = std::chrono::seconds(60));
  void cancel(const wire::TaskId& task);
  // Cancels what was submitted before and has not ended, whoever holds its results. Does not wait.
  void cancel_all();
  // The ids of a result's tasks, in the order of submission; elements of one chunk have the same. Waits until all have been
  // numbered.
  std::vector<wire::TaskId> ids_of(const AsyncResult& result);
  // Not empty: the controller refuses us, and this is why.
  std::string refusal() const;
  bus::Connection& connection();

 private:
  explicit Client(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  std::shared_ptr<Session> session_;
};

}  // namespace covey::client

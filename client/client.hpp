// A client of a Covey cluster. Put in work through a view:
//
//   auto client = covey::client::Client::connect({.nats_url = "nats://127.0.0.1:4222"});
//   auto view = client->load_balanced();
//   auto squares = view.map("sleep", {"[0.1]", "[0.2]"});
//   squares.wait();
//
// With connect() the client has a loop and a thread of its own, and any thread may use it. With a caller's io_context it
// lives on that loop: from there apply() costs no hand-over, and nothing may block.
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
#include "client/core/client_core.hpp"
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

// How tasks of a view are to run; see docs/protocol.md for each.
struct TaskOptions {
  std::string label;
  int priority = 0;
  std::chrono::milliseconds timeout{0}, run_limit{0}, retry_delay{0};
  std::uint32_t max_attempts = 3, retries = 0;
  std::vector<wire::Incarnation> targets;
  std::vector<std::string> labels;
  bool detached = false;  // the value waits in the controller until it is asked for; the AsyncResult has all but the value
  wire::DependencySet after, follow;
  std::string idempotency_key;
};

class Client;

// Puts in work for whichever engine is best placed: scheme controller lets the scheduler choose, scheme direct leaves it to
// a NATS queue group, with no dependencies, no reruns and the fewest hops.
class View {
 public:
  TaskOptions options;

  // Submits one task. `args` is moved, not copied. Blocks while the queue is at its limit, except on the client's loop,
  // where it throws QueueFull instead.
  AsyncResult apply(std::string_view function, wire::Payload args);
  // JSON arguments: an array, as text.
  AsyncResult apply(std::string_view function, std::string args_json);
  // One task per element of `inputs`, each a JSON array of arguments.
  AsyncResult map(std::string_view function, std::vector<std::string> inputs);

 private:
  friend class Client;
  View(std::shared_ptr<Session> session, Scheme scheme) : session_(std::move(session)), scheme_(scheme) {}
  std::uint32_t spec_for(std::string_view function);

  std::shared_ptr<Session> session_;
  Scheme scheme_;
  std::string cached_function_;
  TaskOptions cached_options_;
  std::uint32_t cached_spec_ = 0;
};

class QueueFull : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Client {
 public:
  static boost::system::result<std::unique_ptr<Client>> connect(Options options);
  static boost::system::result<std::unique_ptr<Client>> connect(Options options, boost::asio::io_context& io);
  // Says goodbye. Tasks go on; their results wait in the controller for its result_ttl.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  View load_balanced(Scheme scheme = Scheme::controller) { return View(session_, scheme); }

  // Asks the controller (status, engines, explain, result, cancel, drain): JSON in, JSON out. nullopt: no answer in time.
  std::optional<std::string> request(std::string_view json, std::chrono::nanoseconds timeout = std::chrono::seconds(5));
  // Waits until a controller has welcomed us and at least `engines` engines are registered with it.
  bool wait_for_engines(std::size_t engines, std::chrono::nanoseconds timeout);
  void cancel(const wire::TaskId& task);
  // The ids of a result's tasks, in the order of submission. Waits until all have been numbered.
  std::vector<wire::TaskId> ids_of(const AsyncResult& result);
  // Not empty: the controller refuses us, and this is why.
  std::string refusal() const;
  bus::Connection& connection();

 private:
  explicit Client(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  std::shared_ptr<Session> session_;
};

}  // namespace covey::client

// A controller process: the broker on its loop, a connection to NATS, and the HTTP API, which is a client on a loop of its
// own in the same process.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "common/bus/connection.hpp"
#include "common/bus/core_loop.hpp"
#include "controller/core/broker.hpp"
#include "controller/http/service.hpp"

namespace covey::controller {

struct NodeOptions {
  bus::ConnectOptions nats;
  std::string cluster = "default";
  Config core;
  api::ServiceOptions http;  // no host: no API
};

class ControllerNode : private wire::Outlet {
 public:
  ControllerNode(boost::asio::io_context& io, NodeOptions options);
  boost::system::error_code start();
  // The client at the other end of `wire` is served as if its frames came over NATS.
  void serve(std::shared_ptr<bus::LocalWire> wire, wire::Incarnation client, wire::SessionId session);
  void stop();
  api::NatsFigures nats_figures() const;

  // ---- for CoreLoop: the broker, and word to the local client of how NATS is ----
  void on_frame(wire::Role sender, wire::ByteSpan frame, wire::Time now) { broker_.on_frame(sender, frame, now); }
  void on_connected(wire::Time now);
  void on_disconnected();
  void on_timer(wire::Time now) { broker_.on_timer(now); }
  void end_turn(wire::Time now) { broker_.end_turn(now); }
  wire::Time next_deadline() const { return broker_.next_deadline(); }

 private:
  void send(std::string_view subject, wire::ByteSpan frame) override;
  void log(std::string_view line) override;
  void tell_state(bool connected);

  boost::asio::io_context& io_;
  NodeOptions options_;
  wire::Subjects subjects_;
  std::unique_ptr<bus::Connection> connection_;
  Broker broker_;
  std::unique_ptr<bus::CoreLoop<ControllerNode>> loop_;
  std::shared_ptr<bus::LocalWire> local_;
  std::string local_subject_;  // where the local client listens; empty: there is none
};

// Runs a controller until a signal ends it; returns the process's exit status.
int run_controller(NodeOptions options);

}  // namespace covey::controller

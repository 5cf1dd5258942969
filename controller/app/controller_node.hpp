// A controller process: the broker on its loop and a connection to NATS.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "common/bus/connection.hpp"
#include "common/bus/core_loop.hpp"
#include "controller/core/broker.hpp"

namespace covey::controller {

struct NodeOptions {
  bus::ConnectOptions nats;
  std::string cluster = "default";
  Config core;
};

class ControllerNode : private wire::Outlet {
 public:
  ControllerNode(boost::asio::io_context& io, NodeOptions options);
  boost::system::error_code start();

 private:
  void send(std::string_view subject, wire::ByteSpan frame) override { loop_->send(subject, frame); }
  void log(std::string_view line) override;

  boost::asio::io_context& io_;
  NodeOptions options_;
  wire::Subjects subjects_;
  std::unique_ptr<bus::Connection> connection_;
  Broker broker_;
  std::unique_ptr<bus::CoreLoop<Broker>> loop_;
};

// Runs a controller until a signal ends it; returns the process's exit status.
int run_controller(NodeOptions options);

}  // namespace covey::controller

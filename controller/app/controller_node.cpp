#include "controller/app/controller_node.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
#include <random>

namespace covey::controller {

namespace {

wire::Incarnation random_incarnation() {
  std::random_device device;
  return static_cast<wire::Incarnation>((static_cast<std::uint64_t>(device()) << 32 | device()) | 1);
}

Config seeded(Config config) {
  config.seed = std::random_device()();
  return config;
}

}  // namespace

ControllerNode::ControllerNode(boost::asio::io_context& io, NodeOptions options)
    : io_(io),
      options_(std::move(options)),
      subjects_(options_.cluster),
      broker_(random_incarnation(), subjects_, seeded(options_.core), *this) {}

boost::system::error_code ControllerNode::start() {
  auto connection = bus::Connection::connect(io_, options_.nats);
  if (!connection) return connection.error();
  connection_ = std::move(*connection);
  loop_ = std::make_unique<bus::CoreLoop<Broker>>(io_, *connection_, subjects_, broker_, static_cast<wire::Outlet&>(*this));
  return loop_->start({subjects_.controller_inbox()});
}

void ControllerNode::log(std::string_view line) { spdlog::info("{}", line); }

int run_controller(NodeOptions options) {
  boost::asio::io_context io(1);
  const std::string url = options.nats.url;
  ControllerNode node(io, std::move(options));
  if (const auto error = node.start()) {
    fmt::print(stderr, "covey controller: cannot use the NATS server at {}: {}\n", url, error.message());
    return 1;
  }
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
  spdlog::info("controller ready at {}", url);
  io.run();
  return 0;
}

}  // namespace covey::controller

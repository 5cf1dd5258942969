#include "controller/app/controller_node.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
#include <random>

#include "controller/http/services.hpp"

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
  loop_ = std::make_unique<bus::CoreLoop<ControllerNode>>(io_, *connection_, subjects_, *this, static_cast<wire::Outlet&>(*this));
  return loop_->start({subjects_.controller_inbox()});
}

void ControllerNode::log(std::string_view line) { spdlog::info("{}", line); }

// ---- the local client ----

void ControllerNode::serve(std::shared_ptr<bus::LocalWire> wire, wire::Incarnation client, wire::SessionId session) {
  local_ = std::move(wire);
  local_subject_ = subjects_.to_client(client, wire::Role::controller);
  broker_.expect_local(session);
  // Between it and engines there are only the pieces of large payloads, which do travel over NATS.
  connection_->subscribe(subjects_.to_client(client, wire::Role::engine),
                         [this](bus::Message& message) { local_->to_client->put(message.subject, message.data); });
  local_->to_controller->read(
      [this, here = subjects_.to_controller(wire::Role::client, client)](std::string_view subject, wire::ByteSpan frame) {
        if (subject != here) return loop_->send(subject, frame);
        broker_.on_frame(wire::Role::client, frame, bus::CoreLoop<ControllerNode>::now());
      },
      [this] { loop_->turn(); });
}

void ControllerNode::stop() {
  if (local_) local_->to_controller->stop();
}

void ControllerNode::send(std::string_view subject, wire::ByteSpan frame) {
  if (!local_subject_.empty() && subject == local_subject_) {
    local_->to_client->put(subject, frame);
  } else {
    loop_->send(subject, frame);
  }
}

void ControllerNode::on_connected(wire::Time now) {
  tell_state(true);
  broker_.on_connected(now);
}

void ControllerNode::on_disconnected() {
  broker_.on_disconnected();
  tell_state(false);
}

// So that the local client does not take the controller's silence without NATS for its death.
void ControllerNode::tell_state(bool connected) {
  const std::byte state{static_cast<unsigned char>(connected ? 1 : 0)};
  if (local_) local_->to_client->put({}, {&state, 1});
}

api::NatsFigures ControllerNode::nats_figures() const {
  const auto counters = connection_->counters();
  return {connection_->state() == bus::State::connected, counters.reconnects, counters.dropped, connection_->buffered()};
}

// ---- the process ----

int run_controller(NodeOptions options) {
  boost::asio::io_context io(1);
  const std::string url = options.nats.url;
  options.http.cluster = options.cluster;
  std::unique_ptr<api::Service> service;
  if (!options.http.host.empty()) service = std::make_unique<api::Service>(options.http);
  ControllerNode node(io, std::move(options));
  if (const auto error = node.start()) {
    fmt::print(stderr, "covey controller: cannot use the NATS server at {}: {}\n", url, error.message());
    return 1;
  }
  if (service) {
    node.serve(service->wire_to(io, [&node] { return node.nats_figures(); }), service->client(), service->session());
    if (const auto problem = service->open(); !problem.empty()) {
      fmt::print(stderr, "covey controller: the HTTP API: {}\n", problem);
      return 1;
    }
    service->start();
    spdlog::info("HTTP API at port {}", service->port());
  }
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
  spdlog::info("controller ready at {}", url);
  io.run();
  if (service) service->stop();
  node.stop();
  return 0;
}

}  // namespace covey::controller

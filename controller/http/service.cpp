#include "controller/http/service.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <random>
#include <thread>

#include "controller/http/server.hpp"

namespace covey::api {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMailboxBytes = 8 << 20;  // eight windows of a link: what is over is sent again
constexpr auto kStopPause = std::chrono::milliseconds(10);
constexpr int kStopPauses = 200;

std::uint64_t random64() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32 | device()) | 1;
}

// Every connection is a descriptor, and the usual limit is 1,024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace

// The order is that of destruction backwards: the loop outlives everything that waits on it.
struct Service::Inside {
  explicit Inside(ServiceOptions with) : options(std::move(with)) {}

  const ServiceOptions options;
  const Gateway::Identity identity{static_cast<wire::Incarnation>(random64()), static_cast<wire::SessionId>(random64())};
  asio::io_context io{1};
  std::shared_ptr<bus::LocalWire> wire;
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<TaskStore> tasks;
  std::unique_ptr<Services> services;
  std::shared_ptr<Server> server;
  std::thread thread;

  void wait_for_sessions(std::shared_ptr<asio::steady_timer> timer, int left) {
    if (server->idle() || left == 0) return io.stop();
    timer->expires_after(kStopPause);
    timer->async_wait([this, timer, left](const boost::system::error_code&) { wait_for_sessions(timer, left - 1); });
  }
};

Service::Service(ServiceOptions options) : inside_(std::make_unique<Inside>(std::move(options))) {}
Service::~Service() { stop(); }

std::uint16_t Service::port() const { return inside_->server->port(); }
wire::Incarnation Service::client() const { return inside_->identity.self; }
wire::SessionId Service::session() const { return inside_->identity.session; }

std::shared_ptr<bus::LocalWire> Service::wire_to(asio::io_context& controller) {
  inside_->wire = std::make_shared<bus::LocalWire>(controller, inside_->io, kMailboxBytes);
  return inside_->wire;
}

// The gateway's end of the wire exists from here on; wire_to() comes first.
std::string Service::open() {
  Inside& in = *inside_;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(in.options.host == "localhost" ? "127.0.0.1" : in.options.host, error);
  if (error) return fmt::format("'{}' is not an address to listen on; such as 127.0.0.1 or 0.0.0.0 is wanted", in.options.host);
  raise_descriptor_limit();
  in.gateway = std::make_unique<Gateway>(in.io, std::make_unique<bus::LocalConnection>(in.io, in.wire), in.options.cluster, in.identity);
  in.tasks = std::make_unique<TaskStore>(in.io, *in.gateway, in.options.limits);
  in.services = std::unique_ptr<Services>(new Services{in.io, in.options, *in.gateway, *in.tasks});
  in.server = std::make_shared<Server>(*in.services);
  error = in.server->listen({address, in.options.port});
  if (error) return fmt::format("cannot listen at {}:{}: {}", in.options.host, in.options.port, error.message());
  return {};
}

void Service::start() {
  inside_->thread = std::thread([in = inside_.get()] {
    in->gateway->start();
    in->server->start();
    in->io.run();
  });
}

void Service::stop() {
  Inside& in = *inside_;
  if (!in.thread.joinable()) return;
  asio::post(in.io, [&in] {
    in.server->stop();
    in.wait_for_sessions(std::make_shared<asio::steady_timer>(in.io), kStopPauses);
  });
  in.thread.join();
}

}  // namespace covey::api

#include "controller/http/service.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
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
constexpr auto kFilesPause = std::chrono::seconds(1);

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

// Reads a certificate and its key; throws boost::system::system_error.
std::shared_ptr<asio::ssl::context> read_certificate(const ServiceOptions& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  context->use_certificate_chain_file(options.cert_file);
  context->use_private_key_file(options.key_file, asio::ssl::context::pem);
  return context;
}

void log_end(const std::exception_ptr& thrown) {
  if (thrown) spdlog::error("http: a part of the API ended unexpectedly");
}

}  // namespace

// The order is that of destruction backwards: the loop outlives everything that waits on it.
struct Service::Inside {
  explicit Inside(ServiceOptions with) : options(std::move(with)), files_timer(io) {}

  const ServiceOptions options;
  const Gateway::Identity identity{static_cast<wire::Incarnation>(random64()), static_cast<wire::SessionId>(random64())};
  asio::io_context io{1};
  std::shared_ptr<bus::LocalWire> wire;
  std::function<void(std::function<void(NatsFigures)>)> look_at_nats;
  std::unique_ptr<Gateway> gateway;
  BlobStore blobs{options.limits};
  std::unique_ptr<TaskStore> tasks;
  std::unique_ptr<MapStore> maps;
  std::unique_ptr<EventHub> events;
  std::unique_ptr<Benchmarks> benchmarks;
  IdempotencyKeys keys;
  Tokens tokens;
  std::unique_ptr<Services> services;
  std::shared_ptr<Server> server;
  FileStamp tokens_stamp, cert_stamp, key_stamp;
  asio::steady_timer files_timer;
  std::thread thread;

  std::string open_files();
  void watch_files();
  void look_at_files();
  void wait_for_sessions(const std::shared_ptr<asio::steady_timer>& timer, int left);
};

Service::Service(ServiceOptions options) : inside_(std::make_unique<Inside>(std::move(options))) {}
Service::~Service() { stop(); }

std::uint16_t Service::port() const { return inside_->server->port(); }
wire::Incarnation Service::client() const { return inside_->identity.self; }
wire::SessionId Service::session() const { return inside_->identity.session; }

std::shared_ptr<bus::LocalWire> Service::wire_to(asio::io_context& controller, std::function<NatsFigures()> look_at_nats) {
  inside_->wire = std::make_shared<bus::LocalWire>(controller, inside_->io, kMailboxBytes);
  inside_->look_at_nats = [&controller, &io = inside_->io, look = std::move(look_at_nats)](std::function<void(NatsFigures)> then) {
    asio::post(controller, [&io, look, then = std::move(then)] { asio::post(io, [then, seen = look()] { then(seen); }); });
  };
  return inside_->wire;
}

std::string Service::open() {
  Inside& in = *inside_;
  const ServiceOptions& options = in.options;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  if (error) return fmt::format("'{}' is not an address to listen on; such as 127.0.0.1 or 0.0.0.0 is wanted", options.host);
  if (!address.is_loopback() && options.tokens_file.empty() && !options.insecure) {
    return fmt::format("{} is beyond this machine, and whoever reaches it could do anything: use --http-tokens FILE, or say --insecure", options.host);
  }
  if (!address.is_loopback() && options.cert_file.empty()) spdlog::warn("http: tokens and data travel unencrypted; --http-cert and --http-key serve TLS");
  raise_descriptor_limit();
  in.gateway = std::make_unique<Gateway>(in.io, std::make_unique<bus::LocalConnection>(in.io, in.wire), options.cluster, in.identity);
  in.tasks = std::make_unique<TaskStore>(in.io, *in.gateway, in.blobs, options.limits);
  in.maps = std::make_unique<MapStore>(in.io, *in.gateway, in.blobs, options.limits);
  in.events = std::make_unique<EventHub>(in.io, *in.gateway, *in.maps, wire::to_string(in.identity.self));
  in.benchmarks = std::make_unique<Benchmarks>(in.io, options.benchmarks, options.limits);
  in.services = std::unique_ptr<Services>(new Services{in.io, options, *in.gateway, in.blobs, *in.tasks, *in.maps, *in.events, *in.benchmarks, in.keys, in.tokens,
                                                       options.tokens_file.empty(), in.look_at_nats});
  if (auto problem = in.open_files(); !problem.empty()) return problem;
  in.server = std::make_shared<Server>(*in.services);
  error = in.server->listen({address, options.port});
  if (error) return fmt::format("cannot listen at {}:{}: {}", options.host, options.port, error.message());
  return {};
}

// ---- files that are read again when they change ----

std::string Service::Inside::open_files() {
  if (!options.tokens_file.empty()) {
    tokens_stamp = FileStamp::of(options.tokens_file);
    if (const auto problem = tokens.load(options.tokens_file); !problem.empty()) return fmt::format("{}: {}", options.tokens_file, problem);
  }
  if (options.cert_file.empty()) return {};
  cert_stamp = FileStamp::of(options.cert_file);
  key_stamp = FileStamp::of(options.key_file);
  try {
    services->tls = read_certificate(options);
  } catch (const boost::system::system_error& error) {
    return fmt::format("{} and {}: {}", options.cert_file, options.key_file, error.what());
  }
  return {};
}

void Service::Inside::watch_files() {
  files_timer.expires_after(kFilesPause);
  files_timer.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    look_at_files();
    watch_files();
  });
}

// What is wrong with a new file is logged, and the old content stays in force.
void Service::Inside::look_at_files() {
  if (!options.tokens_file.empty() && FileStamp::of(options.tokens_file) != tokens_stamp) {
    tokens_stamp = FileStamp::of(options.tokens_file);
    const auto problem = tokens.load(options.tokens_file);
    if (problem.empty()) {
      spdlog::info("http: {} tokens read from {}", tokens.size(), options.tokens_file);
    } else {
      spdlog::error("http: {}: {}; the tokens stay as they were", options.tokens_file, problem);
    }
  }
  if (options.cert_file.empty()) return;
  const auto cert = FileStamp::of(options.cert_file), key = FileStamp::of(options.key_file);
  if (cert == cert_stamp && key == key_stamp) return;
  try {
    services->tls = read_certificate(options);
    spdlog::info("http: certificate read from {}", options.cert_file);
    cert_stamp = cert;
    key_stamp = key;
  } catch (const boost::system::system_error& error) {  // one of the two may be there and the other not yet: look again
    spdlog::error("http: {} and {}: {}; the certificate stays as it was", options.cert_file, options.key_file, error.what());
  }
}

// ---- the thread ----

void Service::start() {
  inside_->thread = std::thread([in = inside_.get()] {
    in->gateway->start();
    in->server->start();
    asio::co_spawn(in->io, EventHub::run(in->events.get()), log_end);
    in->watch_files();
    in->io.run();
  });
}

void Service::stop() {
  Inside& in = *inside_;
  if (!in.thread.joinable()) return;
  asio::post(in.io, [&in] {
    in.server->stop();
    in.maps->stop();
    in.events->stop();
    in.benchmarks->stop();
    in.files_timer.cancel();
    in.wait_for_sessions(std::make_shared<asio::steady_timer>(in.io), kStopPauses);
  });
  in.thread.join();
  // What was about to end, ends before the things that it refers to.
  in.io.restart();
  in.io.poll();
}

void Service::Inside::wait_for_sessions(const std::shared_ptr<asio::steady_timer>& timer, int left) {
  if (server->idle() || left == 0) return io.stop();
  timer->expires_after(kStopPause);
  timer->async_wait([this, timer, left](const boost::system::error_code&) { wait_for_sessions(timer, left - 1); });
}

}  // namespace covey::api

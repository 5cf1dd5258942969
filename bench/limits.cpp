// What the bus itself does: bare NATS messages through the same C client on the same loop, between two processes.
#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <stdexcept>
#include <thread>

#include "bench/experiments.hpp"
#include "common/process/child_process.hpp"

namespace covey::bench {

namespace {

using Clock = std::chrono::steady_clock;

// Subjects that the roles' permissions allow: the limit is measured on the very server that Covey uses.
std::string to_peer(const std::string& cluster) { return fmt::format("covey.{}.engine.limits.client", cluster); }
std::string from_peer(const std::string& cluster) { return fmt::format("covey.{}.client.limits.engine", cluster); }

// A message's first byte says what the peer does with it.
enum class Order : char { echo = 'e', count = 'c', report = 'r' };

std::unique_ptr<bus::Connection> open(boost::asio::io_context& io, const local::ConnectInfo& info) {
  auto connection = bus::Connection::connect(io, info.options("covey bench limits"));
  if (!connection) throw std::runtime_error(connection.error().message());
  return std::move(*connection);
}

wire::ByteSpan bytes_of(const std::string& text) { return wire::as_bytes(text); }

class Probe {
 public:
  explicit Probe(const local::ConnectInfo& info) : cluster_(info.cluster), connection_(open(io_, info)) {
    connection_->subscribe(from_peer(cluster_), [this](bus::Message&) { ++answers_; });
  }
  void send(const std::string& text) { static_cast<void>(connection_->publish(to_peer(cluster_), bytes_of(text))); }
  // Runs the loop until one more answer has come; false after the timeout.
  bool answer(std::chrono::milliseconds timeout) {
    const auto seen = answers_;
    const auto deadline = Clock::now() + timeout;
    while (answers_ == seen && Clock::now() < deadline) io_.run_one_for(std::chrono::milliseconds(20));
    return answers_ > seen;
  }
  std::size_t buffered() const { return connection_->buffered(); }
  void run_some() { io_.poll(); }

 private:
  std::string cluster_;
  boost::asio::io_context io_{1};
  // Under TLS the connection is on a thread of its own, and nothing waits on this loop by itself.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::unique_ptr<bus::Connection> connection_;
  std::uint64_t answers_ = 0;
};

std::vector<double> request_reply_us(Probe& probe, std::size_t count) {
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    const auto tic = Clock::now();
    probe.send("e");
    if (!probe.answer(std::chrono::seconds(5))) throw std::runtime_error("bare NATS request without a reply");
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - tic).count());
  }
  return times;
}

Row request_reply(Probe& probe, std::size_t count) {
  auto times = request_reply_us(probe, count);
  return {{"experiment", "limit"}, {"system", "bare-nats"},           {"what", "request_reply"},
          {"n", count},            {"p50_us", percentile(times, 0.5)}, {"p99_us", percentile(times, 0.99)}};
}

Row one_way(Probe& probe, std::size_t size, std::size_t total_bytes) {
  constexpr std::size_t kMaxBuffered = 4 << 20;
  const std::size_t count = std::max<std::size_t>(16, total_bytes / size);
  std::string message(size, 'x');
  message[0] = static_cast<char>(Order::count);
  const auto tic = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    probe.send(message);
    while (probe.buffered() > kMaxBuffered) probe.run_some();
  }
  probe.send("r");
  if (!probe.answer(std::chrono::seconds(60))) throw std::runtime_error("bare NATS one-way without an end");
  const double wall = std::chrono::duration<double>(Clock::now() - tic).count();
  return {{"experiment", "limit"},
          {"system", "bare-nats"},
          {"what", "one_way"},
          {"bytes", size},
          {"n", count},
          {"messages_per_s", static_cast<double>(count) / wall},
          {"bytes_per_s", static_cast<double>(count * size) / wall}};
}

}  // namespace

int serve_limits(const local::ConnectInfo& info) {
  boost::asio::io_context io(1);
  const auto connection = open(io, info);
  connection->subscribe(to_peer(info.cluster), [&](bus::Message& message) {
    const auto order = static_cast<Order>(message.data[0]);
    if (order != Order::count) static_cast<void>(connection->publish(from_peer(info.cluster), message.data.first(1)));
  });
  const auto work = boost::asio::make_work_guard(io);
  io.run();
  return 0;
}

struct BareNats::Parts {
  process::ChildProcess peer;
  Probe probe;
};

BareNats::BareNats(const local::ConnectInfo& connect, const std::string& peer_executable, const std::string& engine_connect_file)
    : parts_(new Parts{process::ChildProcess({{peer_executable, "bench-peer", "--connect", engine_connect_file}, {}, {}, true}), Probe(connect)}) {
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  do {
    parts_->probe.send("e");
    if (Clock::now() > deadline) throw std::runtime_error("the other end of the bare NATS measurement does not answer");
  } while (!parts_->probe.answer(std::chrono::milliseconds(100)));
}
BareNats::~BareNats() = default;

std::vector<double> BareNats::request_reply_us(std::size_t count) { return bench::request_reply_us(parts_->probe, count); }

Rows BareNats::limits(const std::string& transport, std::size_t bytes, const Say& say) {
  say(fmt::format("bare NATS {}: request/reply and one-way", transport));
  Rows rows;
  rows.push_back(request_reply(parts_->probe, 3'000));
  for (const std::size_t size : {std::size_t{1024}, std::size_t{8192}, std::size_t{65536}, std::size_t{1000000}}) {
    rows.push_back(one_way(parts_->probe, size, bytes));
  }
  for (auto& row : rows) row["transport"] = transport;
  return rows;
}

}  // namespace covey::bench

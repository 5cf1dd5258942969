#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

#include "bench/experiments.hpp"
#include "bench/rows.hpp"

namespace covey::bench {

namespace {

client::Options options_for(const Target& target) {
  const auto nats = target.connect.options("covey bench");
  client::Options options;
  options.nats_url = nats.url;
  options.user = nats.user;
  options.password = nats.password;
  options.tls = nats.tls;
  options.cluster = target.connect.cluster;
  return options;
}

// What an echo returns is looked at before the clock stops.
void check_echo(const client::AsyncResult& result) {
  if (result.get().buffer.view() != "\"\"") throw std::runtime_error("echo returned something else");
}

Round echo_round(client::LoadBalancedView& view, std::size_t count) {
  std::vector<client::AsyncResult> results;
  results.reserve(count);
  const auto tic = Clock::now();
  for (std::size_t i = 0; i < count; ++i) results.push_back(view.apply("echo", std::string("[\"\"]")));
  const auto toc = Clock::now();
  for (const auto& result : results) check_echo(result);
  return {seconds(toc - tic), seconds(Clock::now() - tic)};
}

// Short rounds are noisy: they are repeated, and the median counts.
std::size_t repetitions(std::size_t count) { return count <= 64 ? 31 : count <= 4096 ? 9 : count <= 100'000 ? 5 : 3; }

}  // namespace

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::min(values.size() - 1, at == 0 ? 0 : at - 1)];
}

namespace {

std::unique_ptr<client::Client> connect_alone(const Target& target) {
  auto connected = client::Client::connect(options_for(target));
  if (!connected) throw std::runtime_error(fmt::format("cannot use NATS at {}: {}", target.connect.nats_url, connected.error().message()));
  return std::move(*connected);
}

}  // namespace

std::shared_ptr<client::Client> connect(const Target& target) {
  auto client = connect_alone(target);
  if (!client->wait_for_engines(target.engines, std::chrono::seconds(30))) {
    throw std::runtime_error(fmt::format("{} engines did not register within 30 s", target.engines));
  }
  return listed(std::move(client));
}

std::size_t live_engines(const Target& target) {
  const auto client = connect_alone(target);
  const auto answer = client->request(R"({"what":"status"})", std::chrono::seconds(10));
  if (!answer) throw std::runtime_error(fmt::format("no controller of the cluster '{}' answers at {}", target.connect.cluster, target.connect.nats_url));
  return boost::json::parse(*answer).at("engines").at("live").to_number<std::size_t>();
}

Rows latency(const Target& target, const std::vector<std::size_t>& counts, const Say& say) {
  const auto client = connect(target);
  auto view = client->load_balanced(scheme_of(target));
  echo_round(view, 2'000);  // the first tasks teach the engines how short tasks are
  Rows rows;
  for (const std::size_t count : counts) {
    say(fmt::format("latency {} {} engines={} n={}", target.scheme, target.transport, target.engines, count));
    std::vector<double> sent, roundtrip;
    for (std::size_t i = 0; i < repetitions(count); ++i) {
      const auto round = echo_round(view, count);
      sent.push_back(round.sent_s);
      roundtrip.push_back(round.roundtrip_s);
    }
    const double sent_s = percentile(sent, 0.5), roundtrip_s = percentile(roundtrip, 0.5);
    Row row = base_row(target, "latency");
    row["n"] = count;
    row["sent_s"] = sent_s;
    row["roundtrip_s"] = roundtrip_s;
    row["sent_tasks_per_s"] = static_cast<double>(count) / sent_s;
    row["roundtrip_tasks_per_s"] = static_cast<double>(count) / roundtrip_s;
    row["repetitions"] = repetitions(count);
    rows.push_back(std::move(row));
  }
  return rows;
}

namespace {

// One echo after another, `count` at a time; gives the microseconds of each.
using Sequence = std::function<std::vector<double>(std::size_t count)>;

Sequence from_blocking_thread(const Target& target) {
  const auto client = connect(target);
  return [client, view = client->load_balanced(scheme_of(target))](std::size_t count) mutable {
    std::vector<double> times;
    for (std::size_t i = 0; i < count; ++i) {
      const auto tic = Clock::now();
      check_echo(view.apply("echo", std::string("[\"\"]")));
      times.push_back(seconds(Clock::now() - tic) * 1e6);
    }
    return times;
  };
}

// Each result's callback submits the next task, all on the client's loop.
Sequence on_loop(const Target& target) {
  connect(target);  // waits for the engines
  const auto io = std::make_shared<boost::asio::io_context>(1);
  auto connected = client::Client::connect(options_for(target), *io);
  if (!connected) throw std::runtime_error(connected.error().message());
  const auto client = listed(std::move(*connected));
  return [io, client, view = client->load_balanced(scheme_of(target))](std::size_t count) mutable {
    std::vector<double> times;
    std::function<void()> next = [&] {
      const auto tic = Clock::now();
      const auto result = view.apply("echo", std::string("[\"\"]"));
      result.on_ready([&, tic, result] {
        check_echo(result);
        times.push_back(seconds(Clock::now() - tic) * 1e6);
        times.size() == count ? io->stop() : next();
      });
    };
    io->restart();
    boost::asio::post(*io, next);
    io->run();
    return times;
  };
}

constexpr std::size_t kTurn = 250, kWarmUp = 200;

}  // namespace

Row sequential(const Target& target, bool blocking, std::size_t count, const std::string& mode, BareNats* bare) {
  const Sequence echo = blocking ? from_blocking_thread(target) : on_loop(target);
  echo(kWarmUp);
  std::vector<double> times, bare_times;
  while (times.size() < count) {
    const auto some = echo(std::min(kTurn, count - times.size()));
    times.insert(times.end(), some.begin(), some.end());
    if (bare == nullptr) continue;
    const auto limit = bare->request_reply_us(some.size());
    bare_times.insert(bare_times.end(), limit.begin(), limit.end());
  }
  Row row = base_row(target, "sequential");
  row["mode"] = mode;
  row["n"] = count;
  row["p50_us"] = percentile(times, 0.5);
  row["p99_us"] = percentile(times, 0.99);
  row["p999_us"] = percentile(times, 0.999);
  if (bare != nullptr) {
    row["bare_p50_us"] = percentile(bare_times, 0.5);
    row["over_bare"] = percentile(times, 0.5) / percentile(bare_times, 0.5);
  }
  return row;
}

Rows map(const Target& target, const std::vector<double>& dts_ms, double ideal_s, const Say& say) {
  const auto client = connect(target);
  auto view = client->load_balanced(scheme_of(target));
  Rows rows;
  for (const double dt_ms : dts_ms) {
    const auto per_engine = static_cast<std::size_t>(std::llround(ideal_s * 1000 / dt_ms));
    const std::size_t count = target.engines * std::max<std::size_t>(1, per_engine);
    say(fmt::format("map {} {} engines={} dt={} ms n={}", target.scheme, target.transport, target.engines, dt_ms, count));
    std::vector<std::string> inputs(count, fmt::format("[{}]", dt_ms / 1000));
    const auto tic = Clock::now();
    const auto result = view.map("sleep", std::move(inputs));
    const auto toc = Clock::now();
    result.wait();
    const double wall = seconds(Clock::now() - tic);
    if (!result.successful()) throw std::runtime_error("a sleep failed");
    const double ideal = static_cast<double>(count) / static_cast<double>(target.engines) * dt_ms / 1000;
    Row row = base_row(target, "map");
    row["n"] = count;
    row["dt"] = dt_ms / 1000;
    row["sent_s"] = seconds(toc - tic);
    row["roundtrip_s"] = wall;
    row["wall_s"] = wall;
    row["ideal_s"] = ideal;
    row["efficiency"] = ideal / wall;
    row["overhead_us_per_task"] = (wall - ideal) / static_cast<double>(count) * 1e6;
    rows.push_back(std::move(row));
  }
  return rows;
}

Row exec_rate(const Target& target, std::size_t count) {
  const auto client = connect(target);
  auto view = client->load_balanced(scheme_of(target));
  const auto tic = Clock::now();
  const auto result = view.map("exec", std::vector<std::string>(count, R"([{"argv":["/bin/true"]}])"));
  const auto toc = Clock::now();
  result.wait();
  const double wall = seconds(Clock::now() - tic);
  if (!result.successful()) throw std::runtime_error("exec of /bin/true failed: " + result.metadata(0).error);
  Row row = base_row(target, "exec");
  row["n"] = count;
  row["sent_s"] = seconds(toc - tic);
  row["roundtrip_s"] = wall;
  row["roundtrip_tasks_per_s"] = static_cast<double>(count) / wall;
  return row;
}

}  // namespace covey::bench

// The experiment throughput: arrays of growing size, echoed by all engines or pushed to one.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/experiments.hpp"
#include "bench/rows.hpp"

namespace covey::bench {

namespace {

constexpr std::string_view kVariable = "covey.bench";  // that push sets

// Rounds of large arrays take many seconds, and vary less.
std::size_t repetitions(std::size_t size) { return size <= 4'000'000 ? 3 : 1; }

// How many arrays of that size may be about at a time: each is held by the client, twice once it has come back, and on its
// way by NATS and an engine.
std::size_t arrays_at_a_time(std::size_t size, std::size_t most) {
  std::ifstream in("/proc/meminfo");
  std::size_t available_kib = std::size_t{4} << 20;
  for (std::string name; in >> name;) {
    if (name == "MemAvailable:" && in >> available_kib) break;
    in.ignore(256, '\n');
  }
  return std::clamp<std::size_t>(available_kib * 1024 / 16 / size, 2, most);
}

// No two alike, so that a mix-up is noticed.
wire::Payload make_array(std::size_t size, std::size_t number) {
  std::vector<std::byte> bytes(size);
  for (std::size_t at = 0; at < size; at += 64) bytes[at] = static_cast<std::byte>(number + at / 64);
  return {wire::Codec::bytes, wire::Buffer(std::move(bytes))};
}

void check_array(const wire::Payload& sent, const client::AsyncResult& result) {
  const auto back = result.get().buffer;
  if (back.size() != sent.buffer.size() || back.view() != sent.buffer.view()) throw std::runtime_error("echo returned other bytes");
}

std::vector<wire::Payload> make_arrays(std::size_t size, std::size_t count) {
  std::vector<wire::Payload> arrays;
  for (std::size_t i = 0; i < count; ++i) arrays.push_back(make_array(size, i));
  return arrays;
}

Round echo_round(client::LoadBalancedView& view, std::size_t size, std::size_t count) {
  const auto arrays = make_arrays(size, count);
  std::vector<client::AsyncResult> results;
  results.reserve(count);
  const auto tic = Clock::now();
  for (const auto& array : arrays) results.push_back(view.apply("echo", array));
  const auto toc = Clock::now();
  for (std::size_t i = 0; i < count; ++i) check_array(arrays[i], results[i]);
  return {seconds(toc - tic), seconds(Clock::now() - tic)};
}

// All to one variable, as a program does that sends its engine the next array. It has an engine's acknowledgement of each.
Round push_round(client::DirectView& view, std::size_t size, std::size_t count) {
  const auto arrays = make_arrays(size, count);
  std::vector<client::AsyncResult> results;
  results.reserve(count);
  const auto tic = Clock::now();
  for (const auto& array : arrays) results.push_back(view.push(kVariable, array));
  const auto toc = Clock::now();
  for (const auto& result : results) result.get();  // throws where the engine did not take it
  return {seconds(toc - tic), seconds(Clock::now() - tic)};
}

using OneRound = std::function<Round(std::size_t size, std::size_t count)>;

Row measure(Row row, std::size_t size, std::size_t count, const OneRound& round) {
  std::vector<double> sent, roundtrip;
  for (std::size_t i = 0; i < repetitions(size); ++i) {
    const auto one = round(size, count);
    sent.push_back(one.sent_s);
    roundtrip.push_back(one.roundtrip_s);
  }
  const double roundtrip_s = percentile(roundtrip, 0.5);
  row["n"] = count;
  row["count"] = count;
  row["bytes"] = size;
  row["sent_s"] = percentile(sent, 0.5);
  row["roundtrip_s"] = roundtrip_s;
  row["repetitions"] = repetitions(size);
  row["gbit_per_s"] = static_cast<double>(size * count) * 8 / roundtrip_s / 1e9;
  return row;
}

// A row for each size that travels. `warm_up`: how many arrays go first, since the first of a size are slower.
Rows by_size(const Row& base, const std::string& what, const Sizes& sizes, std::size_t warm_up, const OneRound& round) {
  Rows rows;
  for (const std::size_t size : sizes.sizes) {
    const auto count = arrays_at_a_time(size, sizes.most);
    sizes.say(fmt::format("{} {} arrays of {} bytes", what, count, size));
    try {
      round(size, std::min(warm_up, count));
    } catch (const std::length_error& error) {
      sizes.refused(size, error.what());
      continue;
    } catch (const client::TaskError& error) {
      if (error.metadata().status != wire::TaskStatus::payload_too_large) throw;  // an engine's limit (--variable-mb)
      sizes.refused(size, error.what());
      continue;
    }
    rows.push_back(measure(base, size, count, round));
  }
  return rows;
}

}  // namespace

Rows throughput(const Target& target, const Sizes& sizes) {
  const auto client = connect(target);
  auto view = client->load_balanced(scheme_of(target));
  const auto what = fmt::format("throughput {} {} engines={}", target.scheme, target.transport, target.engines);
  return by_size(base_row(target, "throughput"), what, sizes, target.engines,
                 [&](std::size_t size, std::size_t count) { return echo_round(view, size, count); });
}

Rows push(const Target& target, const Sizes& sizes) {
  const auto client = connect(target);
  auto view = client->direct_view()[0];
  const auto what = fmt::format("push to one engine {} engines={}", target.transport, target.engines);
  auto rows = by_size(base_row(target, "push"), what, sizes, 1,
                      [&](std::size_t size, std::size_t count) { return push_round(view, size, count); });
  view.unset(kVariable).get();
  return rows;
}

}  // namespace covey::bench

// The experiment throughput: echo of arrays of growing size.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>

#include "bench/experiments.hpp"
#include "bench/rows.hpp"

namespace covey::bench {

namespace {

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

Round array_round(client::LoadBalancedView& view, std::size_t size, std::size_t count) {
  std::vector<wire::Payload> arrays;
  for (std::size_t i = 0; i < count; ++i) arrays.push_back(make_array(size, i));
  std::vector<client::AsyncResult> results;
  results.reserve(count);
  const auto tic = Clock::now();
  for (const auto& array : arrays) results.push_back(view.apply("echo", array));
  const auto toc = Clock::now();
  for (std::size_t i = 0; i < count; ++i) check_array(arrays[i], results[i]);
  return {seconds(toc - tic), seconds(Clock::now() - tic)};
}

Row measure(client::LoadBalancedView& view, const Target& target, std::size_t size, std::size_t count) {
  std::vector<double> sent, roundtrip;
  for (std::size_t i = 0; i < repetitions(size); ++i) {
    const auto round = array_round(view, size, count);
    sent.push_back(round.sent_s);
    roundtrip.push_back(round.roundtrip_s);
  }
  const double roundtrip_s = percentile(roundtrip, 0.5);
  Row row = base_row(target, "throughput");
  row["n"] = count;
  row["count"] = count;
  row["bytes"] = size;
  row["sent_s"] = percentile(sent, 0.5);
  row["roundtrip_s"] = roundtrip_s;
  row["repetitions"] = repetitions(size);
  row["gbit_per_s"] = static_cast<double>(size * count) * 8 / roundtrip_s / 1e9;
  return row;
}

}  // namespace

Rows throughput(const Target& target, const std::vector<std::size_t>& sizes, std::size_t most, const Say& say, const Refused& refused) {
  const auto client = connect(target);
  auto view = client->load_balanced(scheme_of(target));
  Rows rows;
  for (const std::size_t size : sizes) {
    const auto count = arrays_at_a_time(size, most);
    say(fmt::format("throughput {} {} engines={} {} arrays of {} bytes", target.scheme, target.transport, target.engines, count, size));
    try {
      array_round(view, size, std::min(target.engines, count));  // the first of a size are slower
    } catch (const std::length_error& error) {
      refused(size, error.what());
      continue;
    }
    rows.push_back(measure(view, target, size, count));
  }
  return rows;
}

}  // namespace covey::bench

// What the broker counts for those who watch it: how long tasks take from submission to completion, how each function
// fares, and the latest comings and goings of engines. Bounded, and cheap enough for every task. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "common/wire/ids.hpp"
#include "common/wire/time.hpp"

namespace covey::controller {

// Bucket i counts tasks that took less than 2^i µs, and not less than half of that.
class LatencyHistogram {
 public:
  static constexpr std::size_t kBuckets = 40;
  void add(wire::Duration took) {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count() / 1000, 0));
    ++counts_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(us)), kBuckets - 1)];
    sum_us_ += us;
  }
  const std::array<std::uint64_t, kBuckets>& counts() const { return counts_; }
  std::uint64_t sum_us() const { return sum_us_; }

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t sum_us_ = 0;
};

struct FunctionFigures {
  std::uint64_t ok = 0, failed = 0;
};

struct EngineEvent {
  enum class Kind : std::uint8_t { joined, left, lost };
  Kind kind = Kind::joined;
  wire::Incarnation engine = wire::Incarnation::none;
  std::string name;
  std::uint32_t slots = 0;
};

// The latest engine events, numbered from 1.
class EngineEvents {
 public:
  static constexpr std::size_t kKept = 1000;
  void push(EngineEvent event) {
    if (events_.size() == kKept) events_.pop_front();
    events_.push_back(std::move(event));
    ++total_;
  }
  std::uint64_t total() const { return total_; }
  std::uint64_t dropped() const { return total_ - events_.size(); }
  const EngineEvent& at(std::uint64_t number) const { return events_[number - 1 - dropped()]; }

 private:
  std::deque<EngineEvent> events_;
  std::uint64_t total_ = 0;
};

}  // namespace covey::controller

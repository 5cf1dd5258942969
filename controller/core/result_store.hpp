// Results that nobody has taken yet, per session: in order of completion, bounded in bytes and time. Pure.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/wire/records.hpp"
#include "common/wire/time.hpp"

namespace covey::controller {

class ResultStore {
 public:
  struct Result {
    std::uint64_t sequence = 0;
    std::uint32_t attempts = 0;
    wire::Incarnation engine = wire::Incarnation::none;
    std::string report;  // an encoded RunReport; empty: evicted, answered as result_expired
    wire::Time since{};
    wire::ResultRecord record() const { return {sequence, attempts, engine, wire::as_bytes(report)}; }
    std::size_t bytes() const { return report.size() + kOverheadBytes; }
  };
  static constexpr std::size_t kOverheadBytes = 128;

  void push(Result result);
  bool empty() const { return order_.empty(); }
  std::size_t size() const { return order_.size(); }
  std::size_t bytes() const { return bytes_; }
  const Result& front() const { return order_.front(); }
  void pop_front() { erase(order_.front().sequence); }
  const Result* find(std::uint64_t sequence) const;
  void erase(std::uint64_t sequence);
  // Frees the report of a result, or of the oldest that still has one; the number stays known. Returns the bytes freed, 0 if none.
  std::size_t evict(std::uint64_t sequence);
  std::size_t evict_oldest();

 private:
  std::size_t free_report(Result& result);

  std::list<Result> order_;
  std::unordered_map<std::uint64_t, std::list<Result>::iterator> by_sequence_;
  std::list<Result>::iterator oldest_kept_ = order_.end();
  std::size_t bytes_ = 0;
};

}  // namespace covey::controller

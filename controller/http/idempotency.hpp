// Idempotency-Key: which requests have been seen, and what came of them. Bounded in number and time; the oldest go first.
// Lives on the API's loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace covey::api {

class IdempotencyKeys {
 public:
  struct Entry {
    std::string key;
    std::string fingerprint;        // of the request that came with it
    bool done = false;              // false: the first request is still under way
    std::uint64_t first = 0, count = 0;  // tasks
    std::string made;               // or the id of a map or a benchmark, or the whole answer about an engine
    std::chrono::steady_clock::time_point since;
  };
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMost = 100'000, kLongestKey = 256;
  static constexpr auto kKept = std::chrono::hours(1);

  Entry* find(const std::string& key, Clock::time_point now = Clock::now());
  Entry& add(const std::string& key, std::string fingerprint, Clock::time_point now = Clock::now());
  void remove(const std::string& key);
  std::size_t size() const { return by_key_.size(); }

 private:
  std::list<Entry> order_;
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

// Of a request: SHA-256 of its parts.
std::string fingerprint_of(std::string_view target, std::string_view body);

}  // namespace covey::api

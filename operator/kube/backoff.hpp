// How long to wait before the next attempt: what the server asked for, or else a doubling time with jitter. Pure; one thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "operator/kube/error.hpp"

namespace covey::kube {

class Backoff {
 public:
  using Time = std::chrono::milliseconds;
  struct Options {
    Time first{800};
    Time most{30'000};
  };
  explicit Backoff(std::uint64_t seed) : Backoff(seed, Options{}) {}
  Backoff(std::uint64_t seed, Options options) : options_(options), state_(seed) {}

  // After a failure. With Retry-After at least that long, and up to a tenth longer, so that not everybody comes back at once; else
  // between a half and the whole of a time that doubles with each failure.
  Time after(const Error& error);
  Time next();
  // After a success.
  void reset() { failures_ = 0; }
  unsigned failures() const { return failures_; }

 private:
  Time jittered(Time least, Time most);

  Options options_;
  std::uint64_t state_;
  unsigned failures_ = 0;
};

}  // namespace covey::kube

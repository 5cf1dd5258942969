// Progress of long work: a bar on a terminal, a plain line now and then elsewhere. On stderr, so that results stay clean.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace covey::cli {

class Progress {
 public:
  // `already`: done before this began, which does not count for the rate.
  Progress(std::string what, std::uint64_t total, bool quiet, std::uint64_t already = 0);
  ~Progress();
  void update(std::uint64_t done, std::uint64_t failed = 0);

 private:
  void draw(std::uint64_t done, std::uint64_t failed);

  std::string what_;
  std::uint64_t total_, already_;
  bool quiet_, terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point started_, next_;
};

}  // namespace covey::cli

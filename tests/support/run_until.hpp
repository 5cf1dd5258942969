// Waiting in tests: turns the loop until something is so, or a deadline has passed. Nothing sleeps.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>

namespace covey::support {

template <class Condition>
bool run_until(boost::asio::io_context& io, Condition&& condition,
               std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

// Turns the loop for that long, whatever happens.
inline void run_for(boost::asio::io_context& io, std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  run_until(io, [deadline] { return std::chrono::steady_clock::now() >= deadline; }, time + std::chrono::seconds(5));
}

}  // namespace covey::support

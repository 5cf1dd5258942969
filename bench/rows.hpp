// What the experiments share. Private to bench/.
#pragma once

#include <chrono>
#include <string_view>

#include "bench/experiments.hpp"

namespace covey::bench {

using Clock = std::chrono::steady_clock;
inline double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

inline client::Scheme scheme_of(const Target& target) {
  return target.scheme == "direct" ? client::Scheme::direct : client::Scheme::controller;
}

inline Row base_row(const Target& target, std::string_view experiment) {
  return {{"experiment", experiment}, {"system", "covey"}, {"scheme", target.scheme}, {"transport", target.transport}, {"engines", target.engines}};
}

// Lists a client with those whose tasks cancel_tasks() cancels, for as long as it lives.
std::shared_ptr<client::Client> listed(std::unique_ptr<client::Client> client);

// Of one repetition: until all tasks were sent, and until all results were here.
struct Round {
  double sent_s = 0, roundtrip_s = 0;
};

}  // namespace covey::bench

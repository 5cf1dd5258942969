// Time as the state machines see it: always passed in, never asked for. A simulation makes its own.
#pragma once

#include <chrono>

namespace covey::wire {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr Time kNever = Time::max();

}  // namespace covey::wire

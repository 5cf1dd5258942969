// What a finished run says on the wire, as far as it does not depend on how its value travels. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/wire/records.hpp"
#include "engine/exec/function.hpp"

namespace covey::engine {

inline constexpr std::size_t kLongestError = 8 * 1024;         // bytes of an error's text that travel
inline constexpr std::size_t kMostOutputReported = 16 * 1024;  // bytes of stdout, and of stderr: the end of them

// Without the value; views of `outcome`.
wire::RunReport report_of(const Outcome& outcome, std::int64_t started_unix_us, std::int64_t duration_ns);

}  // namespace covey::engine

// Cuts a payload into parts for several engines, and puts such parts together again. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/wire/payload.hpp"

namespace covey::client {

// `parts` consecutive parts that differ by one item at most, the longer ones first. The items are the elements of a JSON array,
// or stretches of `item_bytes` bytes, which share the payload's memory. Throws std::invalid_argument that says what is wrong.
// What the elements of a JSON array are is not looked at.
std::vector<wire::Payload> split(const wire::Payload& whole, std::size_t parts, std::size_t item_bytes = 1);

// JSON arrays to one array, or bytes to bytes; copies. Throws std::invalid_argument that names the part that does not fit.
wire::Payload join(std::span<const wire::Payload> parts);

}  // namespace covey::client

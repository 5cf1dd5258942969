// What this process holds and uses, as the kernel tells it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace covey::support {

// TCP sockets of this process that have a peer on that IPv4 port, whether or not the peer has closed its side. A
// duplicate descriptor is the same socket.
std::size_t tcp_sockets_to(std::uint16_t port);
// Processor time of this process so far.
std::chrono::microseconds cpu_time();

}  // namespace covey::support

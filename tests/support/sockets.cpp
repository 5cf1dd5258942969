#include "tests/support/sockets.hpp"

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <set>
#include <string>

namespace covey::support {

namespace {

// Zero: it has no IPv4 peer.
std::uint16_t peer_port(int descriptor) {
  sockaddr_in peer{};
  socklen_t length = sizeof peer;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return 0;
  return peer.sin_family == AF_INET ? ntohs(peer.sin_port) : 0;
}

std::chrono::microseconds duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

// Not from /proc/net/tcp: a table that changes while it is read names sockets twice, or not at all.
std::size_t tcp_sockets_to(std::uint16_t port) {
  std::set<ino_t> sockets;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const std::string name = entry.path().filename();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    struct stat status {};
    if (peer_port(descriptor) == port && ::fstat(descriptor, &status) == 0) sockets.insert(status.st_ino);
  }
  return sockets.size();
}

std::chrono::microseconds cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return duration(usage.ru_utime) + duration(usage.ru_stime);
}

}  // namespace covey::support

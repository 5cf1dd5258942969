#include "tests/support/sockets.hpp"

#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace covey::support {

namespace {

std::set<unsigned long> own_socket_inodes() {
  std::set<unsigned long> inodes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    unsigned long inode = 0;
    if (!error && std::sscanf(target.c_str(), "socket:[%lu]", &inode) == 1) inodes.insert(inode);
  }
  return inodes;
}

std::chrono::microseconds duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

std::size_t tcp_sockets_to(std::uint16_t port) {
  const auto own = own_socket_inodes();
  std::ifstream table("/proc/self/net/tcp");
  std::size_t count = 0;
  for (std::string line; std::getline(table, line);) {
    unsigned remote_port = 0;
    unsigned long inode = 0;
    const int fields =
        std::sscanf(line.c_str(), " %*d: %*8x:%*4x %*8x:%4x %*x %*s %*s %*s %*d %*d %lu", &remote_port, &inode);
    if (fields == 2 && remote_port == port && own.contains(inode)) ++count;
  }
  return count;
}

std::chrono::microseconds cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return duration(usage.ru_utime) + duration(usage.ru_stime);
}

}  // namespace covey::support

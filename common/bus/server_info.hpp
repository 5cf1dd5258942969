// What a nats-server says of itself in its first line (INFO {…}), which comes in the clear even where TLS follows.
// nats.c reads it too but does not tell. Blocks; meant for start-up.
#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <string>
#include <string_view>

namespace covey::bus {

struct ServerInfo {
  std::string version;
  bool tls_required = false;

  bool at_least(int major, int minor) const;
};

// `url` is [scheme://][user[:password]@]host[:port]. Errors: invalid, refused, timeout, not_nats.
boost::system::result<ServerInfo> read_server_info(std::string_view url, std::chrono::milliseconds timeout);

// The line without its end. Error: not_nats.
boost::system::result<ServerInfo> parse_server_info(std::string_view line);

}  // namespace covey::bus

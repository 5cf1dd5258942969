#include "common/bus/server_info.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>

#include "common/bus/error.hpp"
#include "common/bus/nats_options.hpp"

namespace covey::bus {

namespace asio = boost::asio;
namespace json = boost::json;

bool ServerInfo::at_least(int major, int minor) const {
  int is_major = 0, is_minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &is_major, &is_minor) != 2) return false;
  return is_major > major || (is_major == major && is_minor >= minor);
}

boost::system::result<ServerInfo> parse_server_info(std::string_view line) {
  constexpr std::string_view kVerb = "INFO ";
  if (!line.starts_with(kVerb)) return Errc::not_nats;
  boost::system::error_code error;
  const auto value = json::parse({line.data() + kVerb.size(), line.size() - kVerb.size()}, error);
  if (error || !value.is_object()) return Errc::not_nats;
  ServerInfo info;
  const auto& object = value.get_object();
  if (const auto* version = object.if_contains("version"); version != nullptr && version->is_string()) {
    info.version = version->get_string().c_str();
  }
  if (const auto* tls = object.if_contains("tls_required"); tls != nullptr && tls->is_bool()) {
    info.tls_required = tls->get_bool();
  }
  return info;
}

boost::system::result<ServerInfo> read_server_info(std::string_view url, std::chrono::milliseconds timeout) {
  const Address address = address_of(url);
  if (address.host.empty() || address.port.empty()) return Errc::invalid;
  asio::ip::tcp::iostream stream;
  stream.expires_after(timeout);
  stream.connect(address.host, address.port);
  if (!stream) return stream.error() == asio::error::timed_out ? Errc::timeout : Errc::refused;
  std::string line;
  std::getline(stream, line);
  if (!stream && stream.error() == asio::error::timed_out) return Errc::timeout;
  if (!stream && line.empty()) return Errc::refused;  // it hung up without a word, as a proxy does with nobody behind it
  if (!stream) return Errc::not_nats;
  if (line.ends_with('\r')) line.pop_back();
  return parse_server_info(line);
}

}  // namespace covey::bus

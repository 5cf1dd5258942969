// What can go wrong between us and NATS.
#pragma once

#include <boost/system/error_code.hpp>

namespace covey::bus {

enum class Errc {
  ok = 0,
  refused,         // nobody listens there, or the name does not resolve
  unauthorized,    // the server does not accept the user and password
  tls,             // the TLS handshake failed, or a certificate file cannot be read
  tls_required,    // the server wants TLS and no TLS options were given
  timeout,         // no answer in time
  not_nats,        // something listens there, but it does not greet like nats-server
  server_too_old,  // Covey wants nats-server 2.9 or newer
  small_payloads,  // the server's max_payload does not take Covey's frames
  invalid,         // an address, user, password or subject that NATS does not take
  disconnected,    // not connected now; attempts to reconnect go on
  closed,          // close() was called
  backlog,         // kMaxBuffered bytes wait to be written already; this message was dropped
  too_large,       // over the server's max_payload
  not_permitted,   // the server does not let this user publish or subscribe there
  failed,          // anything else
};

const boost::system::error_category& bus_category();
inline boost::system::error_code make_error_code(Errc code) { return {static_cast<int>(code), bus_category()}; }

}  // namespace covey::bus

template <>
struct boost::system::is_error_code_enum<covey::bus::Errc> : std::true_type {};

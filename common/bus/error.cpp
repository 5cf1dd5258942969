#include "common/bus/error.hpp"

#include <string>

namespace covey::bus {

namespace {

const char* text(Errc code) {
  switch (code) {
    case Errc::ok:
      return "no error";
    case Errc::refused:
      return "nothing listens there; is nats-server running?";
    case Errc::unauthorized:
      return "the server does not accept this user and password";
    case Errc::tls:
      return "TLS failed; do the certificates fit the server's name and authority?";
    case Errc::tls_required:
      return "the server wants TLS; give it a certificate authority";
    case Errc::timeout:
      return "no answer in time";
    case Errc::not_nats:
      return "what listens there does not greet like nats-server";
    case Errc::server_too_old:
      return "the server is too old: nats-server 2.9 or newer is wanted";
    case Errc::small_payloads:
      return "the server's max_payload is below the 64 KiB that a frame may have; raise it in its configuration";
    case Errc::invalid:
      return "not a valid NATS address, user, password or subject";
    case Errc::disconnected:
      return "not connected at the moment";
    case Errc::closed:
      return "the connection is closed";
    case Errc::backlog:
      return "too much waits to be written";
    case Errc::too_large:
      return "larger than the server's max_payload";
    case Errc::not_permitted:
      return "the server does not permit this user to do that";
    case Errc::failed:
      return "NATS failed";
  }
  return "unknown error";
}

class Category : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "covey.bus"; }
  std::string message(int value) const override { return text(static_cast<Errc>(value)); }
};

}  // namespace

const boost::system::error_category& bus_category() {
  static const Category category;
  return category;
}

}  // namespace covey::bus

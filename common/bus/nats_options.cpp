#include "common/bus/nats_options.hpp"

#include <algorithm>

namespace covey::bus {

namespace {

// Reads of this size keep a busy connection from costing a pass through the loop for every 32 KiB, nats.c's default.
constexpr int kReadBytes = 64 * 1024;
// The loop empties a subscription after every read, so that its queue holds no more than one read's worth. The limit is
// there for a handler that runs the loop from inside.
constexpr int kPendingMessages = 1'000'000;
// In the clear, a server that stopped answering is given up after two to three of these. Under TLS nats.c's timer
// thread would free the TLS state under the reading thread: there only the kernel's keepalive watches.
constexpr std::int64_t kPingIntervalMs = 30'000;
constexpr int kPingsOut = 2;

class Setter {
 public:
  void operator()(natsStatus next) {
    if (status == NATS_OK) status = next;
  }
  natsStatus status = NATS_OK;
};

void set_tls(Setter& set, natsOptions* options, const TlsOptions& tls, const std::string& host) {
  set(natsOptions_SetSecure(options, true));
  if (!tls.ca_file.empty()) set(natsOptions_LoadCATrustedCertificates(options, tls.ca_file.c_str()));
  if (!tls.cert_file.empty()) {
    set(natsOptions_LoadCertificatesChain(options, tls.cert_file.c_str(), tls.key_file.c_str()));
  }
  // Whether nats.c compares the name by itself depends on how it was built.
  const std::string& name = tls.server_name.empty() ? host : tls.server_name;
  set(natsOptions_SetExpectedHostname(options, name.c_str()));
  set(natsOptions_SetPingInterval(options, 0));
}

// nats.c 3.4 puts them into the JSON of its CONNECT as they are.
bool fits_in_json(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\'; });
}

void set_ways(Setter& set, natsOptions* options, const ConnectOptions& wanted) {
  set(natsOptions_SetTimeout(options, wanted.connect_timeout.count()));
  set(natsOptions_SetAllowReconnect(options, false));  // reconnector.hpp says why
  set(natsOptions_SetMaxPendingMsgs(options, kPendingMessages));
  set(natsOptions_SetIOBufSize(options, kReadBytes));
  set(natsOptions_SetPingInterval(options, kPingIntervalMs));
  set(natsOptions_SetMaxPingsOut(options, kPingsOut));
  set(natsOptions_SetSendAsap(options, true));
  set(natsOptions_SetNoEcho(options, !wanted.echo));
}

}  // namespace

NatsOptions make_options(const ConnectOptions& wanted, natsStatus& status) {
  natsOptions* raw = nullptr;
  status = natsOptions_Create(&raw);
  NatsOptions options(raw);
  if (status != NATS_OK) return nullptr;
  Setter set;
  const bool safe = fits_in_json(wanted.name) && fits_in_json(wanted.user) && fits_in_json(wanted.password);
  if (!safe) set(NATS_INVALID_ARG);
  set(natsOptions_SetURL(raw, wanted.url.c_str()));
  set(natsOptions_SetName(raw, wanted.name.c_str()));
  if (!wanted.user.empty()) set(natsOptions_SetUserInfo(raw, wanted.user.c_str(), wanted.password.c_str()));
  set_ways(set, raw, wanted);
  if (wanted.tls) set_tls(set, raw, *wanted.tls, address_of(wanted.url).host);
  status = set.status;
  return status == NATS_OK ? std::move(options) : nullptr;
}

Errc from_status(natsStatus status) {
  switch (status) {
    case NATS_OK:
      return Errc::ok;
    case NATS_NO_SERVER:
    case NATS_IO_ERROR:
      return Errc::refused;
    case NATS_CONNECTION_AUTH_FAILED:
      return Errc::unauthorized;
    case NATS_NOT_PERMITTED:
      return Errc::not_permitted;
    case NATS_SSL_ERROR:
      return Errc::tls;
    case NATS_SECURE_CONNECTION_WANTED:
    case NATS_SECURE_CONNECTION_REQUIRED:
      return Errc::tls_required;
    case NATS_TIMEOUT:
      return Errc::timeout;
    case NATS_ADDRESS_MISSING:
    case NATS_INVALID_SUBJECT:
    case NATS_INVALID_ARG:
      return Errc::invalid;
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_INSUFFICIENT_BUFFER:
      return Errc::disconnected;
    case NATS_CONNECTION_CLOSED:
      return Errc::closed;
    case NATS_MAX_PAYLOAD:
      return Errc::too_large;
    default:
      return Errc::failed;
  }
}

Errc from_connect_status(natsStatus status, const ConnectOptions& options) {
  // With TLS 1.3 a server that wants another client certificate hangs up after the handshake.
  const bool hung_up = status == NATS_IO_ERROR || status == NATS_CONNECTION_CLOSED;
  if (options.tls && (hung_up || status == NATS_SECURE_CONNECTION_WANTED)) return Errc::tls;
  return hung_up ? Errc::refused : from_status(status);
}

Address address_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  if (const auto slash = url.find('/'); slash != std::string_view::npos) url = url.substr(0, slash);
  std::string_view port = "4222";
  const auto colon = url.rfind(':');
  const bool inside_brackets = colon != std::string_view::npos && url.find(']', colon) != std::string_view::npos;
  if (colon != std::string_view::npos && !inside_brackets) {
    port = url.substr(colon + 1);
    url = url.substr(0, colon);
  }
  if (url.size() > 2 && url.front() == '[' && url.back() == ']') url = url.substr(1, url.size() - 2);
  return {std::string(url), std::string(port)};
}

}  // namespace covey::bus

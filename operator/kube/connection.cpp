#include "operator/kube/connection.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/err.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace covey::kube {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr int kUnacknowledgedMs = 20'000;  // after that the kernel gives a connection up
constexpr int kKeepIdleS = 15, kKeepIntervalS = 5, kKeepProbes = 3;


Error network(const std::string& what, const boost::system::error_code& error) {
  return {Errc::transient, 0, {}, fmt::format("{}: {}", what, error.message())};
}

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const Config& config, const std::string& authority, const Identity& identity) {
  namespace ssl = asio::ssl;
  boost::system::error_code error;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  const auto wrong = [&config, &error](std::string_view what) {
    return local_error(fmt::format("{}: the {} is of no use: {}", config.source, what, error.message()));
  };
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  if (config.skip_verification) {
    context->set_verify_mode(ssl::verify_none, error);
  } else {
    context->set_verify_mode(ssl::verify_peer, error);
    if (authority.empty()) {
      context->set_default_verify_paths(error);
    } else if (context->add_certificate_authority(asio::buffer(authority), error); error) {
      return wrong("certificate authority");
    }
  }
  if (identity.certificate.empty()) return context;
  if (context->use_certificate_chain(asio::buffer(identity.certificate), error); error) return wrong("client certificate");
  if (context->use_private_key(asio::buffer(identity.key), ssl::context::pem, error); error) return wrong("client key");
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    ERR_clear_error();
    return local_error(fmt::format("{}: the client key is not that of the client certificate", config.source));
  }
  return context;
}

Connection::Connection(const asio::any_io_executor& executor, std::shared_ptr<asio::ssl::context> tls) : context_(std::move(tls)) {
  if (context_) {
    tls_.emplace(executor, *context_);
  } else {
    plain_.emplace(executor);
  }
}

asio::awaitable<Result<std::unique_ptr<Connection>>> Connection::open(asio::any_io_executor executor, std::shared_ptr<const Config> config,
                                                                      std::shared_ptr<asio::ssl::context> tls, Deadline deadline) {
  auto connection = std::make_unique<Connection>(executor, std::move(tls));
  const auto failed = co_await connection->connect(config, deadline);
  if (failed) co_return *failed;
  if (!connection->tls_) co_return std::move(connection);
  const auto& name = config->server_name.empty() ? config->host : config->server_name;
  if (auto wrong = connection->expect_name(name)) co_return *wrong;
  const auto [error] = co_await connection->tls_->async_handshake(asio::ssl::stream_base::client, kAwait);
  if (!error) co_return std::move(connection);
  const auto reason = SSL_get_verify_result(connection->tls_->native_handle());
  const auto detail = reason == X509_V_OK ? std::string() : fmt::format(" ({})", X509_verify_cert_error_string(reason));
  co_return network(fmt::format("TLS with {}{}", config->authority_header(), detail), error);
}

asio::awaitable<std::optional<Error>> Connection::connect(std::shared_ptr<const Config> config, Deadline deadline) {
  std::vector<tcp::endpoint> endpoints;
  if (is_address(config->host)) {
    endpoints.emplace_back(asio::ip::make_address(config->host), config->port);
  } else {
    const auto resolver = std::make_shared<tcp::resolver>(lowest().get_executor());
    asio::steady_timer timer(lowest().get_executor(), deadline);
    timer.async_wait([weak = std::weak_ptr(resolver)](const boost::system::error_code& error) {
      const auto still = weak.lock();
      if (!error && still) still->cancel();
    });
    const auto [error, found] = co_await resolver->async_resolve(config->host, std::to_string(config->port), kAwait);
    if (error) co_return network(fmt::format("{} is not found", config->host), error);
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  expires_at(deadline);
  const auto [error, endpoint] = co_await lowest().async_connect(endpoints, kAwait);
  if (error) co_return network(fmt::format("cannot connect to {}", config->authority_header()), error);
  notice_dead_peers();
  co_return std::nullopt;
}

// What the certificate has to be for: a DNS name, which is also told to the server (SNI), or an IP address, which must not be.
std::optional<Error> Connection::expect_name(const std::string& name) {
  SSL* ssl = tls_->native_handle();
  const bool address = is_address(name);
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) : X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size());
  // As a call, since OpenSSL's own macro has a C cast in it.
  std::string copy = name;
  const bool told = address || SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, copy.data()) == 1;
  if (set == 1 && told) return std::nullopt;
  ERR_clear_error();
  return local_error(fmt::format("'{}' cannot be a server's name", name));
}

// A watch may be silent for minutes; without these a peer that vanished would be silent for hours.
void Connection::notice_dead_peers() {
  boost::system::error_code ignored;
  auto& socket = lowest().socket();
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&socket](int option, int value) { ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value); };
  set(TCP_USER_TIMEOUT, kUnacknowledgedMs);
  set(TCP_KEEPIDLE, kKeepIdleS);
  set(TCP_KEEPINTVL, kKeepIntervalS);
  set(TCP_KEEPCNT, kKeepProbes);
}

}  // namespace covey::kube

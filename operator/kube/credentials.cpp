#include "operator/kube/credentials.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/program.hpp"

namespace covey::kube {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// What the plugin is told, as KUBERNETES_EXEC_INFO.
std::string exec_info(const Config& config) {
  json::object spec{{"interactive", false}};
  if (config.exec->provide_cluster_info) {
    json::object cluster{{"server", fmt::format("{}://{}{}", config.tls ? "https" : "http", config.authority_header(), config.base_path)}};
    if (const auto authority = config.authority.read(); authority && !authority->empty()) {
      cluster["certificate-authority-data"] = base64_encoded(*authority);
    }
    if (!config.server_name.empty()) cluster["tls-server-name"] = config.server_name;
    if (config.skip_verification) cluster["insecure-skip-tls-verify"] = true;
    spec["cluster"] = std::move(cluster);
  }
  return json::serialize(json::object{{"apiVersion", config.exec->api_version}, {"kind", "ExecCredential"}, {"spec", std::move(spec)}});
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

Credentials::Credentials(asio::any_io_executor executor, std::shared_ptr<const Config> config)
    : executor_(std::move(executor)), config_(std::move(config)), one_plugin_(executor_, 1) {}

asio::awaitable<Result<Identity>> Credentials::current() {
  if (fresh()) co_return *known_;
  if (!config_->exec) co_return from_config();
  const auto permit = co_await one_plugin_.acquire(std::chrono::steady_clock::now() + kExecTimeout);
  if (!permit) co_return local_error(fmt::format("{}: another run of it does not end", config_->exec->argv[0]));
  if (fresh()) co_return *known_;  // the other run brought it
  auto identity = co_await from_plugin();
  co_return identity;
}

bool Credentials::drop() {
  known_.reset();
  return config_->exec.has_value() || !config_->token_file.empty();
}

bool Credentials::fresh() const {
  if (!known_) return false;
  if (config_->exec) return !expires_ || std::chrono::system_clock::now() < *expires_ - kExecMargin;
  // Certificate files are renewed in place too.
  const bool from_files = !config_->token_file.empty() || !config_->certificate.file.empty() || !config_->key.file.empty();
  return !from_files || std::chrono::steady_clock::now() - read_at_ < kTokenFileAge;
}

Result<Identity> Credentials::from_config() {
  Identity identity;
  const auto certificate = config_->certificate.read();
  if (!certificate) return certificate.error();
  const auto key = config_->key.read();
  if (!key) return key.error();
  identity.certificate = *certificate;
  identity.key = *key;
  identity.token = config_->token;
  if (!config_->token_file.empty()) {
    const auto token = Pem{{}, config_->token_file}.read();
    if (!token) {
      if (known_) return *known_;  // a mounted file can be missing for a moment while it is replaced
      return token.error();
    }
    identity.token = trimmed(*token);
  }
  known_ = identity;
  read_at_ = std::chrono::steady_clock::now();
  return identity;
}

asio::awaitable<Result<Identity>> Credentials::from_plugin() {
  Program program;
  program.argv = config_->exec->argv;
  program.environment = config_->exec->environment;
  program.environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(*config_));
  program.timeout = kExecTimeout;
  const auto output = co_await run_program(executor_, std::move(program));
  if (!output) {
    auto error = output.error();
    if (!config_->exec->install_hint.empty()) error.message += "; " + config_->exec->install_hint;
    co_return error;
  }
  co_return take_plugin_output(*output);
}

Result<Identity> Credentials::take_plugin_output(const std::string& output) {
  const auto wrong = [this](const std::string& what) { return local_error(fmt::format("{}: {}", config_->exec->argv[0], what)); };
  const auto answer = parse_json(output);
  if (!answer) return wrong("what it printed is " + answer.error().message);
  if (text_at(*answer, "kind") != "ExecCredential") return wrong("what it printed is no ExecCredential");
  if (text_at(*answer, "apiVersion") != config_->exec->api_version) {
    return wrong(fmt::format("it printed the apiVersion '{}', and '{}' is configured", text_at(*answer, "apiVersion"), config_->exec->api_version));
  }
  Identity identity{std::string(text_at(*answer, "status.token")), std::string(text_at(*answer, "status.clientCertificateData")),
                    std::string(text_at(*answer, "status.clientKeyData"))};
  if (identity.token.empty() && identity.certificate.empty()) return wrong("it printed neither a token nor a certificate");
  if (identity.certificate.empty() != identity.key.empty()) return wrong("it printed a certificate without its key, or the reverse");
  const auto expiry = text_at(*answer, "status.expirationTimestamp");
  expires_ = parse_rfc3339(expiry);
  if (!expiry.empty() && !expires_) return wrong(fmt::format("the expirationTimestamp '{}' is no time", expiry));
  known_ = identity;
  return identity;
}

}  // namespace covey::kube

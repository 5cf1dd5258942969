// Credentials and TLS, against the scripted server.
#include <sys/stat.h>

#include <boost/asio/ssl/context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/bus/certificates.hpp"
#include "tests/operator/kube/client_fixture.hpp"

namespace covey::kube {
namespace {

using fake::json_answer;
using fake::status_body;

std::filesystem::path make_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "covey-kube-XXXXXX").string();
  return ::mkdtemp(pattern.data());
}

class IdentityTest : public ClientFixture {
 protected:
  ~IdentityTest() override { std::filesystem::remove_all(folder); }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const auto path = folder / name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path.string();
  }
  std::string read(const std::string& name) {
    std::ifstream in(folder / name);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  std::filesystem::path folder = make_folder();
};

TEST_F(IdentityTest, ATokenThatWasReplacedIsReadAgainAfterA401) {
  config.token_file = write("token", "old\n");
  api.script("GET", kPodAPath, json_answer(200, "{}"));
  api.script("GET", kPodAPath, json_answer(401, status_body(401, "Unauthorized")));
  api.script("GET", kPodAPath, json_answer(200, "{}"));
  ASSERT_TRUE(run(client().get(kPodA)).has_value());
  write("token", "new\n");
  ASSERT_TRUE(run(client().get(kPodA)).has_value());
  EXPECT_EQ(api.seen()[1].authorization, "Bearer old") << "a file is not read for every request";
  EXPECT_EQ(api.seen()[2].authorization, "Bearer new");
}

TEST_F(IdentityTest, ASecond401IsTheAnswer) {
  config.token_file = write("token", "bad");
  api.script("GET", kPodAPath, json_answer(401, status_body(401, "Unauthorized")));
  api.script("GET", kPodAPath, json_answer(401, status_body(401, "Unauthorized")));
  EXPECT_EQ(run(client().get(kPodA)).error().code, Errc::unauthorized);
  EXPECT_EQ(api.seen().size(), 2U);
}

TEST_F(IdentityTest, AnExecPluginRunsOnceWhileItsTokenLasts) {
  ExecPlugin plugin;
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.argv = {write("plugin", "#!/bin/sh\necho ran >>\"$1\"\necho \"$KUBERNETES_EXEC_INFO\" >\"$1.info\"\n"
                                 "printf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
                                 "\"status\":{\"token\":\"%s\",\"expirationTimestamp\":\"2999-01-01T00:00:00Z\"}}' \"$WHAT\"\n", 0700),
                 (folder / "log").string()};
  plugin.environment = {{"WHAT", "from plugin; $HOME"}};
  plugin.provide_cluster_info = true;
  config.exec = plugin;
  for (int i = 0; i < 3; ++i) {
    api.script("GET", kPodAPath, json_answer(200, "{}"));
    const auto pod = run(client().get(kPodA));
    ASSERT_TRUE(pod.has_value()) << to_string(pod.error());
  }
  EXPECT_EQ(api.seen().back().authorization, "Bearer from plugin; $HOME") << "no shell has seen it";
  EXPECT_EQ(read("log"), "ran\n");
  EXPECT_NE(read("log.info").find(R"("server":"http://127.0.0.1:)"), std::string::npos) << read("log.info");
}

TEST_F(IdentityTest, AnExecPluginThatFailsSaysWhy) {
  ExecPlugin plugin;
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.argv = {write("plugin", "#!/bin/sh\necho 'session expired' >&2\nexit 3\n", 0700)};
  plugin.install_hint = "log in again";
  config.exec = plugin;
  const auto pod = run(client().get(kPodA));
  ASSERT_TRUE(pod.has_error());
  EXPECT_EQ(pod.error().code, Errc::local);
  for (const auto* part : {"status 3", "session expired", "log in again"}) EXPECT_NE(pod.error().message.find(part), std::string::npos) << pod.error().message;
}

TEST_F(IdentityTest, AnExecPluginThatIsNotThereIsNamed) {
  ExecPlugin plugin;
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.argv = {"/no/such/plugin"};
  config.exec = plugin;
  const auto pod = run(client().get(kPodA));
  ASSERT_TRUE(pod.has_error());
  EXPECT_NE(pod.error().message.find("/no/such/plugin"), std::string::npos);
}

// A server of its own, with a certificate for these names.
class TlsTest : public IdentityTest {
 protected:
  fake::Api& serve(const std::vector<std::string>& names) {
    namespace ssl = boost::asio::ssl;
    const auto made = bus::make_certificates(folder / "tls", names);
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    context->use_certificate_chain_file(made.server_cert);
    context->use_private_key_file(made.server_key, ssl::context::pem);
    tls_api.emplace(io, context);
    tls_config.host = "127.0.0.1";
    tls_config.port = tls_api->port();
    tls_config.authority.file = made.authority;
    return *tls_api;
  }
  Result<boost::json::value> get() {
    tls_api->script("GET", kPodAPath, json_answer(200, "{}"));
    Client over_tls(io.get_executor(), std::make_shared<const Config>(tls_config));
    return run(over_tls.get(kPodA));
  }
  std::optional<fake::Api> tls_api;
  Config tls_config;
};

TEST_F(TlsTest, TheAddressIsCheckedAgainstTheCertificate) {
  serve({"127.0.0.1"});
  const auto pod = get();
  EXPECT_TRUE(pod.has_value()) << to_string(pod.error());
}

TEST_F(TlsTest, ACertificateForAnotherNameIsRefused) {
  serve({"elsewhere.example"});
  const auto pod = get();
  ASSERT_TRUE(pod.has_error());
  EXPECT_TRUE(tls_api->seen().empty());
  EXPECT_NE(pod.error().message.find("mismatch"), std::string::npos) << pod.error().message;
}

TEST_F(TlsTest, TheNameOfTheCertificateCanBeConfigured) {
  serve({"elsewhere.example"});
  tls_config.server_name = "elsewhere.example";
  EXPECT_TRUE(get().has_value());
}

TEST_F(TlsTest, AnotherAuthorityIsRefusedAndAReplacedFileIsReadAgain) {
  serve({"127.0.0.1"});
  const auto right = tls_config.authority.file;
  tls_config.authority.file = bus::make_certificates(folder / "other", {"127.0.0.1"}).authority;
  Client over_tls(io.get_executor(), std::make_shared<const Config>(tls_config));
  EXPECT_TRUE(run(over_tls.get(kPodA)).has_error());
  std::filesystem::copy_file(right, tls_config.authority.file, std::filesystem::copy_options::overwrite_existing);
  tls_api->script("GET", kPodAPath, json_answer(200, "{}"));
  EXPECT_TRUE(run(over_tls.get(kPodA)).has_value());
}

TEST_F(TlsTest, AnAuthorityThatIsNoCertificateIsNamed) {
  serve({"127.0.0.1"});
  tls_config.authority = {"nonsense", ""};
  tls_config.source = "kubeconfig x";
  const auto pod = get();
  ASSERT_TRUE(pod.has_error());
  EXPECT_EQ(pod.error().code, Errc::local);
  EXPECT_NE(pod.error().message.find("kubeconfig x: the certificate authority"), std::string::npos) << pod.error().message;
}

}  // namespace
}  // namespace covey::kube

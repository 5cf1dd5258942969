#include "operator/kube/config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "operator/kube/time.hpp"

namespace covey::kube {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "covey-config-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  }
  std::string complaint(const std::string& text) {
    const auto config = read_kubeconfig(write("bad", text));
    return config ? "no complaint" : config.error().message;
  }
  std::filesystem::path folder;
};

constexpr auto kGood = R"(
current-context: here
contexts:
- {name: here, context: {cluster: c, user: u, namespace: work}}
- {name: plain, context: {cluster: six}}
clusters:
- {name: c, cluster: {server: "https://api.example:6443/prefix/", certificate-authority: pki/ca.crt, tls-server-name: inside}}
- {name: six, cluster: {server: "https://[fd00::1]", certificate-authority-data: aGVsbG8=}}
users:
- name: u
  user:
    client-certificate-data: Y2VydA==
    client-key: /abs/key
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [a, b c], env: [{name: X, value: "1"}]}
)";

TEST_F(ConfigTest, InlineAndFileMaterialAndExecPlugins) {
  const auto config = read_kubeconfig(write("config", kGood)).value();
  EXPECT_EQ(config.host, "api.example");
  EXPECT_EQ(config.port, 6443);
  EXPECT_EQ(config.base_path, "/prefix");
  EXPECT_EQ(config.ns, "work");
  EXPECT_EQ(config.server_name, "inside");
  EXPECT_EQ(config.authority.file, (folder / "pki/ca.crt").string()) << "beside the kubeconfig";
  EXPECT_EQ(config.certificate.text, "cert");
  EXPECT_EQ(config.key.file, "/abs/key");
  ASSERT_TRUE(config.exec.has_value());
  EXPECT_EQ(config.exec->argv, (std::vector<std::string>{(folder / "./login").string(), "a", "b c"}));
}

TEST_F(ConfigTest, AnotherContextAndAnIPv6Address) {
  const auto config = read_kubeconfig(write("config", kGood), "plain").value();
  EXPECT_EQ(config.host, "fd00::1");
  EXPECT_EQ(config.authority_header(), "[fd00::1]:443");
  EXPECT_EQ(config.authority.text, "hello");
  EXPECT_EQ(config.ns, "default");
}

TEST_F(ConfigTest, OfSeveralFilesTheFirstToDefineANameWins) {
  const auto first = write("first", "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n");
  const auto second = write("second", "current-context: y\nclusters: [{name: c, cluster: {server: 'http://h:1'}}]\n");
  const auto config = read_kubeconfig(first + ":" + (folder / "missing").string() + ":" + second).value();
  EXPECT_EQ(config.host, "h");
  EXPECT_FALSE(config.tls);
}

TEST_F(ConfigTest, ComplaintsNameTheFileTheKeyAndWhatIsThere) {
  const std::string head = "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n";
  const auto cluster = [&head](const std::string& body) { return head + "clusters: [{name: c, cluster: {" + body + "}}]\n"; };
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "bad: a map with clusters, users and contexts is wanted"},
      {"a: [", "bad: line "},
      {"clusters: []\n", "no current-context"},
      {"current-context: z\ncontexts: [{name: x}, {name: y}]\n", "contexts has no 'z'; there is x, y"},
      {cluster(""), "clusters[c].cluster.server: is missing"},
      {cluster("server: 'ftp://h'"), "clusters[c].cluster.server: server 'ftp://h': neither https nor http"},
      {cluster("server: 'https://h:99999'"), "the port is no number from 1 to 65535"},
      {cluster("server: 'https://h', certificate-authority-data: '!'"), "certificate-authority-data: not base64"},
      {cluster("server: 'https://h', proxy-url: 'http://p'"), "clusters[c].cluster.proxy-url: proxies are not supported"},
      {cluster("server: 'https://h', insecure-skip-tls-verify: maybe"), "'maybe' is neither true nor false"},
      {"current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://h'}}]\n"
       "users: [{name: u, user: {username: me}}]\n",
       "users[u].user.username: is not supported"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_NE(complaint(text).find(wanted), std::string::npos) << complaint(text) << "\nwanted: " << wanted;
  EXPECT_NE(read_kubeconfig("/no/such/file").error().message.find("/no/such/file"), std::string::npos);
}

TEST_F(ConfigTest, APodFindsItsServiceAccount) {
  write("ca.crt", "ca");
  write("token", "t");
  write("namespace", "work");
  const auto config = in_cluster_config({"10.96.0.1", "443", folder}).value();
  EXPECT_EQ(config.authority_header(), "10.96.0.1:443");
  EXPECT_EQ(config.token_file, (folder / "token").string());
  EXPECT_EQ(config.ns, "work");
  std::filesystem::remove(folder / "token");
  EXPECT_NE(in_cluster_config({"10.96.0.1", "443", folder}).error().message.find("automountServiceAccountToken"), std::string::npos);
  EXPECT_NE(in_cluster_config({"", "", folder}).error().message.find("not inside a pod"), std::string::npos);
}

TEST(TimeTest, TimesGoToTextAndBack) {
  for (const auto* text : {"2026-01-31T09:00:00.123456Z", "1999-12-31T23:59:59.000000Z", "2024-02-29T00:00:00.999999Z"}) {
    EXPECT_EQ(to_rfc3339_micro(parse_rfc3339(text).value()), text);
  }
  EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-01-31T11:30:00.5+02:30").value()), "2026-01-31T09:00:00Z");
  EXPECT_GT(parse_rfc3339("9999-12-31T23:59:59Z").value(), parse_rfc3339("2200-01-01T00:00:00Z").value()) << "does not wrap around";
  for (const auto* text : {"", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T25:00:00Z", "2026-01-31T09:00:00", "2026-01-31T09:00:00Zx", "-026-01-31T09:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
}

TEST(Base64Test, BytesGoToTextAndBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64_decoded(base64_encoded(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
  EXPECT_EQ(base64_decoded("aGVs\nbG8="), "hello");
  EXPECT_FALSE(base64_decoded("a").has_value());
  EXPECT_FALSE(base64_decoded("!!!!").has_value());
}

}  // namespace
}  // namespace covey::kube

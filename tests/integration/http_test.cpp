// The HTTP server as strangers meet it: who may do what, limits, and requests that no good client sends.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <regex>

#include "common/bus/certificates.hpp"
#include "tests/integration/api_fixture.hpp"

namespace covey::integration {
namespace {

struct HttpTest : ApiFixture {
  static HttpConnection::Headers bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
  void until_answered(const HttpConnection::Headers& headers, unsigned status) {
    HttpConnection connection(port());
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (connection.ask("GET", "/v1/tasks", {}, headers).status != status) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  std::string said_by_controller() const {
    std::ifstream in(folder / "controller.log");
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

std::string run(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1 </dev/null").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), size);
  ::pclose(pipe);
  return output;
}

TEST_F(HttpTest, WithoutATokenOrItsScopeNothingIsDone) {
  start_with_api(0);
  HttpConnection connection(port());
  const auto none = connection.ask("GET", "/v1/tasks");
  EXPECT_EQ(none.status, 401u);
  EXPECT_NE(none.header("WWW-Authenticate").find("Bearer"), std::string::npos);
  EXPECT_EQ(connection.ask("GET", "/v1/tasks", {}, {{"Authorization", "Bearer 0123456789abcdef"}}).status, 401u);
  EXPECT_EQ(connection.ask("GET", "/version").status, 200u);
  // The file is read again when it changes.
  std::ofstream(access.tokens_file, std::ios::app) << "reader-0123456789 read reader\n";
  const auto reader = bearer("reader-0123456789");
  until_answered(reader, 200);
  const auto refused = connection.ask("POST", "/v1/engines/0123456789abcdef/drain", {}, reader);
  EXPECT_EQ(refused.status, 403u);
  EXPECT_NE(refused.body.find("admin"), std::string::npos);
  EXPECT_EQ(ask("POST", "/v1/engines/0123456789abcdef/drain").status, 404u);
}

TEST_F(HttpTest, ABrokenFileOfTokensChangesNothingAndAGoodOneTakesOldTokensAway) {
  start_with_api(0);
  const auto write = [&](const std::string& text) {
    std::ofstream(access.tokens_file.string() + ".new") << text;
    std::filesystem::rename(access.tokens_file.string() + ".new", access.tokens_file);
  };
  write("reader-0123456789 raed\n");
  const std::string complaint = access.tokens_file.string() + ": line 1: the scopes are read, submit and admin, with commas between; got 'raed'; the tokens stay as they were";
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (said_by_controller().find(complaint) == std::string::npos) ASSERT_LT(std::chrono::steady_clock::now(), deadline) << said_by_controller();
  HttpConnection connection(port());
  EXPECT_EQ(connection.ask("GET", "/v1/tasks", {}, authorized()).status, 200u);
  EXPECT_EQ(connection.ask("GET", "/v1/tasks", {}, bearer("reader-0123456789")).status, 401u);
  write("reader-0123456789 read\n");
  until_answered(bearer("reader-0123456789"), 200);
  // Also on a connection that was there before.
  EXPECT_EQ(connection.ask("GET", "/v1/tasks", {}, authorized()).status, 401u);
}

TEST_F(HttpTest, OneConnectionServesManyRequestsAndMethods) {
  start_with_api(0);
  HttpConnection connection(port());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(connection.ask("GET", "/version").status, 200u);
  const auto head = connection.ask("HEAD", "/version");
  EXPECT_EQ(head.status, 200u);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.header("Content-Length"), std::to_string(connection.ask("GET", "/version").body.size()));
  const auto options = connection.ask("OPTIONS", "/v1/tasks");
  EXPECT_EQ(options.status, 204u);
  EXPECT_EQ(options.header("Allow"), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(options.header("Access-Control-Allow-Origin"), "");
  const auto wrong = connection.ask("PUT", "/v1/tasks");
  EXPECT_EQ(wrong.status, 405u);
  EXPECT_EQ(wrong.header("Allow"), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(connection.ask("GET", "/v1/nothing").status, 404u);
  const auto packed = connection.ask("GET", "/openapi.json", {}, {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(connection.ask("GET", "/openapi.json", {}, {{"Accept-Encoding", "gzip;q=0"}}).header("Content-Encoding"), "");
  // Two at once on one connection are answered in order.
  connection.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /version HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(connection.read().body.find("live"), std::string::npos);
  EXPECT_NE(connection.read().body.find("protocol"), std::string::npos);
}

TEST_F(HttpTest, MistakesAreProblemDocuments) {
  start_with_api(0);
  const auto wrong = ask("POST", "/v1/tasks", R"({"function":"echo","retries":"many"})");
  EXPECT_EQ(wrong.status, 422u);
  EXPECT_EQ(wrong.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(wrong.json().at("type"), "urn:covey:problem:invalid-field");
  EXPECT_EQ(wrong.json().at("field"), "retries");
  EXPECT_EQ(wrong.json().at("expected"), "an integer from 0 to 1000");
  EXPECT_EQ(ask("POST", "/v1/tasks", "{").json().at("type"), "urn:covey:problem:malformed-json");
  EXPECT_EQ(ask("POST", "/v1/tasks?waiting=1", "{}").json().at("field"), "waiting");
  EXPECT_EQ(ask("POST", "/v1/tasks", "<task/>", {{"Content-Type", "text/xml"}}).status, 415u);
  EXPECT_EQ(ask("GET", "/v1/tasks/17").status, 404u);
}

TEST_F(HttpTest, EachLimitHasItsStatus) {
  start_with_api(0, {"--http-body-bytes", "1000", "--http-header-bytes", "2000", "--http-nesting", "4", "--http-list-tasks", "2"});
  const auto body = ask("POST", "/v1/tasks", std::string(1001, ' '));
  EXPECT_EQ(body.status, 413u);
  EXPECT_NE(body.body.find("http-body-bytes"), std::string::npos);
  EXPECT_EQ(ask("POST", "/v1/tasks", std::string(1000, ' ')).status, 400u);  // at the limit it is read, and is no JSON
  EXPECT_EQ(ask("GET", "/version", {}, {{"X", std::string(2000, 'x')}}).status, 431u);
  EXPECT_EQ(ask("POST", "/v1/tasks", R"({"function":"echo","args":[[[[1]]]]})").status, 413u);
  EXPECT_EQ(ask("POST", "/v1/tasks", R"({"function":"echo","args":[[1]]})").status, 202u);
  EXPECT_EQ(ask("POST", "/v1/tasks", R"([{"function":"a"},{"function":"a"},{"function":"a"}])").status, 413u);
  EXPECT_EQ(ask("POST", "/v1/tasks?wait=601s", R"({"function":"a"})").status, 400u);
  HttpConnection chunked(port());
  chunked.send("POST /v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token + "\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
               std::string(1001, ' ') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read().status, 413u);
}

TEST_F(HttpTest, WhatDoesNotComeInTimeIsGivenUp) {
  start_with_api(0, {"--http-header-timeout", "0.2", "--http-body-timeout", "0.2", "--http-idle-timeout", "0.2"});
  HttpConnection header(port());
  header.send("GET /version HTTP/1.1\r\nHo");
  EXPECT_EQ(header.read().status, 408u);
  EXPECT_TRUE(header.ended());
  HttpConnection body(port());
  body.send("POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nAuthorization: Bearer " + access.token + "\r\n\r\n{");
  EXPECT_EQ(body.read().status, 408u);
  HttpConnection idle(port());
  EXPECT_TRUE(idle.ended());
}

TEST_F(HttpTest, BeyondItsLimitsOfConnectionsAndStreamsItSaysSo) {
  start_with_api(0, {"--http-connections", "2", "--http-streams", "1"});
  HttpConnection first(port());
  first.send("GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token + "\r\n\r\n");
  first.read_until("retry");
  HttpConnection second(port());
  const auto refused = second.ask("GET", "/v1/events", {}, authorized());
  EXPECT_EQ(refused.status, 503u);
  EXPECT_EQ(refused.header("Retry-After"), "5");
  HttpConnection third(port());
  const auto turned_away = third.read();
  EXPECT_EQ(turned_away.status, 503u);
  EXPECT_NE(turned_away.body.find("http-connections"), std::string::npos);
}

TEST_F(HttpTest, FullQueuesSayWhenToComeAgain) {
  start_with_api(0, {"--max-tasks", "1024", "--http-maps", "1"});
  const auto queued = [&](std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += std::string(list.empty() ? "[" : ",") + R"({"function":"echo"})";
    return ask("POST", "/v1/tasks", list + "]");
  };
  ask_until("/readyz", [](const auto& answer) { return answer.status == 200; });  // the controller has said what its limit is
  HttpAnswer full;
  for (int i = 0; i < 1100 && full.status != 429; ++i) full = queued(100);
  EXPECT_EQ(full.status, 429u) << full.body.substr(0, 300);
  EXPECT_EQ(full.header("Retry-After"), "1");
  EXPECT_EQ(full.json().at("type"), "urn:covey:problem:queue-full");
  EXPECT_EQ(ask("POST", "/v1/maps", R"({"function":"echo","range":{"stop":5000}})").status, 202u);  // its inputs wait
  const auto many = ask("POST", "/v1/maps", R"({"function":"echo","inputs":[1]})");
  EXPECT_EQ(many.status, 503u);
  EXPECT_EQ(many.header("Retry-After"), "5");
  EXPECT_NE(many.body.find("http-maps"), std::string::npos);
}

TEST_F(HttpTest, AHeaderThatTricklesInHasNoMoreTimeThanOneThatStands) {
  start_with_api(0, {"--http-header-timeout", "0.5"});
  HttpConnection slow(port());
  slow.send("GET /version HTTP/1.1\r\nX: ");
  std::size_t sent = 0;
  while (!slow.readable_within(std::chrono::milliseconds(20)) && ++sent < 1000) slow.send("x");
  EXPECT_EQ(slow.read().status, 408u);
  EXPECT_GT(sent, 1u);
}

TEST_F(HttpTest, AClientThatDoesNotReadIsLetGoAndOthersAreServedMeanwhile) {
  start_with_api(1, {"--http-write-timeout", "0.5"});
  ASSERT_EQ(ask("PUT", "/v1/blobs/large", std::string(40'000'000, 'x')).status, 201u);
  HttpConnection stalled(port());
  stalled.send("GET /v1/blobs/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token + "\r\n\r\n");
  stalled.read_until("\r\n\r\n");
  EXPECT_EQ(ask("POST", "/v1/tasks?wait=60s", R"({"function":"echo","args":["meanwhile"]})").json().at("value"), "meanwhile");
  ask_until("/metrics", [](const auto& answer) { return answer.body.find("covey_http_streams 0\n") != std::string::npos; });
  EXPECT_LT(stalled.count_rest(), 40'000'000u);
}

TEST_F(HttpTest, OnlyTheConfiguredOriginMayUseItFromABrowser) {
  start_with_api(0, {"--http-cors", "https://example.org"});
  HttpConnection connection(port());
  const auto preflight = connection.ask("OPTIONS", "/v1/tasks", {}, {{"Origin", "https://example.org"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(preflight.status, 204u);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "https://example.org");
  EXPECT_NE(preflight.header("Access-Control-Allow-Methods").find("POST"), std::string::npos);
  EXPECT_NE(preflight.header("Access-Control-Allow-Headers").find("Idempotency-Key"), std::string::npos);
  const auto answer = connection.ask("GET", "/version", {}, {{"Origin", "https://elsewhere.example"}});
  EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "https://example.org");
  EXPECT_NE(answer.header("Vary").find("Origin"), std::string::npos);
}

TEST_F(HttpTest, EveryLimitIsNamedInTheDocumentation) {
  std::ifstream in(COVEY_SOURCE "/docs/api.md");
  const std::string document{std::istreambuf_iterator<char>(in), {}};
  const auto help = run(std::string(COVEY_EXECUTABLE) + " controller --help");
  const std::regex option("--(http-[a-z-]+|history-tasks|max-tasks)");
  std::size_t options = 0;
  for (auto found = std::sregex_iterator(help.begin(), help.end(), option); found != std::sregex_iterator(); ++found, ++options) {
    EXPECT_NE(document.find('`' + found->str()), std::string::npos) << found->str();
  }
  EXPECT_GT(options, 25u);
}

TEST_F(HttpTest, WhatIsNoHttpIsRefusedAndOthersAreServedOn) {
  start_with_api(0);
  HttpConnection rubbish(port());
  rubbish.send("\x16\x03\x01 rubbish\r\n\r\n");
  EXPECT_EQ(rubbish.read().status, 400u);
  HttpConnection gone(port());
  gone.send("POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nAuthorization: Bearer " + access.token + "\r\n\r\n{");
  gone.shut_down_sending();
  EXPECT_EQ(gone.read().status, 400u);
  // Half closed is not gone: the answer comes.
  HttpConnection half(port());
  half.send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
  half.shut_down_sending();
  EXPECT_EQ(half.read().status, 200u);
  EXPECT_EQ(ask("GET", "/version").status, 200u);
}

TEST_F(HttpTest, BeyondLoopbackTokensAreWanted) {
  const std::string controller = std::string(COVEY_EXECUTABLE) + " controller --nats ";
  start(0);
  const auto refused = run(controller + cluster->client().nats_url + " --connect " + (folder / "controller.json").string() + " --http 0.0.0.0:0");
  EXPECT_NE(refused.find("--http-tokens"), std::string::npos) << refused;
  const auto malformed = run(controller + cluster->client().nats_url + " --http 8080");
  EXPECT_NE(malformed.find("HOST:PORT"), std::string::npos) << malformed;
}

TEST_F(HttpTest, TlsServesTheNewCertificateOnceTheFilesChange) {
  const auto old = folder / "old", fresh = folder / "fresh";
  for (const auto& one : {old, fresh}) {
    std::filesystem::create_directories(one);
    bus::make_certificates(one, {"localhost"});
  }
  const auto serve = [&](const std::filesystem::path& from) {
    std::filesystem::copy_file(from / "server.key", folder / "key.pem", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(from / "server.pem", folder / "cert.pem", std::filesystem::copy_options::overwrite_existing);
  };
  serve(old);
  start_with_api(0, {"--http-cert", (folder / "cert.pem").string(), "--http-key", (folder / "key.pem").string()});
  const auto get = [&](const std::filesystem::path& authority) {
    return run("curl -s -m 10 --cacert " + (authority / "ca.pem").string() + " https://localhost:" + std::to_string(port()) + "/livez");
  };
  EXPECT_NE(get(old).find("live"), std::string::npos);
  EXPECT_EQ(get(fresh).find("live"), std::string::npos);
  serve(fresh);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (get(fresh).find("live") == std::string::npos) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
}

TEST_F(HttpTest, ThePageReachesNothingButItsOwnServer) {
  start_with_api(0);
  HttpConnection connection(port());
  const auto page = connection.ask("GET", "/");
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("Cache-Control"), "no-cache");
  const auto policy = page.header("Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self';")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(page.body.find("//"), std::string::npos) << "an address elsewhere: " << page.body;
  const auto again = connection.ask("GET", "/", {}, {{"If-None-Match", page.header("ETag")}});
  EXPECT_EQ(again.status, 304u);
  EXPECT_EQ(again.body, "");
  const auto head = connection.ask("HEAD", "/index.html");
  EXPECT_EQ(head.header("Content-Length"), std::to_string(page.body.size()));
  EXPECT_EQ(connection.ask("POST", "/").status, 405u);
}

TEST_F(HttpTest, TheLinesOfTheDocumentationWork) {
  start_with_api(2);
  std::ifstream in(COVEY_SOURCE "/docs/api.md");
  std::string script = "set -euo pipefail\nexport no_proxy='*'\n";
  bool code = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      code = line == "```sh";
    } else if (code) {
      script += line + "\n";
    }
  }
  EXPECT_GT(std::count(script.begin(), script.end(), '\n'), 30);
  std::ofstream(folder / "api.sh") << script << "echo all lines have run\n";
  const auto url = access.url.substr(0, access.url.size() - 1);
  const auto output = run("COVEY_URL=" + url + " COVEY_TOKEN=" + access.token + " bash " + (folder / "api.sh").string());
  EXPECT_NE(output.find("all lines have run"), std::string::npos) << output;
}

}  // namespace
}  // namespace covey::integration

// /v1/blobs of a real cluster, and bodies that are streamed.
#include "tests/integration/api_fixture.hpp"

namespace covey::integration {
namespace {

struct BlobsTest : ApiFixture {
  static std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
    return bytes;
  }
};

TEST_F(BlobsTest, BytesGoInAndComeOutAsTheyAre) {
  start_with_api(0);
  const auto bytes = noise(5'000'000);
  const auto made = ask("PUT", "/v1/blobs/mine", bytes);
  EXPECT_EQ(made.status, 201u) << made.body;
  EXPECT_EQ(made.header("Location"), "/v1/blobs/mine");
  HttpConnection connection(port());
  const auto got = connection.ask("GET", "/v1/blobs/mine", {}, authorized({{"Accept-Encoding", "gzip"}}));
  EXPECT_EQ(got.status, 200u);
  EXPECT_TRUE(got.body == bytes);
  const auto head = connection.ask("HEAD", "/v1/blobs/mine", {}, authorized());
  EXPECT_EQ(head.header("Content-Length"), "5000000");
  EXPECT_EQ(connection.ask("PUT", "/v1/blobs/mine", "less", authorized()).status, 200u);
  EXPECT_EQ(connection.ask("GET", "/v1/blobs/mine", {}, authorized()).body, "less");
  EXPECT_EQ(connection.ask("DELETE", "/v1/blobs/mine", {}, authorized()).status, 204u);
  EXPECT_EQ(connection.ask("GET", "/v1/blobs/mine", {}, authorized()).status, 404u);
}

TEST_F(BlobsTest, ATaskGetsTheBlobAndItsLargeResultIsOne) {
  start_with_api(1);
  const auto bytes = noise(3'000'000);
  ASSERT_EQ(ask("PUT", "/v1/blobs/input", bytes).status, 201u);
  const auto answer = ask("POST", "/v1/tasks?wait=60s", R"({"function":"echo","args_blob":"input"})");
  ASSERT_EQ(answer.status, 200u) << answer.body.substr(0, 300);
  const auto task = answer.json().as_object();
  ASSERT_TRUE(task.contains("value_blob")) << answer.body.substr(0, 300);
  EXPECT_EQ(task.at("value_bytes"), 3'000'000);
  EXPECT_EQ(task.at("codec"), "bytes");
  const std::string value = "/v1/blobs/" + std::string(task.at("value_blob").as_string());
  EXPECT_TRUE(ask("GET", value).body == bytes);
  // It can be an argument in its turn, and goes with its task.
  const auto next = ask("POST", "/v1/tasks?wait=60s", R"({"function":"echo","args_blob":")" + std::string(task.at("value_blob").as_string()) + "\"}");
  EXPECT_EQ(next.json().at("value_bytes"), 3'000'000);
  EXPECT_EQ(ask("DELETE", "/v1/tasks/" + std::string(task.at("id").as_string())).status, 204u);
  EXPECT_EQ(ask("GET", value).status, 404u);
}

TEST_F(BlobsTest, AValueThatHadToMakeRoomIsSaidToBeGone) {
  start_with_api(1, {"--http-blobs-bytes", "1000", "--http-value-bytes", "500"});
  const auto answer = ask("POST", "/v1/tasks?wait=60s", R"({"function":"echo","args":[")" + std::string(600, 'x') + "\"]}").json();
  ASSERT_TRUE(answer.as_object().contains("value_blob"));
  ASSERT_EQ(ask("PUT", "/v1/blobs/mine", std::string(900, 'y')).status, 201u);
  const auto again = ask("GET", "/v1/tasks/" + std::string(answer.at("id").as_string())).json();
  EXPECT_EQ(again.at("value_kept"), false);
  EXPECT_FALSE(again.as_object().contains("value_blob"));
}

TEST_F(BlobsTest, MistakesAndLimitsAreNamed) {
  start_with_api(0, {"--http-blob-bytes", "1000", "--http-blobs-bytes", "1500"});
  EXPECT_EQ(ask("PUT", "/v1/blobs/at", std::string(1000, 'x')).status, 201u);
  const auto beyond = ask("PUT", "/v1/blobs/beyond", std::string(1001, 'x'));
  EXPECT_EQ(beyond.status, 413u);
  EXPECT_NE(beyond.body.find("http-blob-bytes"), std::string::npos);
  const auto full = ask("PUT", "/v1/blobs/full", std::string(501, 'x'));
  EXPECT_EQ(full.status, 503u);
  EXPECT_EQ(full.header("Retry-After"), "5");
  EXPECT_NE(full.body.find("http-blobs-bytes"), std::string::npos);
  HttpConnection chunked(port());
  chunked.send("PUT /v1/blobs/chunks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token + "\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
               std::string(1001, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read().status, 413u);
  EXPECT_EQ(ask("GET", "/v1/blobs/chunks").status, 404u);
  EXPECT_EQ(ask("PUT", "/v1/blobs/no.value", "x").status, 400u);
  const auto unknown = ask("POST", "/v1/tasks", R"([{"function":"echo"},{"function":"echo","args_blob":"none"}])");
  EXPECT_EQ(unknown.status, 404u);
  EXPECT_EQ(unknown.json().at("field"), "[1].args_blob");
  EXPECT_EQ(ask("POST", "/v1/tasks", R"({"function":"echo","args":[1],"args_blob":"at"})").status, 422u);
  EXPECT_EQ(ask("POST", "/v1/tasks", R"({"function":"echo","args_blob":""})").status, 422u);
}

// Each piece has the time that is allowed, not all of them together.
TEST_F(BlobsTest, AStreamOfInputsMayTakeLongerThanTheBodysTimeout) {
  start_with_api(1, {"--http-body-timeout", "3"});
  HttpConnection slow(port());
  slow.send("POST /v1/maps?function=sleep&id=slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token +
            "\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 1; i <= 4; ++i) {
    slow.send("2\r\n1\n\r\n");
    ask_until("/v1/maps/slow", [i](const auto& answer) { return answer.status == 200u && answer.json().at("completed") == i; });
  }
  slow.send("0\r\n\r\n");
  const auto answer = slow.read();
  EXPECT_LT(answer.status, 300u) << answer.body;
  EXPECT_EQ(ask("GET", "/v1/maps/slow").json().at("inputs"), 4);
}

}  // namespace
}  // namespace covey::integration

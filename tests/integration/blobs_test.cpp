// /v1/blobs of a real cluster, and bodies that are streamed.
#include <sstream>

#include "tests/integration/api_fixture.hpp"

namespace covey::integration {
namespace {

struct BlobsTest : ApiFixture {
  static std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
    return bytes;
  }
  std::vector<json::object> results(const std::string& map, const std::string& parameters) {
    std::vector<json::object> lines;
    std::istringstream in(ask("GET", "/v1/maps/" + map + "/results?" + parameters).body);
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line).as_object());
    return lines;
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

TEST_F(BlobsTest, LargeResultsOfAMapAreBlobsForAsLongAsTheMapKeepsThem) {
  start_with_api(1, {"--http-value-bytes", "1000", "--http-blobs-bytes", "500"});
  const auto large = [](char letter, std::size_t size) { return '"' + std::string(size, letter) + '"'; };
  const std::string values[] = {large('a', 998), large('b', 999), large('c', 200'000)};
  ASSERT_EQ(ask("POST", "/v1/maps", R"({"function":"echo","id":"large","inputs":[)" + values[0] + ',' + values[1] + ',' + values[2] + "]}").status, 202u);
  std::vector<std::string> blobs;
  for (const std::string order : {"input", "completion"}) {
    const auto told = results("large", "order=" + order);
    ASSERT_EQ(told.size(), 3u);
    for (const auto& line : told) {
      const auto& value = values[line.at("index").to_number<std::size_t>()];
      if (value.size() <= 1000) {
        EXPECT_EQ(line.at("value"), json::parse(value));
        continue;
      }
      EXPECT_FALSE(line.contains("value"));
      EXPECT_EQ(line.at("value_bytes").to_number<std::size_t>(), value.size());
      EXPECT_EQ(line.at("codec"), "json");
      blobs.push_back("/v1/blobs/" + std::string(line.at("value_blob").as_string()));
      EXPECT_TRUE(ask("GET", blobs.back()).body == value);
    }
  }
  for (const auto& line : results("large", "values=inline")) EXPECT_EQ(line.at("value"), json::parse(values[line.at("index").to_number<std::size_t>()]));
  EXPECT_EQ(ask("GET", "/v1/maps/large/results?values=none").status, 400u);
  // One that is deleted is said to be gone; the others go with their map.
  EXPECT_EQ(ask("DELETE", blobs.at(0)).status, 204u);
  EXPECT_EQ(results("large", "order=input").at(1).at("value_kept"), false);
  EXPECT_EQ(ask("GET", blobs.at(1)).status, 200u);
  EXPECT_EQ(ask("DELETE", "/v1/maps/large").status, 204u);
  EXPECT_EQ(ask("GET", blobs[1]).status, 404u);
}

TEST_F(BlobsTest, LargeResultsOfAMapAreDroppedWithTheirLines) {
  start_with_api(1, {"--http-value-bytes", "1000", "--http-result-bytes", "1000000"});
  std::string inputs;
  for (int i = 0; i < 10; ++i) inputs += '"' + std::string(200'000, 'x') + "\"\n";
  ASSERT_EQ(ask("POST", "/v1/maps?function=echo&id=large", inputs, {{"Content-Type", "application/x-ndjson"}}).status, 202u);
  const auto ended = ask_until("/v1/maps/large", [](const auto& answer) { return answer.json().at("state") == "completed"; }).json();
  EXPECT_EQ(ended.at("results").at("kept"), 4);
  const auto told = results("large", "order=completion");
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[0].at("dropped"), 6);
  EXPECT_EQ(ask("GET", "/v1/blobs/" + std::string(told[1].at("value_blob").as_string())).body.size(), 200'002u);
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

#include "common/bus/server_info.hpp"

#include <gtest/gtest.h>

#include "common/bus/error.hpp"
#include "common/bus/nats_options.hpp"

namespace covey::bus {
namespace {

TEST(ServerInfoTest, ReadsVersionAndTls) {
  const auto info = parse_server_info(R"(INFO {"server_id":"N","version":"2.9.10","tls_required":true,"port":1} )");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->version, "2.9.10");
  EXPECT_TRUE(info->tls_required);
}

TEST(ServerInfoTest, WhatIsNotNatsIsRefused) {
  for (const char* line : {"", "INFO", "INFO ", "INFO {", "INFO []", "SSH-2.0-OpenSSH_9.2", "+OK"}) {
    const auto info = parse_server_info(line);
    ASSERT_FALSE(info) << line;
    EXPECT_EQ(info.error(), make_error_code(Errc::not_nats)) << line;
  }
}

TEST(ServerInfoTest, VersionsCompareByNumber) {
  const auto at_least = [](const char* version) { return ServerInfo{version, false}.at_least(2, 9); };
  EXPECT_TRUE(at_least("2.9.0"));
  EXPECT_TRUE(at_least("2.10.22"));
  EXPECT_TRUE(at_least("3.0.0-beta"));
  EXPECT_FALSE(at_least("2.8.4"));
  EXPECT_FALSE(at_least("1.99"));
  EXPECT_FALSE(at_least(""));
}

TEST(ServerInfoTest, AddressesAreTakenApart) {
  const auto address = [](const char* url) {
    const auto made = address_of(url);
    return made.host + " " + made.port;
  };
  EXPECT_EQ(address("nats://broker:4333"), "broker 4333");
  EXPECT_EQ(address("broker"), "broker 4222");
  EXPECT_EQ(address("tls://me:se:cret@broker:1/"), "broker 1");
  EXPECT_EQ(address("nats://[::1]:5"), "::1 5");
  EXPECT_EQ(address("[::1]"), "::1 4222");
  EXPECT_EQ(address(""), " 4222");
}

}  // namespace
}  // namespace covey::bus

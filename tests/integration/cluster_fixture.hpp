// A real cluster for a test: nats-server, controller and engines as processes on loopback, in a folder of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "cli/local/local_cluster.hpp"
#include "client/client.hpp"

namespace covey::integration {

inline constexpr auto kPatience = std::chrono::seconds(60);

struct ClusterFixture : testing::Test {
  void start(std::size_t engines, std::vector<std::string> engine_arguments = {}, std::uint32_t slots = 1,
             std::vector<std::string> controller_arguments = {}) {
    local::LocalCluster::Options options;
    options.folder = folder;
    options.executable = COVEY_EXECUTABLE;
    options.engines = engines;
    options.slots = slots;
    options.engine_arguments = std::move(engine_arguments);
    options.controller_arguments = std::move(controller_arguments);
    cluster = std::make_unique<local::LocalCluster>(options);
  }
  client::Options client_options() const {
    const auto nats = cluster->client().options("test");
    client::Options options;
    options.nats_url = nats.url;
    options.user = nats.user;
    options.password = nats.password;
    options.tls = nats.tls;
    return options;
  }
  std::unique_ptr<client::Client> connect(std::size_t engines) {
    auto client = client::Client::connect(client_options());
    EXPECT_TRUE(client) << client.error().message();
    EXPECT_TRUE((*client)->wait_for_engines(engines, kPatience));
    return std::move(*client);
  }
  ~ClusterFixture() override {
    cluster.reset();
    std::filesystem::remove_all(folder);
  }

  std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                 ("covey-test-" + std::to_string(::getpid()) + "-" +
                                  testing::UnitTest::GetInstance()->current_test_info()->name());
  std::unique_ptr<local::LocalCluster> cluster;
};

}  // namespace covey::integration

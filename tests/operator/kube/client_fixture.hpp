// A client and a scripted API server on one loop.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "operator/kube/client.hpp"
#include "operator/kube/line_splitter.hpp"
#include "tests/operator/kube/fake_api.hpp"
#include "tests/support/run_until.hpp"

namespace covey::kube {

class ClientFixture : public ::testing::Test {
 protected:
  // The rest of what a test configures is set before the first call.
  Client& client() {
    if (!client_) {
      config.host = config.host.empty() ? "127.0.0.1" : config.host;
      config.port = api.port();
      client_.emplace(io.get_executor(), std::make_shared<const Config>(config), options);
    }
    return *client_;
  }

  // Runs it to its end.
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr thrown;
    boost::asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& error, T value) {
      thrown = error;
      result.emplace(std::move(value));
    });
    EXPECT_TRUE(support::run_until(io, [&] { return result.has_value(); }));
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
  }

  static Config plain() {
    Config config;
    config.tls = false;
    return config;
  }

  boost::asio::io_context io{1};
  fake::Api api{io};
  Config config = plain();
  TransportOptions options;

 private:
  std::optional<Client> client_;
};

inline const Place kPodA{types::kPods, "ns", "a"};
inline const Place kAllPods{types::kPods, "ns", ""};
inline const std::string kPodAPath = "/api/v1/namespaces/ns/pods/a", kPodsPath = "/api/v1/namespaces/ns/pods";

}  // namespace covey::kube

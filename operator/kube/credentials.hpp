// Who we say we are, kept fresh: a token file is read again every minute, an exec plugin is run again shortly before what it printed
// expires, one at a time. One loop; times are passed in.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "operator/kube/config.hpp"
#include "operator/kube/semaphore.hpp"
#include "operator/kube/time.hpp"

namespace covey::kube {

struct Identity {
  std::string token;             // empty: none
  std::string certificate, key;  // PEM; empty: none
};

inline constexpr auto kTokenFileAge = std::chrono::minutes(1);
inline constexpr auto kExecMargin = std::chrono::minutes(1);   // before the expiry that the plugin named
inline constexpr auto kExecTimeout = std::chrono::seconds(60);

class Credentials {
 public:
  Credentials(boost::asio::any_io_executor executor, std::shared_ptr<const Config> config);

  boost::asio::awaitable<Result<Identity>> current();
  // After a 401: the next current() reads anew. True if that can change anything.
  bool drop();

 private:
  Result<Identity> from_config();
  boost::asio::awaitable<Result<Identity>> from_plugin();
  Result<Identity> take_plugin_output(const std::string& output);
  bool fresh() const;

  boost::asio::any_io_executor executor_;
  std::shared_ptr<const Config> config_;
  Semaphore one_plugin_;
  std::optional<Identity> known_;
  std::chrono::steady_clock::time_point read_at_{};
  std::optional<WallTime> expires_;
};

}  // namespace covey::kube

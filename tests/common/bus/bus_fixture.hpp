// A nats-server of the test's own, a loop, and connections on it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "common/bus/connection.hpp"
#include "common/bus/nats_server.hpp"
#include "common/wire/bytes.hpp"
#include "tests/support/run_until.hpp"

namespace covey::bus {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "covey-bus-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class BusTest : public testing::Test {
 protected:
  NatsServer& start_server(NatsServerOptions options = {}) {
    options.folder = directory.path() / "nats";
    server = std::make_unique<NatsServer>(std::move(options));
    return *server;
  }
  ConnectOptions options(const std::string& user = {}, const std::string& password = {}) const {
    ConnectOptions made;
    made.url = server->url();
    made.user = user;
    made.password = password;
    made.name = "test";
    return made;
  }
  std::unique_ptr<Connection> connect(const ConnectOptions& wanted) {
    auto connection = Connection::connect(io, wanted);
    if (!connection) throw std::runtime_error(connection.error().message());
    return std::move(*connection);
  }
  std::unique_ptr<Connection> connect() { return connect(options()); }
  template <class Condition>
  bool until(Condition&& condition, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    return support::run_until(io, std::forward<Condition>(condition), limit);
  }
  // Turns the loop until what `connection` did before has reached the server: for subscriptions, which nobody answers.
  bool settle(Connection& connection) {
    bool heard = false;
    const auto marker = "settle." + std::to_string(++settled_);
    const auto id = connection.subscribe(marker, [&](Message&) { heard = true; });
    // Without echo only the no-responders status comes back to the one who asked, and it does for a subject nobody has.
    connection.publish(marker + ".nobody", {}, marker);
    const bool done = until([&] { return heard; });
    connection.unsubscribe(id);
    return done;
  }

  TemporaryDirectory directory;
  std::unique_ptr<NatsServer> server;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};

 private:
  int settled_ = 0;
};

inline wire::ByteSpan bytes(std::string_view text) { return wire::as_bytes(text); }
inline std::string text_of(const Message& message) { return std::string(wire::as_text(message.data)); }

}  // namespace covey::bus

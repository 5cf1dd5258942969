// An example of the C++ client: maps in chunks, engines one by one, and coroutines. docs/client.md explains its parts.
//
//     covey up -n 4 --detach
//     build/release/examples/views/views        # finds the cluster as `covey` does, or takes the path of a client.json
//     covey down
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>

#include "client/client.hpp"
#include "client/partition.hpp"

namespace asio = boost::asio;
namespace client = covey::client;
namespace wire = covey::wire;
using asio::experimental::awaitable_operators::operator||;
using namespace std::chrono_literals;

namespace {

std::string home_file() {
  if (const char* home = std::getenv("COVEY_HOME")) return std::string(home) + "/client.json";
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR")) return std::string(runtime) + "/covey/client.json";
  return "/tmp/covey-" + std::to_string(::getuid()) + "/client.json";
}

// What `covey up` left for clients.
client::Options read_options(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path + "; is a cluster up? Try: covey up -n 4 --detach");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto value = boost::json::parse(text);
  client::Options options;
  options.nats_url = value.at("nats").as_string();
  options.user = value.at("user").as_string();
  options.password = value.at("password").as_string();
  options.cluster = value.at("cluster").as_string();
  return options;
}

std::string_view text(const wire::Payload& payload) { return payload.buffer.view(); }

// ---- whichever engine is best placed ----

void map_in_chunks(client::Client& client) {
  auto view = client.load_balanced();
  std::vector<std::string> inputs;
  for (int i = 1; i <= 1000; ++i) inputs.push_back("[" + std::to_string(i) + ", 1]");
  const auto sums = view.map("sum", std::move(inputs), {.chunk = 50});  // 20 tasks
  long total = 0;
  for (const auto sum : sums.as_completed(1min)) total += std::stol(std::string(text(sum.get())));
  std::cout << "the sums of the chunked map add up to " << total << "\n";
}

void see_an_element_fail(client::Client& client) {
  const auto result = client.load_balanced().map("sum", {"[1, 2]", "[\"one\"]"}, {.chunk = 2});
  for (const auto one : result.in_order(1min)) {
    if (one.ok()) {
      std::cout << "element " << one.index() << " is " << text(one.get()) << "\n";
    } else {
      std::cout << "element " << one.index() << " ended as " << wire::to_string(one.metadata().status) << "\n";
    }
  }
}

// ---- engines by name ----

void use_variables(client::Client& client) {
  auto all = client.direct_view();
  all.push("greeting", "\"hello\"").get_all(1min);  // waits, so that the variable is there on every engine
  std::cout << "the first engine says " << text(all[0].pull("greeting").get(1min)) << "\n";
  all.scatter("numbers", "[1, 2, 3, 4, 5, 6, 7, 8]").get_all(1min);
  std::cout << "scattered and gathered: " << text(all.gather("numbers", 1min)) << "\n";
  all.unset("numbers").wait(1min);
}

// ---- coroutines ----

// Not more than the queue takes: where it is full, async_apply() waits for room.
asio::awaitable<void> submit_and_wait(client::LoadBalancedView view) {
  std::vector<client::AsyncResult> results;
  for (int i = 0; i < 100; ++i) results.push_back(co_await view.async_apply("echo", "[\"pong\"]", asio::use_awaitable));
  std::size_t pongs = 0;
  for (const auto& result : results) {
    co_await result.async_wait(asio::use_awaitable);
    pongs += text(result.get()) == "\"pong\"" ? 1 : 0;
  }
  std::cout << pongs << " pongs\n";

  const auto slow = view.apply("sleep", "[600]");
  asio::steady_timer deadline(co_await asio::this_coro::executor, 50ms);
  const auto first = co_await (slow.async_wait(asio::use_awaitable) || deadline.async_wait(asio::use_awaitable));
  std::cout << (first.index() == 1 ? "too slow: " : "done: ");
  slow.abort();  // the deadline ended the wait; this ends the task
  co_await slow.async_wait(asio::use_awaitable);
  std::cout << wire::to_string(slow.metadata().status) << "\n";
}

void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace

int main(int argc, char** argv) try {
  auto connected = client::Client::connect(read_options(argc > 1 ? argv[1] : home_file()));
  if (!connected) throw std::runtime_error(connected.error().message());
  client::Client& client = **connected;
  if (!client.wait_for_engines(1, 10s)) throw std::runtime_error("no engine is there");
  map_in_chunks(client);
  see_an_element_fail(client);
  use_variables(client);
  asio::io_context io;
  asio::co_spawn(io, submit_and_wait(client.load_balanced()), rethrow);
  io.run();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "views: " << error.what() << "\n";
  return 1;
}

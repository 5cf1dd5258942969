// The three experiments of IPython parallel's performance page, run against a cluster through the client library, and the
// physical limits beside them. Every function returns flat rows for results.json; bench/README.md describes their fields.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/local/connect_file.hpp"
#include "client/client.hpp"

namespace covey::bench {

using Row = boost::json::object;
using Rows = std::vector<Row>;
// Told what is being measured, for progress lines.
using Say = std::function<void(const std::string&)>;

// The cluster under test.
struct Target {
  local::ConnectInfo connect;
  std::size_t engines = 4;
  std::string scheme = "controller";   // or direct
  std::string transport = "plain";     // tls, ssh: the client's way to NATS
};

// Bare NATS through the same C client on the same server and the same transport, between this process and one that the object
// starts and ends. Used by one thread at a time.
class BareNats {
 public:
  // Throws std::runtime_error where the other process does not answer.
  BareNats(const local::ConnectInfo& connect, const std::string& peer_executable, const std::string& engine_connect_file);
  ~BareNats();

  // Request/reply, and one-way rates; `bytes` is how much goes one way for each size of message.
  Rows limits(const std::string& transport, std::size_t bytes, const Say& say);
  std::vector<double> request_reply_us(std::size_t count);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// n asynchronous echo(''): time until all are sent, and until all results are here.
Rows latency(const Target& target, const std::vector<std::size_t>& counts, const Say& say);
// One echo('') after another: from a coroutine on the client's loop, or from a blocking thread. Where `bare` is not null, in turns
// with as many bare requests and replies, so that both see the same machine: their ratio is the row's.
Row sequential(const Target& target, bool blocking, std::size_t count, const std::string& mode, BareNats* bare);
// Arrays of each size, up to `most` at a time, and fewer where memory says so. `refused` is told of sizes that do not
// travel, and why; these have no row.
struct Sizes {
  std::vector<std::size_t> sizes;
  std::size_t most = 100;
  Say say;
  std::function<void(std::size_t size, const std::string& why)> refused;
};
// Their echo, by whichever engines.
Rows throughput(const Target& target, const Sizes& sizes);
// DirectView::push of them to one engine. It names its engine, which the scheme direct cannot: the target's is controller.
Rows push(const Target& target, const Sizes& sizes);
// n sleeps of dt, so many that the ideal is `ideal_s`.
Rows map(const Target& target, const std::vector<double>& dts_ms, double ideal_s, const Say& say);
// exec of /bin/true.
Row exec_rate(const Target& target, std::size_t count);

// The other end of BareNats: echoes and counts until it is ended.
int serve_limits(const local::ConnectInfo& engine);

// Cancels what the experiments that run just now have under way: they then end with an exception. Those that still submit need
// another call. False: none has a client. From any thread.
bool cancel_tasks();

// Connects and waits for the target's engines; throws std::runtime_error where they do not come. cancel_tasks() knows it.
std::shared_ptr<client::Client> connect(const Target& target);

// How many engines the cluster has; throws std::runtime_error where it does not answer.
std::size_t live_engines(const Target& target);

double percentile(std::vector<double>& sorted_in_place, double share);

}  // namespace covey::bench

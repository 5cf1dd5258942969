// The inside of a client: the core on its loop, submissions on their way to it from other threads, and the states that
// results go into. Private to client/.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "client/client.hpp"
#include "client/core/client_core.hpp"
#include "common/bus/core_loop.hpp"

namespace covey::client {

// Tasks with consecutive numbers that belong to one AsyncResult. Loop thread only, but for construction.
struct Segment {
  std::shared_ptr<ResultState> state;  // kept alive while results are due
  std::uint64_t first_sequence = 0;
  std::size_t first_index = 0;
  std::size_t left = 0;
};

struct Outcome {
  wire::SmallBytes report;
  std::unique_ptr<const wire::Payload> value;  // where it was too large for the report
  std::uint64_t sequence = 0;
  std::uint32_t attempts = 0;
  wire::Incarnation engine = wire::Incarnation::none;
};

// What an AsyncResult shares with the loop. The loop writes outcomes[i], then publishes it through `done` (release);
// readers look at `done` (acquire) first, or hold Session::waiting for the order of completion.
struct ResultState {
  std::shared_ptr<Session> session;
  std::size_t total = 1;
  std::atomic<std::size_t> done{0};
  std::atomic<std::size_t> failed{0};
  std::atomic<int> waiters{0};     // somebody waits in Session::changed
  bool ordered = false;            // keeps the order of completion: maps
  Segment segment;                 // of a lone task
  Outcome single;
  std::vector<Outcome> many;       // maps
  std::vector<std::atomic<bool>> has;  // maps: which of `many` are there
  std::vector<std::uint32_t> order;    // guarded by Session::waiting
  std::size_t handed_out = 0;          // of `order`, by next(); guarded likewise
  std::vector<std::function<void()>> callbacks;  // guarded likewise
  std::chrono::steady_clock::time_point submitted = std::chrono::steady_clock::now();
  std::atomic<std::int64_t> finished_ns{0};  // on the steady clock

  Outcome& outcome(std::size_t index) { return many.empty() ? single : many[index]; }
  bool has_outcome(std::size_t index) const {
    return has.empty() ? done.load(std::memory_order_acquire) > 0 : has[index].load(std::memory_order_acquire);
  }
};

class Session : public std::enable_shared_from_this<Session>, private Port {
 public:
  Session(const Options& options, boost::asio::io_context* io);
  ~Session() override;

  boost::system::error_code open(const Options& options);
  void start_thread();
  void close();

  bool on_loop() const { return io_.get_executor().running_in_this_thread(); }
  std::uint32_t add_spec(const wire::TaskSpec& spec);
  // Waits for room in the window; throws QueueFull on the loop.
  void acquire(std::size_t tasks);
  struct Pending {
    wire::SmallBytes content;
    std::unique_ptr<const wire::Payload> large;  // instead of content
    std::string extras;
    Segment* segment = nullptr;
    std::uint32_t spec = 0;
    Scheme scheme = Scheme::controller;
    bool first = false;  // of its segment
  };
  void submit(Pending pending);
  void submit(std::vector<Pending> pending);
  void cancel(const std::shared_ptr<ResultState>& state);
  void cancel(const wire::TaskId& task);
  std::vector<wire::TaskId> ids_of(const std::shared_ptr<ResultState>& state);
  std::optional<std::string> request(std::string_view json, std::chrono::nanoseconds timeout);
  std::string refusal();
  wire::SessionId id() const { return id_; }
  std::uint64_t max_payload() const { return max_payload_.load(std::memory_order_relaxed); }
  bus::Connection& connection() { return *connection_; }

  std::mutex waiting;
  std::condition_variable changed;

 private:
  void send(std::string_view subject, wire::ByteSpan frame) override { loop_->send(subject, frame); }
  void log(std::string_view line) override;
  void on_result(std::uint64_t cookie, const ResultView& result) override;
  void on_response(std::uint64_t request, std::string_view json) override;
  void on_window(std::uint64_t tasks) override;
  void take_pending();
  void leave_when_spilled(std::chrono::steady_clock::time_point deadline);
  void leave();
  void abandon_unfinished();
  void submit_now(const Pending& pending);
  void schedule();

  wire::Incarnation self_;
  wire::SessionId id_;
  std::unique_ptr<boost::asio::io_context> own_io_;
  boost::asio::io_context& io_;
  std::unique_ptr<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  wire::Subjects subjects_;
  std::unique_ptr<bus::Connection> connection_;
  ClientCore core_;
  std::unique_ptr<bus::CoreLoop<ClientCore>> loop_;
  std::thread thread_;

  std::atomic<std::uint64_t> outstanding_{0};
  std::atomic<std::uint64_t> window_{65'536};  // the controller's, once it has said; until then, a modest one
  std::atomic<int> blocked_{0};                // threads in acquire()
  std::atomic<std::uint64_t> max_payload_{wire::Welcome{}.max_payload};

  std::mutex pending_mutex_;
  std::vector<Pending> pending_;   // guarded by pending_mutex_
  bool pending_posted_ = false;    // likewise
  std::unordered_map<std::uint64_t, std::string> responses_;        // guarded by `waiting`
  std::mutex spec_mutex_;  // guards the core's table of specs, which any thread extends
};

}  // namespace covey::client

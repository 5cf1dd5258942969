// The inside of a client: the core on its loop, submissions on their way to it from other threads, and the states that
// results go into. Private to client/.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "client/client.hpp"
#include "client/core/client_core.hpp"
#include "client/result_state.hpp"
#include "client/window.hpp"
#include "common/bus/core_loop.hpp"
#include "common/bus/shared_loop.hpp"

namespace covey::client {

// What tasks have in common, as a view shares it with the loop. The loop learns of its end after all submissions that name
// it, and so may use plain pointers.
struct SpecText {
  std::string encoded;
  std::uint32_t number = 0;  // the core's; loop thread only
  bool added = false;        // likewise
};

class Session : public std::enable_shared_from_this<Session>, private Port {
 public:
  Session(const Options& options, boost::asio::io_context* io);
  ~Session() override;

  boost::system::error_code open(const Options& options);
  void start_thread();
  void close();

  bool on_loop() const { return io_.get_executor().running_in_this_thread(); }
  boost::asio::io_context::executor_type executor() { return io_.get_executor(); }
  std::shared_ptr<SpecText> share_spec(const wire::TaskSpec& spec);
  Window& window() { return window_; }
  // Waits for room; on the loop it throws QueueFull instead. Throws std::runtime_error once the client is closed.
  void acquire(std::size_t tasks);

  struct Pending {
    wire::SmallBytes content;
    std::unique_ptr<const wire::Payload> large;  // instead of content
    std::string extras;
    Segment* segment = nullptr;
    SpecText* spec = nullptr;
    Scheme scheme = Scheme::controller;
    bool first = false;  // of its segment
  };
  // For a thread that waits for the only task that is under way: runs the loop here until `until` elements have ended or the
  // deadline is over. Does nothing where the loop is not free for that. `waiting` must not be held.
  void run_for(const ResultState& state, std::size_t until, std::optional<std::chrono::steady_clock::time_point> deadline);
  // From now on somebody may be called back on the loop, and no caller's thread runs it: what is called back may want
  // what the caller holds.
  void calls_back() { calls_back_.store(true); }
  // Room has to have been acquired. False: the client is closed.
  bool submit(Pending pending);
  bool submit(std::vector<Pending> pending);
  void cancel(const std::shared_ptr<ResultState>& of);
  void cancel(const wire::TaskId& task);
  void cancel_all();
  std::vector<wire::TaskId> ids_of(const std::shared_ptr<ResultState>& state);
  std::optional<std::string> request(std::string_view json, std::chrono::nanoseconds timeout);
  // nullopt: its holder has it no more, or does not answer. Throws TimeoutError.
  std::optional<wire::Buffer> fetch(const wire::BlobReference& blob, std::chrono::nanoseconds timeout);
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
  void on_payload(std::uint64_t fetch, std::optional<wire::Buffer> payload) override;
  void on_window(std::uint64_t tasks) override;
  void take_pending();
  void leave_when_spilled(std::chrono::steady_clock::time_point deadline, std::chrono::steady_clock::time_point connected_at);
  void leave();
  void abandon_unfinished();
  void submit_now(const Pending& pending);
  bool lone() const { return !calls_back_.load() && window_.used() == 1; }
  void schedule();
  template <class Action>
  void post(Action action) {
    boost::asio::post(io_, std::move(action));
    shared_.attend();
  }
  void retire(SpecText* spec);
  void publish(ResultState& state, std::size_t first, std::size_t count);

  wire::Incarnation self_;
  wire::SessionId id_;
  std::unique_ptr<boost::asio::io_context> own_io_;
  boost::asio::io_context& io_;
  std::unique_ptr<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  wire::Subjects subjects_;
  std::unique_ptr<bus::Connection> connection_;
  ClientCore core_;
  std::uint64_t all_cancelled_to_ = 0;  // loop thread only: the last task that cancel_all() has seen
  std::unique_ptr<bus::CoreLoop<ClientCore>> loop_;
  bus::SharedLoop shared_{io_};  // nobody runs it on a caller's io_context
  std::thread thread_;           // its owner

  std::atomic<bool> calls_back_{false};
  Window window_{65'536};  // the controller's, once it has said; until then, a modest one
  std::atomic<std::uint64_t> max_payload_{wire::Welcome{}.max_payload};

  std::mutex pending_mutex_;
  std::vector<Pending> pending_;                       // guarded by pending_mutex_
  std::vector<std::unique_ptr<SpecText>> retired_;     // likewise: let go by their views, after all of pending_
  bool pending_posted_ = false;                        // likewise
  bool closed_ = false;                                // likewise
  std::unordered_map<std::uint64_t, std::string> responses_;  // guarded by `waiting`
  std::unordered_map<std::uint64_t, std::optional<wire::Buffer>> payloads_;  // likewise
};

}  // namespace covey::client

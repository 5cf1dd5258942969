// The API as a client of the controller that it lives in: one session, whose frames travel between the two loops
// through mailboxes of a limited size. Submits tasks, hands their results to whoever enrolled for them, and asks the
// controller one question at a time, so that a turn of its loop never meets two.
// Lives on the API's loop. Knows nothing of HTTP.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "client/core/client_core.hpp"
#include "common/bus/core_loop.hpp"
#include "common/bus/local_wire.hpp"

namespace covey::api {

// Takes the results of the tasks that it submitted.
class Taker {
 public:
  virtual ~Taker() = default;
  // `index` is what submit() was given. The views are valid during the call.
  virtual void on_result(std::uint64_t index, const client::ResultView& result) = 0;
};

// A result's report as it is kept here: with its value inside, however large.
void encode_whole(wire::Writer& out, const client::ResultView& result);
// The same without its value.
void encode_without_value(wire::Writer& out, const client::ResultView& result);
// The value, where it has more bytes than that; otherwise nothing.
wire::Payload value_beyond(const client::ResultView& result, std::uint64_t bytes);

class Gateway : private client::Port {
 public:
  struct Identity {
    wire::Incarnation self = wire::Incarnation::none;
    wire::SessionId session = wire::SessionId::none;
  };
  Gateway(boost::asio::io_context& io, std::unique_ptr<bus::LocalConnection> connection, const std::string& cluster,
          Identity identity);
  ~Gateway() override;
  void start();

  // ---- tasks ----
  using TakerId = std::uint32_t;
  TakerId enroll(Taker& taker);
  // Its results are dropped from now on. Its tasks run on, unless they are cancelled.
  void withdraw(TakerId id) { takers_.erase(id); }

  // Specs are shared: equal ones have one number, and each holder gives it back.
  std::uint32_t acquire_spec(const wire::TaskSpec& spec);
  void release_spec(std::uint32_t number);
  const wire::TaskSpec& spec(std::uint32_t number) const { return specs_[number].spec; }

  struct Submission {
    std::uint32_t spec = 0;
    wire::ByteSpan content;                 // encoded, of small arguments
    const wire::Payload* large = nullptr;   // instead, where they are larger than wire::kInlinePayloadBytes
    wire::ByteSpan extras;
    TakerId taker = 0;
    std::uint64_t index = 0;  // less than 2^40
  };
  // The task's number in the session. The caller keeps within room().
  std::uint64_t submit(const Submission& submission);
  // How many more tasks the controller lets this client have now.
  std::uint64_t room() const;
  void cancel(const wire::TaskId& task);
  // Cancels all that `taker` has unfinished.
  void cancel_all(TakerId taker);
  wire::TaskId id_of(std::uint64_t sequence) const { return core_.id_of(sequence); }
  wire::SessionId session() const { return core_.session(); }

  // ---- questions ----
  static constexpr std::size_t kMaxQuestions = 256;  // that wait for their turn
  enum class Failure { none, busy, no_answer };
  struct Answer {
    Failure failure = Failure::none;
    boost::json::object object;
  };
  // One of docs/protocol.md's requests. Waits for its turn and then for the answer, `kPatience` at most.
  boost::asio::awaitable<Answer> ask(boost::json::object request);
  static constexpr auto kPatience = std::chrono::seconds(5);

  bool linked() const { return core_.linked(); }
  // Whether the controller has a connection to NATS.
  bool on_nats() const { return connection_->state() == bus::State::connected; }
  std::uint64_t unfinished() const { return core_.unfinished(); }

 private:
  struct Question {
    explicit Question(boost::asio::io_context& io) : timer(io) {}
    std::string request, answer;
    bool answered = false;
    boost::asio::steady_timer timer;  // cancelled when the answer is here
  };
  struct KeptSpec {
    wire::TaskSpec spec;
    std::string encoded;
    std::uint64_t uses = 0;
    std::list<std::uint32_t>::iterator idle;  // its place in idle_specs_, where uses is 0
  };

  void send(std::string_view subject, wire::ByteSpan frame) override { loop_->send(subject, frame); }
  void log(std::string_view line) override;
  void on_result(std::uint64_t cookie, const client::ResultView& result) override;
  void on_response(std::uint64_t request, std::string_view json) override;
  void on_window(std::uint64_t) override {}
  void ask_next();

  static constexpr unsigned kIndexBits = 40;
  static constexpr std::size_t kMaxIdleSpecs = 1024;

  boost::asio::io_context& io_;
  std::unique_ptr<bus::LocalConnection> connection_;
  wire::Subjects subjects_;
  wire::Incarnation self_;
  client::ClientCore core_;
  std::unique_ptr<bus::CoreLoop<client::ClientCore>> loop_;

  std::unordered_map<TakerId, Taker*> takers_;
  TakerId next_taker_ = 1;
  std::vector<KeptSpec> specs_;
  std::unordered_map<std::string, std::uint32_t> spec_by_bytes_;
  std::list<std::uint32_t> idle_specs_;  // the longest idle first
  std::deque<std::shared_ptr<Question>> questions_;  // the first has been asked
  std::uint64_t asked_ = 0;                          // the core's number of the first; 0: none has been asked
};

}  // namespace covey::api

// A view puts in work for whichever engine is best placed. Views are cheap to copy; each is for one thread at a time.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/system/result.hpp>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/async_result.hpp"
#include "client/core/client_core.hpp"
#include "client/error.hpp"
#include "client/task_options.hpp"

namespace covey::client {

struct Prepared;
struct SpecText;

// The scheme controller lets the scheduler choose, the scheme direct leaves it to a NATS queue group, with no dependencies, no
// reruns and the fewest hops.
//
// The payload of arguments is moved, not copied; JSON arguments are an array, as text. What is wrong with options or with the
// size of arguments is thrown as std::invalid_argument or std::length_error.
class LoadBalancedView {
 public:
  TaskOptions options;

  // Submits one task. At the queue's limit it blocks, except on the client's loop, where it throws QueueFull.
  AsyncResult apply(std::string_view function, wire::Payload args);
  AsyncResult apply(std::string_view function, std::string args_json) { return apply(function, payload_of(std::move(args_json))); }

  // The same, but at the queue's limit it returns Errc::queue_full.
  boost::system::result<AsyncResult> try_apply(std::string_view function, wire::Payload args);
  boost::system::result<AsyncResult> try_apply(std::string_view function, std::string args_json) {
    return try_apply(function, payload_of(std::move(args_json)));
  }

  // The same, but at the queue's limit it completes later: void(error_code, AsyncResult). Cancelling it takes the task back
  // as long as it waits for room.
  template <class Token>
  auto async_apply(std::string_view function, wire::Payload args, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, AsyncResult)>(
        [](auto handler, std::shared_ptr<Prepared> prepared) {
          auto completion = make_completion(std::move(handler), loop_of(*prepared), result_of(*prepared));
          const auto waiter = std::make_shared<std::uint64_t>(0);
          completion->on_cancel([prepared, waiter](Completion& waiting) { give_up(*prepared, *waiter, waiting); });
          submit_later(std::move(prepared), waiter, std::move(completion));
        },
        token, prepare_later(function, std::move(args)));
  }
  template <class Token>
  auto async_apply(std::string_view function, std::string args_json, Token&& token) {
    return async_apply(function, payload_of(std::move(args_json)), std::forward<Token>(token));
  }

  // Runs the function on each of the inputs. Blocks while the queue is at its limit, except on the client's loop, where it
  // throws QueueFull and has submitted nothing. Elsewhere a large map that throws halfway cancels what it had submitted, of which
  // some may have run.
  AsyncResult map(std::string_view function, std::vector<std::string> inputs, const MapOptions& map_options = {});
  template <std::same_as<wire::Payload> Payload>
  AsyncResult map(std::string_view function, std::vector<Payload> inputs, const MapOptions& map_options = {}) {
    return map_payloads(function, std::move(inputs), map_options);
  }

 private:
  friend class Client;
  LoadBalancedView(std::shared_ptr<Session> session, Scheme scheme) : session_(std::move(session)), scheme_(scheme) {}

  static wire::Payload payload_of(std::string&& json) { return {wire::Codec::json, wire::Buffer(std::move(json))}; }
  static boost::asio::any_io_executor loop_of(const Prepared& prepared);
  static AsyncResult result_of(const Prepared& prepared);
  static void give_up(Prepared& prepared, std::uint64_t waiter, Completion& completion);
  static void submit_later(std::shared_ptr<Prepared> prepared, const std::shared_ptr<std::uint64_t>& waiter,
                           std::shared_ptr<Completion> completion);
  using Take = std::function<wire::Payload(std::size_t)>;  // an input, once
  // Inputs that are submitted together.
  struct Slice {
    std::size_t first, count, chunk;
  };
  void submit_slice(std::string_view function, const std::shared_ptr<ResultState>& state, const Slice& slice, const Take& take);
  Prepared prepare(std::string_view function, wire::Payload&& args);
  std::shared_ptr<Prepared> prepare_later(std::string_view function, wire::Payload&& args);
  AsyncResult map_inputs(std::string_view function, std::size_t count, const Take& take, const MapOptions& map_options);
  AsyncResult map_payloads(std::string_view function, std::vector<wire::Payload>&& inputs, const MapOptions& map_options);
  const std::shared_ptr<SpecText>& spec_for(std::string_view function, bool chunked);

  std::shared_ptr<Session> session_;
  Scheme scheme_;
  wire::TaskSpec cached_;  // what spec_ says
  std::shared_ptr<SpecText> spec_;
};

}  // namespace covey::client

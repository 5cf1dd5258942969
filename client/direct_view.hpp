// A view that names its engines: what it is asked to do, each of them does, one task each, and results are in the order of
// the engines. Cheap to copy; for one thread at a time.
//
// Engines have variables: payloads under names, which live until they are replaced or unset, or until their engine ends. A
// lost engine's variables are lost with it. An engine runs the tasks of one client in no certain order: wait for a push
// before you use what was pushed.
//
// A task whose engine is not there any more ends as `unschedulable`. Like LoadBalancedView::map, calls block at the queue's
// limit, and on the client's loop throw QueueFull.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/async_result.hpp"
#include "client/task_options.hpp"

namespace covey::client {

struct SpecText;

// A program for the engines' function `exec`, which wants engines with --allow-exec.
struct Program {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;  // added to the engine's
  std::string cwd;                         // empty: the engine's
  std::optional<std::string> stdin_text;
};

class DirectView {
 public:
  TaskOptions options;  // `targets` stay empty

  const std::vector<wire::Incarnation>& engines() const { return engines_; }
  std::size_t size() const { return engines_.size(); }
  // A view of one of its engines.
  DirectView operator[](std::size_t index) const { return at({index}); }
  // A view of some of them, by their places in engines().
  DirectView at(const std::vector<std::size_t>& indexes) const;

  // Runs the function with the same arguments on each engine.
  AsyncResult apply(std::string_view function, wire::Payload args);
  AsyncResult apply(std::string_view function, std::string args_json);
  // Runs a program on each. Metadata has what it printed.
  AsyncResult execute(const Program& program);
  AsyncResult execute(std::vector<std::string> argv) { return execute(Program{std::move(argv), {}, {}, {}}); }

  // Sets a variable on each engine; the payload is shared, not copied. It may be replaced: `payload_too_large` says that the
  // engine's limit (--variable-mb) would be passed.
  AsyncResult push(std::string_view name, wire::Payload value);
  AsyncResult push(std::string_view name, std::string json);
  // The variable's value on each; `bad_arguments` where there is none.
  AsyncResult pull(std::string_view name);
  AsyncResult unset(std::string_view name);

  // Cuts a JSON array, or bytes in items of `item_bytes`, into a part for each engine, in order, and pushes those.
  AsyncResult scatter(std::string_view name, const wire::Payload& whole, std::size_t item_bytes = 1);
  AsyncResult scatter(std::string_view name, std::string json_array);
  // Pulls the parts and puts them together: JSON arrays to one array, bytes to bytes. Throws TimeoutError, TaskError, or
  // std::invalid_argument where they do not fit. In a coroutine: pull(), async_wait(), and join() of client/partition.hpp.
  wire::Payload gather(std::string_view name, std::chrono::nanoseconds timeout = AsyncResult::kForever);

 private:
  friend class Client;
  DirectView(std::shared_ptr<Session> session, std::vector<wire::Incarnation> engines);
  // One task for each engine, with the arguments of the same place, or of the only place.
  AsyncResult submit(std::string_view function, std::string_view variable, const std::vector<wire::Payload>& args);
  AsyncResult submit_named(std::string_view function, std::string_view variable, const std::vector<wire::Payload>& args);
  const std::vector<std::shared_ptr<SpecText>>& specs_for(std::string_view function, std::string_view variable);

  std::shared_ptr<Session> session_;
  std::vector<wire::Incarnation> engines_;
  wire::TaskSpec cached_;                         // what specs_ say, but for the target
  std::vector<std::shared_ptr<SpecText>> specs_;  // of each engine
};

}  // namespace covey::client

// covey submit, map, results, cancel, explain.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "cli/commands/command.hpp"
#include "cli/commands/progress.hpp"

namespace covey::cli {

namespace json = boost::json;

namespace {

volatile std::sig_atomic_t interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

constexpr auto kLook = std::chrono::milliseconds(50);

struct TaskFlags {
  Where where;
  client::TaskOptions options;
  double timeout_s = 0, run_limit_s = 0, retry_delay_s = 0;
  std::vector<std::string> after, engines;
  std::string scheme = "controller";
  bool json = false, ordered = false;

  void add_to(CLI::App& command) {
    where.add_to(command);
    command.add_option("--priority", options.priority, "higher runs first");
    command.add_option("--timeout", timeout_s, "seconds from submission to completion")->check(CLI::NonNegativeNumber);
    command.add_option("--run-limit", run_limit_s, "seconds that one run may take")->check(CLI::NonNegativeNumber);
    command.add_option("--max-attempts", options.max_attempts, "attempts that lost engines may cost; 1: at most once")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    command.add_option("--retries", options.retries, "further runs after the function failed")->check(CLI::Range(0, 1000));
    command.add_option("--retry-delay", retry_delay_s, "seconds before the first retry; doubles with each")->check(CLI::NonNegativeNumber);
    command.add_option("--label", options.labels, "name=value that the engine must have; may be repeated");
    command.add_option("--engine", engines, "id of an engine that may run it; may be repeated");
    command.add_option("--after", after, "id of a task that has to succeed first; may be repeated");
    command.add_option("--key", options.idempotency_key, "idempotency key: a task with the same key runs once");
    command.add_option("--scheme", scheme, "controller or direct")->capture_default_str()->check(CLI::IsMember({"controller", "direct"}));
    command.add_flag("--json", json, "one line of JSON for each result");
  }

  client::LoadBalancedView view(client::Client& client) {
    using Milliseconds = std::chrono::milliseconds;
    options.timeout = Milliseconds(static_cast<std::int64_t>(timeout_s * 1000));
    options.run_limit = Milliseconds(static_cast<std::int64_t>(run_limit_s * 1000));
    options.retry_delay = Milliseconds(static_cast<std::int64_t>(retry_delay_s * 1000));
    for (const auto& id : engines) {
      const auto number = wire::parse_hex64(id);
      if (!number) throw std::runtime_error(fmt::format("'{}' is not an engine's id; `covey status` lists them", id));
      options.targets.push_back(static_cast<wire::Incarnation>(*number));
    }
    for (const auto& id : after) {
      const auto task = wire::parse_task_id(id);
      if (!task) throw std::runtime_error(fmt::format("'{}' is not a task's id, such as 00c0ffee00c0ffee-17", id));
      options.after.tasks.push_back({*task});
    }
    auto view = client.load_balanced(scheme == "direct" ? client::Scheme::direct : client::Scheme::controller);
    view.options = options;
    return view;
  }
};

// Words of the command line as JSON: what parses as JSON is JSON, the rest are strings.
std::string to_arguments(const std::vector<std::string>& words) {
  json::array array;
  for (const auto& word : words) {
    boost::system::error_code error;
    auto value = json::parse(word, error);
    array.push_back(error ? json::value(word) : std::move(value));
  }
  return json::serialize(array);
}

std::string text_of(const wire::Payload& payload) {
  if (payload.codec == wire::Codec::json) return payload.buffer.empty() ? "null" : std::string(payload.buffer.view());
  return json::serialize(json::value(fmt::format("<{} bytes of {}>", payload.buffer.size(), to_string(payload.codec))));
}

// Prints one result; false where the task did not end as ok.
bool print_result(const client::AsyncResult& result, std::size_t index, bool as_json) {
  const auto metadata = result.metadata(index);
  const bool ok = metadata.status == wire::TaskStatus::ok;
  if (as_json) {
    const auto head = fmt::format(R"({{"index":{},"task":"{}",)", index, wire::to_string(metadata.task));
    if (ok) {
      fmt::print("{}\"value\":{}}}\n", head, text_of(result.get_at(index)));
    } else {
      fmt::print("{}\"status\":\"{}\",\"error\":{}}}\n", head, to_string(metadata.status), json::serialize(json::value(metadata.error)));
    }
  } else if (ok) {
    fmt::print("{}\n", text_of(result.get_at(index)));
  } else {
    fmt::print(stderr, "task {} (index {}) {}: {}\n", wire::to_string(metadata.task), index, to_string(metadata.status), metadata.error);
  }
  return ok;
}

// The next one to print, of which so many have been; nullopt: not in time.
std::optional<std::size_t> next_result(const client::AsyncResult& result, std::size_t printed, bool ordered, std::chrono::nanoseconds timeout) {
  if (!ordered) return result.next(timeout);
  try {
    result.get_at(printed, timeout);
  } catch (const client::TimeoutError&) {
    return std::nullopt;
  } catch (const client::TaskError&) {
  }
  return printed;
}

// Prints results as they come, or in order; returns the exit status.
int print_results(const std::string& what, const client::AsyncResult& result, bool ordered, bool as_json) {
  std::signal(SIGINT, on_interrupt);
  Progress progress(what, result.size(), false);
  std::size_t failed = 0;
  for (std::size_t printed = 0; printed < result.size();) {
    if (interrupted != 0) {
      result.abort();
      std::fflush(stdout);
      fmt::print(stderr, "covey: interrupted; {} of {} results were printed, the rest is cancelled\n", printed, result.size());
      result.wait(std::chrono::seconds(2));
      return kInterrupted;
    }
    progress.update(result.progress(), failed);
    auto index = next_result(result, printed, ordered, std::chrono::nanoseconds(0));
    if (!index) {
      std::fflush(stdout);  // whoever reads is not to wait for what is here
      index = next_result(result, printed, ordered, kLook);
    }
    if (!index) continue;
    failed += print_result(result, *index, as_json) ? 0 : 1;
    ++printed;
  }
  std::fflush(stdout);
  return failed == 0 ? kOk : kTasksFailed;
}

void add_submit(CLI::App& app) {
  struct State {
    TaskFlags flags;
    std::string function;
    std::vector<std::string> arguments;
    std::size_t count = 1;
  };
  auto state = std::make_shared<State>();
  auto* command = app.add_subcommand("submit", "Submit a task, and print its result.");
  command->footer("Examples:\n  covey submit echo hello\n  covey submit sleep 0.5 -n 100\n  covey submit sum 1 2 3 --detach");
  command->add_option("FUNCTION", state->function, "what to run: echo, sleep, spin, fail, sum, or a plugin's")->required();
  command->add_option("ARGS", state->arguments, "its arguments: JSON, or words that become strings");
  command->add_option("-n,--count", state->count, "how many such tasks")->capture_default_str()->check(CLI::Range(1, 100'000'000));
  command->add_flag("--detach", state->flags.options.detached, "print the tasks' ids and leave; `covey results ID` fetches results");
  state->flags.add_to(*command);
  command->callback([state] {
    const auto client = connect_client(state->flags.where);
    auto view = state->flags.view(*client);
    const auto arguments = to_arguments(state->arguments);
    const auto result = view.map(state->function, std::vector<std::string>(state->count, arguments));
    if (!state->flags.options.detached) throw CLI::RuntimeError(print_results("submit", result, false, state->flags.json));
    if (!client->request(R"({"what":"status"})")) throw std::runtime_error("the controller does not answer: are the tasks there?");
    for (const auto& id : client->ids_of(result)) fmt::print("{}\n", wire::to_string(id));
    throw CLI::RuntimeError(kOk);
  });
}

std::vector<std::string> read_inputs(const std::string& range, const std::string& file) {
  std::vector<std::string> inputs;
  if (!range.empty()) {
    long long first = 0, last = 0;
    char rest = 0;
    if (std::sscanf(range.c_str(), "%lld:%lld%c", &first, &last, &rest) != 2 || last < first) {
      throw CLI::ValidationError("--range", "A:B wants two whole numbers, A not above B; got '" + range + "'");
    }
    for (long long i = first; i < last; ++i) inputs.push_back(fmt::format("[{}]", i));
    return inputs;
  }
  std::ifstream opened;
  if (file != "-") opened.open(file);
  std::istream& in = file == "-" ? std::cin : opened;
  if (!in) throw std::runtime_error(fmt::format("cannot read {}", file));
  for (std::string line; std::getline(in, line);) inputs.push_back(to_arguments({line}));
  return inputs;
}

void add_map(CLI::App& app) {
  struct State {
    TaskFlags flags;
    std::string function, range, file;
    std::size_t chunk = 1;
  };
  auto state = std::make_shared<State>();
  auto* command = app.add_subcommand("map", "Run a function on many inputs, and print the results.");
  command->footer("Examples:\n  covey map sleep --range 0:10\n  covey map echo --file lines.txt --ordered\n  seq 5 | covey map sum --file -");
  command->add_option("FUNCTION", state->function, "what to run on each input")->required();
  auto* range = command->add_option("--range", state->range, "A:B, the whole numbers from A up to B, without B");
  auto* file = command->add_option("--file", state->file, "a file with an input on each line (JSON, or text); - for standard input");
  range->excludes(file);
  command->add_option("--chunk", state->chunk, "inputs that travel as one task, for many short ones")->capture_default_str()->check(CLI::Range(1, 1'000'000));
  command->add_flag("--ordered", state->flags.ordered, "print results in the order of the inputs, not as they come");
  state->flags.add_to(*command);
  command->callback([state] {
    if (state->range.empty() && state->file.empty()) throw CLI::RequiredError("--range or --file");
    auto inputs = read_inputs(state->range, state->file);
    const auto client = connect_client(state->flags.where);
    const auto result = state->flags.view(*client).map(state->function, std::move(inputs), {.chunk = state->chunk});
    throw CLI::RuntimeError(print_results("map", result, state->flags.ordered, state->flags.json));
  });
}

json::object ask_about(client::Client& client, const std::string& what, const std::string& id) {
  const auto answer = client.request(json::serialize(json::object{{"what", what}, {"task", id}}));
  if (!answer) throw std::runtime_error("the controller does not answer");
  return json::parse(*answer).get_object();
}

void print_members(const json::object& value) {
  for (const auto& [key, member] : value) {
    fmt::print("{:>10}  {}\n", std::string_view(key.data(), key.size()), member.is_string() ? std::string(member.get_string()) : json::serialize(member));
  }
}

void write_value(const std::string& file, const wire::Payload& value) {
  std::ofstream out(file, std::ios::binary);
  out << value.buffer.view();
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

// Adds a value that is held elsewhere, or says on stderr why there is none.
void add_value(client::Client& client, json::object& answer, const std::string& id, const std::string& file) {
  if (answer.contains("value_at")) {
    const auto value = client.large_value_of(wire::parse_task_id(id).value());
    answer.erase("value_at");
    if (!file.empty()) return write_value(file, value);
    boost::system::error_code error;
    const auto text = value.buffer.view();
    if (value.codec == wire::Codec::json) answer["value"] = json::parse(json::string_view(text.data(), text.size()), error);
    if (value.codec == wire::Codec::json && !error) return;
    answer.erase("value");
    fmt::print(stderr, "covey: the value of task {} is {} bytes of {}, which are not shown: --output FILE writes them\n", id, text.size(), to_string(value.codec));
  } else if (answer.contains("value_bytes")) {
    const auto why = fmt::format("the value of task {} cannot be fetched: values up to 32 KiB stay with the controller, which hands out only JSON, and this is {}", id,
                                 std::string(answer.at("codec").as_string()));
    if (!file.empty()) throw std::runtime_error(why);
    fmt::print(stderr, "covey: {}\n", why);
  } else if (!file.empty()) {
    if (!answer.contains("value")) throw std::runtime_error(fmt::format("task {} has no value: {}", id, json::serialize(answer)));
    write_value(file, {wire::Codec::json, wire::Buffer(json::serialize(answer.at("value")))});
  }
}

void add_results(CLI::App& app) {
  struct State {
    Where where;
    std::vector<std::string> ids;
    std::string file;
    bool json = false;
  };
  auto state = std::make_shared<State>();
  auto* command = app.add_subcommand("results", "Fetch the results of detached tasks.");
  command->footer("Examples:\n  covey results 00c0ffee00c0ffee-17\n  covey results 00c0ffee00c0ffee-17 --output value.bin");
  command->add_option("TASK", state->ids, "ids of tasks")->required();
  command->add_option("-o,--output", state->file, "write the value there, as it is; for one task")->type_name("FILE");
  command->add_flag("--json", state->json, "one line of JSON for each");
  state->where.add_to(*command);
  command->callback([state] {
    if (!state->file.empty() && state->ids.size() > 1) throw CLI::ValidationError("--output", fmt::format("takes the value of one task, got {} tasks", state->ids.size()));
    const auto client = connect_client(state->where);
    int status = kOk;
    for (const auto& id : state->ids) {
      auto answer = ask_about(*client, "result", id);
      if (answer.contains("error") && !answer.contains("status")) status = kTasksFailed;
      add_value(*client, answer, id, state->file);
      if (state->json) {
        fmt::print("{}\n", json::serialize(answer));
      } else {
        print_members(answer);
      }
    }
    throw CLI::RuntimeError(status);
  });
}

// Commands that ask the controller one thing about each of some tasks.
void add_query(CLI::App& app, const std::string& name, const std::string& what, const std::string& description) {
  struct State {
    Where where;
    std::vector<std::string> ids;
    bool json = false;
  };
  auto state = std::make_shared<State>();
  auto* command = app.add_subcommand(name, description);
  command->footer("Example:\n  covey " + name + " 00c0ffee00c0ffee-17");
  command->add_option("TASK", state->ids, "ids of tasks")->required();
  command->add_flag("--json", state->json, "one line of JSON for each");
  state->where.add_to(*command);
  command->callback([state, what] {
    const auto client = connect_client(state->where);
    int status = kOk;
    for (const auto& id : state->ids) {
      const auto answer = ask_about(*client, what, id);
      if (answer.contains("error") && !answer.contains("status")) status = kTasksFailed;
      if (state->json) {
        fmt::print("{}\n", json::serialize(answer));
      } else {
        print_members(answer);
      }
    }
    throw CLI::RuntimeError(status);
  });
}

}  // namespace

void add_task_commands(CLI::App& app) {
  add_submit(app);
  add_map(app);
  add_results(app);
  add_query(app, "cancel", "cancel", "Cancel tasks.");
  add_query(app, "explain", "explain", "Say why a task waits, or what happened to it.");
}

}  // namespace covey::cli

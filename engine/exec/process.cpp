#include "engine/exec/process.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstring>
#include <utility>

#include "engine/exec/arguments.hpp"
#include "engine/exec/child.hpp"
#include "engine/exec/text.hpp"

namespace covey::engine {

namespace json = boost::json;

namespace {

constexpr std::size_t kMostTexts = 4096;   // arguments, or variables
constexpr std::size_t kLongestLine = 512;  // bytes of the last line of stderr in an error

BadArguments wrong(std::string_view name, std::string_view wanted, const json::value& got) {
  return wrong_argument("exec", 1, name, wanted, got);
}

std::string plain_text(std::string_view name, const json::value& value) {
  if (!value.is_string()) throw wrong(name, "a string", value);
  std::string text(value.get_string());
  if (text.find('\0') != std::string::npos)
    throw BadArguments(fmt::format("exec: {} must have no NUL characters", name));
  return text;
}

std::vector<std::string> argv_of(const json::value& value) {
  if (!value.is_array()) throw wrong("argv", "an array of strings", value);
  const auto& array = value.get_array();
  if (array.empty()) throw BadArguments("exec: argv must name a program, got an empty array");
  if (array.size() > kMostTexts)
    throw BadArguments(fmt::format("exec: argv may have {} strings, got {}", kMostTexts, array.size()));
  std::vector<std::string> argv;
  for (const auto& one : array) argv.push_back(plain_text("argv", one));
  if (argv[0].empty()) throw BadArguments("exec: argv must name a program, got an empty string");
  return argv;
}

std::vector<std::string> environment_of(const json::value& value) {
  if (!value.is_object()) throw wrong("env", "an object of strings", value);
  const auto& object = value.get_object();
  if (object.size() > kMostTexts)
    throw BadArguments(fmt::format("exec: env may have {} variables, got {}", kMostTexts, object.size()));
  std::vector<std::string> environment;
  for (const auto& [key, text] : object) {
    const std::string_view name(key.data(), key.size());
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string_view::npos) {
      throw BadArguments(
          fmt::format("exec: env: '{}' cannot be the name of a variable", name.substr(0, name.find('\0'))));
    }
    environment.push_back(fmt::format("{}={}", name, plain_text("env", text)));
  }
  return environment;
}

void set_field(Command& command, std::string_view key, const json::value& value) {
  if (key == "argv") {
    command.argv = argv_of(value);
  } else if (key == "env") {
    command.environment = environment_of(value);
  } else if (key == "cwd") {
    command.cwd = plain_text("cwd", value);
  } else if (key == "stdin") {
    if (!value.is_string()) throw wrong("stdin", "a string", value);
    command.stdin_text = std::string(value.get_string());
  } else {
    throw BadArguments(fmt::format("exec: knows argv, env, cwd and stdin, got '{}'", key));
  }
}

Command command_of(const wire::Payload& args) {
  const auto argument = parse_argument("exec", args);
  Command command;
  if (argument.is_array()) {
    command.argv = argv_of(argument);
  } else if (argument.is_object()) {
    for (const auto& [key, value] : argument.get_object()) set_field(command, {key.data(), key.size()}, value);
    if (command.argv.empty()) throw BadArguments("exec: argv is missing");
  } else {
    throw wrong("command", "an array of strings or an object with argv", argument);
  }
  return command;
}

// ---- the result ----

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

void put_output(json::object& result, std::string_view name, const Captured& output) {
  const std::string key(name);
  const auto kept = output.truncated ? without_cut_character(output.bytes) : std::string_view(output.bytes);
  if (is_utf8(kept)) {
    result[key] = json::string_view(kept.data(), kept.size());
  } else {
    result[key] = base64(output.bytes);
    result[key + "_encoding"] = "base64";
  }
  if (output.truncated) result[key + "_truncated"] = true;
}

json::object result_of(const ChildEnd& end) {
  json::object result;
  result["exit_code"] = end.signal == 0 ? json::value(end.exit_code) : json::value(nullptr);
  if (end.signal != 0) result["signal"] = signal_name(end.signal);
  put_output(result, "stdout", end.out);
  put_output(result, "stderr", end.err);
  return result;
}

// Empty: it ended well.
std::string error_of(const ChildEnd& end) {
  if (end.signal == 0 && end.exit_code == 0) return {};
  std::string error = end.signal != 0 ? fmt::format("killed by {}", signal_name(end.signal))
                                      : fmt::format("exit code {}", end.exit_code);
  const auto line = last_line(end.err.last.empty() ? end.err.bytes : end.err.last, kLongestLine);
  if (!line.empty()) error += ": " + line;
  return error;
}

std::string stop_error(const CallContext& context, Stopped stopped) {
  return fmt::format("{}, and was ended with {}",
                     context.over_limit() ? "it ran longer than its limit" : "cancelled while it ran",
                     stopped == Stopped::by_kill ? "SIGKILL because it ignored SIGTERM" : "SIGTERM");
}

Outcome outcome_of(const CallContext& context, ChildEnd&& end) {
  if (!end.start_error.empty()) return failure(wire::TaskStatus::failed, "exec: " + end.start_error);
  Outcome outcome = json_outcome(result_of(end));
  if (end.stopped != Stopped::no) {
    outcome.status = context.over_limit() ? wire::TaskStatus::timed_out : wire::TaskStatus::cancelled;
    outcome.error = stop_error(context, end.stopped);
  } else if (auto error = error_of(end); !error.empty()) {
    outcome.status = wire::TaskStatus::failed;
    outcome.error = std::move(error);
  }
  outcome.stdout_text = std::move(end.out.bytes);
  outcome.stderr_text = std::move(end.err.bytes);
  return outcome;
}

Outcome exec(const ExecOptions& options, CallContext& context, const wire::Payload& args) {
  if (!options.allowed) {
    return failure(wire::TaskStatus::not_allowed,
                   "exec is not allowed on this engine; start the engine with --allow-exec");
  }
  const Command command = command_of(args);
  return outcome_of(context, run_child(context, command, {options.most_output_bytes, options.kill_grace}));
}

}  // namespace

void add_exec(FunctionTable& table, ExecOptions options) {
  FunctionInfo info{"exec",
                    "runs a program, and returns its exit code and what it printed",
                    "command: array of strings, or {argv, env, cwd, stdin}",
                    {wire::Codec::json},
                    false};
  const auto body = [options](CallContext& context, const wire::Payload& args) { return exec(options, context, args); };
  table.add(std::make_unique<Builtin>(std::move(info), body));
}

}  // namespace covey::engine

// A child process from its start to its end: spawned without copying the engine, watched through a pidfd, its output
// captured within a limit. Knows nothing of JSON. One thread runs one child at a time; any number of threads may.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/exec/function.hpp"

namespace covey::engine {

struct Command {
  std::vector<std::string> argv;          // the program first; without a slash it is looked for in the engine's PATH
  std::vector<std::string> environment;   // "NAME=value", added to the engine's
  std::string cwd;                        // empty: the engine's
  std::optional<std::string> stdin_text;  // none: /dev/null
};

struct ChildLimits {
  std::size_t most_output_bytes;        // kept of each stream; the rest is read and dropped
  std::chrono::nanoseconds kill_grace;  // from SIGTERM to SIGKILL
};

// Output as far as it was kept.
struct Captured {
  std::string bytes;
  bool truncated = false;
  std::string last;  // the end of what was dropped; for the last line
};

enum class Stopped { no, by_term, by_kill };

struct ChildEnd {
  std::string start_error;  // not empty: it never ran, and nothing below means anything
  int exit_code = 0;
  int signal = 0;  // not 0: it ended by this signal, and has no exit code
  Stopped stopped = Stopped::no;
  Captured out, err;
};

// Runs it to its end, or until `context` says stop: then its process group gets SIGTERM, and SIGKILL after the grace.
// The child is the leader of a group of its own, gets only descriptors 0 to 2, and default signal handling. What it
// leaves behind in its group may still finish writing for kLinger, and is then killed.
ChildEnd run_child(CallContext& context, const Command& command, const ChildLimits& limits);

inline constexpr std::chrono::milliseconds kLinger{200};

}  // namespace covey::engine

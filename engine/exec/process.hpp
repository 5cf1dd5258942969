// The function `exec`: runs a program and returns its exit code and what it printed.
//
//   [["ls", "-l"]]   or   [{"argv": ["sort"], "env": {"LC_ALL": "C"}, "cwd": "/tmp", "stdin": "b\na\n"}]
//
// The result is {"exit_code": 0, "stdout": "a\nb\n", "stderr": ""}. An exit code other than 0 is a failure
// whose error has the last line of stderr, and the result is there all the same. After a signal, exit_code is null and
// "signal" is its name. Output that is not UTF-8 is base64, which "stdout_encoding" and "stderr_encoding" then say;
// output beyond the limit is read and dropped, which "stdout_truncated" and "stderr_truncated" then say.
//
// The program has a process group of its own. The run is over when the program is: what it leaves running in that group
// may finish writing for 200 ms and is then killed. On cancel the group gets SIGTERM, and after a grace SIGKILL. `env`
// adds to the engine's environment. A program without a slash is looked for in the engine's PATH, not in that of `env`.
#pragma once

#include <chrono>
#include <cstddef>

#include "engine/exec/function.hpp"

namespace covey::engine {

struct ExecOptions {
  bool allowed = false;                                  // otherwise every call is refused as not_allowed
  std::size_t most_output_bytes = std::size_t{1} << 20;  // kept of stdout, and of stderr
  std::chrono::milliseconds kill_grace{5000};            // from SIGTERM to SIGKILL
};

void add_exec(FunctionTable& table, ExecOptions options);

}  // namespace covey::engine

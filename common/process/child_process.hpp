// A child process that ends when we do: started from an argument list, without a shell; stopped with SIGTERM, then SIGKILL.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace covey::process {

class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> argv;          // argv[0] is searched in PATH
    std::vector<std::string> environment;   // "NAME=value", added to ours
    std::string output_file;                // stdout and stderr are appended there; empty: they are ours
    bool dies_with_us = true;
  };
  // Throws std::system_error where it cannot be started.
  explicit ChildProcess(const Options& options);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  pid_t pid() const { return pid_; }
  // Its exit status (128 + signal where one ended it), once it has ended.
  std::optional<int> poll();
  void signal(int number) const;
  // SIGTERM, and SIGKILL after `grace`; returns the status.
  int stop(std::chrono::milliseconds grace);
  // Leaves it running when this object goes.
  void release() { pid_ = -1; }

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// The full path of a program in PATH or in /usr/sbin; nullopt where there is none.
std::optional<std::string> find_program(const std::string& name);

}  // namespace covey::process

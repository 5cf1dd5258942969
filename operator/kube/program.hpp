// Runs a program to its end without blocking the loop: argument list instead of a shell, output read through pipes, and a deadline that
// kills it. One loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "operator/kube/error.hpp"

namespace covey::kube {

struct Program {
  std::vector<std::string> argv;  // argv[0] is searched in PATH unless it has a slash
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
  std::chrono::milliseconds timeout{60'000};
  std::size_t max_output = 1024 * 1024;
};

// What it wrote to its standard output. An error where it cannot be started, ends with another status than 0 (then with what it said on its
// standard error), takes too long or writes too much.
boost::asio::awaitable<Result<std::string>> run_program(boost::asio::any_io_executor executor, Program program);

}  // namespace covey::kube

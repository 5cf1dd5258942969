// What `covey run` tells a program that looks after it, such as the Kubernetes operator: how far it is, over HTTP, and at its end how it went and
// what its outputs hold. The page may be asked for on another thread; everything else is for the runner's.
#pragma once

#include <memory>
#include <string>

#include "bench/jobs/runner.hpp"

namespace covey::cli {

// GET /progress: {"step": "sums", "number": 1, "steps": 2, "total": 1000, "ok": 12, "failed": 0}; {} before the first step.
class ProgressPage {
 public:
  // `address`: HOST:PORT, port 0 for any. Throws std::runtime_error where it cannot be served.
  explicit ProgressPage(const std::string& address);
  ~ProgressPage();
  ProgressPage(const ProgressPage&) = delete;
  ProgressPage& operator=(const ProgressPage&) = delete;

  void on_begin(std::size_t number, std::size_t steps) { number_ = number, steps_ = steps; }
  void update(const jobs::StepReport& report);
  std::uint16_t port() const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
  std::size_t number_ = 0, steps_ = 0;
};

// The outputs of all steps that began, each under a line "==> FILE <==".
void print_outputs(const jobs::JobReport& report);

// A line of JSON. Throws std::runtime_error where the file cannot be written.
void write_brief(const std::string& file, const jobs::JobReport& report);

}  // namespace covey::cli

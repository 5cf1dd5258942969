// The experiments of `covey bench`, asked for over HTTP: each runs in a child process of its own, against this very cluster, and its
// rows are read as they come. One at a time, for a limited time. Lives on the API's loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/process/child_process.hpp"
#include "controller/http/options.hpp"
#include "controller/http/problem.hpp"

namespace covey::api {

// What a body asks for: the experiment and the options of `covey bench`, each known to be right.
struct BenchmarkRequest {
  std::string experiment;
  std::vector<std::string> arguments;
  std::size_t rows = 0;  // that it is going to have
};
Outcome<BenchmarkRequest> parse_benchmark(const boost::json::object& body);

class Benchmarks {
 public:
  Benchmarks(boost::asio::io_context& io, BenchmarkOptions options, const Limits& limits);
  ~Benchmarks();
  Benchmarks(const Benchmarks&) = delete;
  Benchmarks& operator=(const Benchmarks&) = delete;

  // Starts it and describes it.
  Outcome<boost::json::object> start(const BenchmarkRequest& request);
  // nullopt: there is none.
  std::optional<boost::json::object> describe(const std::string& id) const;
  boost::json::array list() const;
  // A running one is told to end, any other is forgotten. False: there is none.
  enum class Removed { no, ending, gone };
  Removed remove(const std::string& id);
  void stop();

 private:
  using Clock = std::chrono::system_clock;
  struct Run {
    std::string id, experiment;
    std::string state = "running";  // until it is completed, failed or cancelled
    Clock::time_point started = Clock::now(), ended{};
    boost::json::array rows;
    std::size_t rows_wanted = 0;
    std::string message;  // the latest line that is no row
  };
  // Why it ends before its time.
  enum class Ending : std::uint8_t { none, cancelled, too_long };

  boost::json::object describe(const Run& run, bool with_rows) const;
  void watch();
  void look();
  void tell_to_end(Ending why);
  void read_lines(bool to_the_end);
  void end(int status);

  BenchmarkOptions options_;
  const Limits& limits_;
  boost::asio::steady_timer timer_;
  std::list<Run> runs_;  // the newest first
  std::uint64_t next_ = 1;
  // The one that runs.
  Run* running_ = nullptr;
  Ending ending_ = Ending::none;
  std::chrono::steady_clock::time_point told_at_{}, deadline_{};  // when it was told to end, and when it has to
  std::unique_ptr<process::ChildProcess> child_;
  std::filesystem::path output_;
  std::size_t read_ = 0;  // bytes of the output
};

}  // namespace covey::api

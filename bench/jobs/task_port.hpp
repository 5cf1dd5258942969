// How a step's tasks get to a cluster and back. The runner knows no more of the client than this.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/jobs/work.hpp"
#include "client/client.hpp"

namespace covey::jobs {

struct Ended {
  std::uint64_t index = 0;
  wire::TaskStatus status = wire::TaskStatus::ok;
  std::string value;  // JSON on one line, where ok
  std::string error;  // UTF-8, where not
};

class TaskPort {
 public:
  virtual ~TaskPort() = default;
  virtual void submit(const Work& work) = 0;
  // What has ended since; waits for `most` where that is nothing.
  virtual std::vector<Ended> wait(std::chrono::milliseconds most) = 0;
  virtual void cancel_all() = 0;
};

// Over a client, whose thread only notes what has ended; everything else happens on the caller's. `label` goes with
// each task.
std::unique_ptr<TaskPort> make_client_port(client::Client& client, std::string label);

// A result as JSON on one line; bytes become {"codec": …, "base64": …}. False: it claims to be JSON and is none.
bool to_json(const wire::Payload& payload, std::string& json);

}  // namespace covey::jobs

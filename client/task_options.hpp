// How tasks of a view are to run; docs/protocol.md has each of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/wire/records.hpp"

namespace covey::client {

struct TaskOptions {
  std::string label;
  int priority = 0;
  std::chrono::milliseconds timeout{0}, run_limit{0}, retry_delay{0};
  std::uint32_t max_attempts = 3, retries = 0;
  std::vector<wire::Incarnation> targets;
  std::vector<std::string> labels;
  bool detached = false;  // the value waits in the controller until it is asked for; the AsyncResult has all but the value
  wire::DependencySet after, follow;
  std::string idempotency_key;
};

struct MapOptions {
  // Inputs that travel as one task. The engine runs them one after another and reports each. run_limit is of the whole chunk, and
  // where an element fails, `retries` run the whole chunk again.
  std::size_t chunk = 1;
  bool ordered = true;  // a range-for over the result goes by the order of the inputs; false: as they complete
};

class QueueFull : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace covey::client

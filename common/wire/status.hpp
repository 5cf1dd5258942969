// How a task ended. One vocabulary for engines, the controller and clients; the values are part of the protocol.
#pragma once

#include <cstdint>
#include <string_view>

namespace covey::wire {

enum class TaskStatus : std::uint8_t {
  ok = 0,
  failed = 1,              // the function reported an error
  unknown_function = 2,    // no such function on the engine; the error names those there are
  bad_arguments = 3,       // the function refused its arguments before doing anything
  timed_out = 4,           // the task's timeout, or the hard limit on its run time, passed
  cancelled = 5,           // the client asked for it
  engine_died = 6,         // max_attempts engines died while they may have been running it
  engine_lost = 7,         // scheme direct: the engine that had it went away
  payload_lost = 8,        // the holder of an input went away before the engine had read it
  payload_too_large = 9,   // over the limit of the controller, the engine or the client
  result_expired = 10,     // completed, but its result was evicted or outlived result_ttl
  outcome_unknown = 11,    // max_attempts 1 and nobody knows whether it ran
  dependency_failed = 12,  // a dependency can no longer be met
  not_allowed = 13,        // the engine refuses this kind of task (exec without --allow-exec)
  unschedulable = 14,      // no engine could ever run it (its only target is gone)
  queue_full = 15,         // the client went far beyond its window
  payload_unreachable = 16,  // between engine and controller: the holder of an input does not answer, but may come back
};
inline constexpr auto kLastTaskStatus = TaskStatus::payload_unreachable;

// The stable name used in JSON, logs and documentation: "ok", "failed", "unknown_function", …
std::string_view to_string(TaskStatus status);

}  // namespace covey::wire

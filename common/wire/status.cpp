#include "common/wire/status.hpp"

namespace covey::wire {

std::string_view to_string(TaskStatus status) {
  switch (status) {
    case TaskStatus::ok: return "ok";
    case TaskStatus::failed: return "failed";
    case TaskStatus::unknown_function: return "unknown_function";
    case TaskStatus::bad_arguments: return "bad_arguments";
    case TaskStatus::timed_out: return "timed_out";
    case TaskStatus::cancelled: return "cancelled";
    case TaskStatus::engine_died: return "engine_died";
    case TaskStatus::engine_lost: return "engine_lost";
    case TaskStatus::payload_lost: return "payload_lost";
    case TaskStatus::payload_too_large: return "payload_too_large";
    case TaskStatus::result_expired: return "result_expired";
    case TaskStatus::outcome_unknown: return "outcome_unknown";
    case TaskStatus::dependency_failed: return "dependency_failed";
    case TaskStatus::not_allowed: return "not_allowed";
    case TaskStatus::unschedulable: return "unschedulable";
    case TaskStatus::queue_full: return "queue_full";
    case TaskStatus::payload_unreachable: return "payload_unreachable";
  }
  return "unknown";
}

}  // namespace covey::wire

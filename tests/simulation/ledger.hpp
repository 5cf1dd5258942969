// What every simulated task is meant to do, how often it began, and which ends the promises allow it. Knows no process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/wire/records.hpp"

namespace covey::simulation {

// What a simulated task does is written in its arguments.
enum class Deed : char { quick = 'q', brief = 'b', slow = 's', fail = 'f', poison = 'p' };

struct Plan {
  Deed deed = Deed::quick;
  std::uint8_t value_kb = 0;   // 0: no value
  bool large_args = false;
  std::uint32_t attempts = 1;  // that its result may name
  bool once = false;           // must never begin twice
  bool at_most_one_attempt = false;
  bool direct = false, detached = false, timed = false, depends = false, bound = false;  // bound: to engines that may go
  bool fair = false;           // nothing fails while it is there: it has to run once and end as its deed says
  std::uint64_t key = 0;       // of idempotency; 0: none
  // What happened.
  bool cancelled = false;
  std::uint32_t runs = 0;
};

// A task's arguments: its deed, the size of its value in kilobytes, and filler.
std::string args_of(const Plan& plan, std::size_t size);

// Each check returns what is wrong, and nothing where all is well.
class Ledger {
 public:
  void add(const wire::TaskId& task, const Plan& plan) { plans_.insert_or_assign(task, plan); }
  Plan* find(const wire::TaskId& task);

  std::string arrives(const wire::TaskId& task, std::string_view args);
  std::string begins(const wire::TaskId& task);
  // `value_bytes` and `last`: of the value that came with the result.
  std::string ends(const wire::TaskId& task, wire::TaskStatus status, std::uint32_t attempts, std::string_view value);
  // A status that the controller tells when asked.
  std::string told(const wire::TaskId& task, std::string_view status);
  std::string describe(const wire::TaskId& task);
  // Of tasks in fair weather, once all has ended.
  std::string fair_runs() const;

 private:
  bool allowed(const Plan& plan, wire::TaskStatus status) const;

  std::unordered_map<wire::TaskId, Plan> plans_;
};

}  // namespace covey::simulation

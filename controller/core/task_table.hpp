// The controller's tasks: a slab of small records that never move, named by index or by handle, and intrusive lists of
// them. A record must stay small: a million queued tasks may cost 300 bytes each, payload included; whatever few tasks
// have (dependencies, timers, idempotency keys) lives in side tables keyed by index.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/wire/bytes.hpp"
#include "common/wire/time.hpp"

namespace covey::controller {

using TaskIndex = std::uint32_t;
using EngineIndex = std::uint32_t;
using SessionIndex = std::uint32_t;
using SpecIndex = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xffffffff;

enum class TaskState : std::uint8_t {
  unused,    // a free record
  waiting,   // for dependencies
  delayed,   // until its next retry
  ready,     // in the ready queue
  assigned,  // with an engine
  held,      // completed; its result is a reference that the client has not yet read
};
std::string_view to_string(TaskState state);

struct Task {
  std::uint64_t sequence = 0;
  wire::Time submitted{};
  wire::SmallBytes content;
  SessionIndex session = kNone;
  SpecIndex spec = kNone;
  EngineIndex engine = kNone;  // where it is, or was last
  TaskIndex previous = kNone, next = kNone;
  std::uint32_t generation = 0;
  std::uint16_t attempts = 0;  // begun, as far as is known; bounded by max_attempts
  std::uint16_t retries = 0;   // after the function failed
  TaskState state = TaskState::unused;
  bool suspect = false;     // an engine died while it may have been running it: it runs alone now
  bool has_side = false;    // dependencies, an idempotency key: look in the side tables
};
static_assert(sizeof(Task) <= 72);

// Names a task, or a part of its life: an index that is used again gets another handle. Its highest bit is always clear.
using Handle = std::uint64_t;

class TaskTable {
 public:
  TaskIndex create();
  void destroy(TaskIndex index);

  Task& operator[](TaskIndex index) { return chunks_[index >> kChunkBits][index & kChunkMask]; }
  const Task& operator[](TaskIndex index) const { return chunks_[index >> kChunkBits][index & kChunkMask]; }

  // From now on it has another handle.
  void rename(TaskIndex index);

  Handle handle(TaskIndex index) const {
    return (static_cast<Handle>((*this)[index].generation) << 32) | index;
  }
  // kNone where the task is no more.
  TaskIndex find(Handle handle) const {
    const auto index = static_cast<TaskIndex>(handle);
    if (index >= end_) return kNone;
    const Task& task = (*this)[index];
    return task.state != TaskState::unused && task.generation == (handle >> 32) ? index : kNone;
  }
  std::size_t size() const { return size_; }
  // Indices below this are records, in use or not.
  TaskIndex end() const { return end_; }

 private:
  static constexpr unsigned kChunkBits = 12;
  static constexpr TaskIndex kChunkMask = (1u << kChunkBits) - 1;
  std::vector<std::unique_ptr<Task[]>> chunks_;
  TaskIndex end_ = 0;       // records ever made
  TaskIndex free_ = kNone;  // a list through `next`
  std::size_t size_ = 0;
};

// A first-in, first-out list through the records themselves. A task is in at most one list.
class TaskList {
 public:
  bool empty() const { return first_ == kNone; }
  std::size_t size() const { return size_; }
  TaskIndex front() const { return first_; }
  TaskIndex back() const { return last_; }
  void push_back(TaskTable& tasks, TaskIndex index);
  void push_front(TaskTable& tasks, TaskIndex index);
  void remove(TaskTable& tasks, TaskIndex index);

 private:
  TaskIndex first_ = kNone, last_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace covey::controller

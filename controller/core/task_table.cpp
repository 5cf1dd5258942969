#include "controller/core/task_table.hpp"

#include <cassert>

namespace covey::controller {

namespace {
std::uint32_t after(std::uint32_t generation) { return (generation + 1) & 0x7fffffff; }
}  // namespace

std::string_view to_string(TaskState state) {
  switch (state) {
    case TaskState::unused: return "unused";
    case TaskState::waiting: return "waiting";
    case TaskState::delayed: return "delayed";
    case TaskState::ready: return "ready";
    case TaskState::assigned: return "assigned";
    case TaskState::held: return "held";
  }
  return "unknown";
}

TaskIndex TaskTable::create() {
  TaskIndex index = free_;
  if (index != kNone) {
    free_ = (*this)[index].next;
  } else {
    index = end_++;
    if ((index >> kChunkBits) == chunks_.size()) chunks_.push_back(std::make_unique<Task[]>(kChunkMask + 1));
  }
  Task& task = (*this)[index];
  const std::uint32_t generation = after(task.generation);
  task = Task{};
  task.generation = generation;
  task.state = TaskState::waiting;
  ++size_;
  return index;
}

void TaskTable::rename(TaskIndex index) { (*this)[index].generation = after((*this)[index].generation); }

void TaskTable::destroy(TaskIndex index) {
  Task& task = (*this)[index];
  assert(task.state != TaskState::unused);
  task.state = TaskState::unused;
  task.content = wire::SmallBytes();
  task.next = free_;
  free_ = index;
  --size_;
}

void TaskList::push_back(TaskTable& tasks, TaskIndex index) {
  tasks[index].previous = last_;
  tasks[index].next = kNone;
  (last_ == kNone ? first_ : tasks[last_].next) = index;
  last_ = index;
  ++size_;
}

void TaskList::push_front(TaskTable& tasks, TaskIndex index) {
  tasks[index].previous = kNone;
  tasks[index].next = first_;
  (first_ == kNone ? last_ : tasks[first_].previous) = index;
  first_ = index;
  ++size_;
}

void TaskList::remove(TaskTable& tasks, TaskIndex index) {
  Task& task = tasks[index];
  (task.previous == kNone ? first_ : tasks[task.previous].next) = task.next;
  (task.next == kNone ? last_ : tasks[task.next].previous) = task.previous;
  task.previous = task.next = kNone;
  --size_;
}

}  // namespace covey::controller

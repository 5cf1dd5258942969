#include "controller/core/ready_queue.hpp"

namespace covey::controller {

void ReadyQueue::push_back(TaskTable& tasks, TaskIndex index, std::int32_t priority, const Demand& demand) {
  lanes_[{-std::int64_t{priority}, demand}].push_back(tasks, index);
  ++size_;
}

void ReadyQueue::push_front(TaskTable& tasks, TaskIndex index, std::int32_t priority, const Demand& demand) {
  lanes_[{-std::int64_t{priority}, demand}].push_front(tasks, index);
  ++size_;
}

void ReadyQueue::remove(TaskTable& tasks, TaskIndex index, std::int32_t priority, const Demand& demand) {
  const auto lane = lanes_.find({-std::int64_t{priority}, demand});
  lane->second.remove(tasks, index);
  if (lane->second.empty()) lanes_.erase(lane);
  --size_;
}

}  // namespace covey::controller

// What became of the latest completed tasks: a bounded ring that counts what it dropped. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/wire/ids.hpp"
#include "common/wire/status.hpp"
#include "common/wire/time.hpp"

namespace covey::controller {

class History {
 public:
  struct Entry {
    wire::TaskId task;
    wire::Incarnation engine = wire::Incarnation::none;
    wire::Time submitted{}, completed{};
    std::uint32_t attempts = 0;
    wire::TaskStatus status = wire::TaskStatus::ok;
  };
  explicit History(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}

  void push(const Entry& entry) {
    if (ring_.size() < capacity_) {
      ring_.push_back(entry);
    } else {
      ring_[total_ % capacity_] = entry;
    }
    ++total_;
  }
  // The latest entry of a task; null where it never completed or was dropped.
  const Entry* find(const wire::TaskId& task) const {
    for (std::uint64_t i = total_; i-- > total_ - ring_.size();) {
      if (ring_[i % capacity_].task == task) return &ring_[i % capacity_];
    }
    return nullptr;
  }
  std::uint64_t dropped() const { return total_ - ring_.size(); }

 private:
  std::size_t capacity_;
  std::vector<Entry> ring_;
  std::uint64_t total_ = 0;
};

}  // namespace covey::controller

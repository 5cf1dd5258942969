// What became of the latest completed tasks: a bounded ring that counts what it dropped, and finds a task without
// walking. Pure.
#pragma once

#include <bit>
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
    std::uint32_t function = 0;   // among SpecTable::functions()
    std::string label;
    std::uint64_t previous = 0;   // the number, from 1, of the one before it in its bucket; set by push()
  };
  explicit History(std::size_t capacity)
      : capacity_(capacity == 0 ? 1 : capacity), buckets_(std::bit_ceil(2 * capacity_)) {}

  void push(const Entry& entry) {
    if (ring_.size() < capacity_) {
      ring_.push_back(entry);
    } else {
      ring_[total_ % capacity_] = entry;
    }
    std::uint64_t& bucket = bucket_of(entry.task);
    ring_[total_ % capacity_].previous = bucket;
    bucket = ++total_;
  }
  // The latest entry of a task; null where it never completed or was dropped. A bucket's chain leads from newer entries to
  // older ones, so it ends at the first that has been overwritten.
  const Entry* find(const wire::TaskId& task) const {
    for (std::uint64_t number = bucket_of(task); number > dropped();) {
      const Entry& entry = ring_[(number - 1) % capacity_];
      if (entry.task == task) return &entry;
      number = entry.previous;
    }
    return nullptr;
  }
  // Entries are numbered from 1; those from dropped() + 1 to total() are here.
  const Entry& at(std::uint64_t number) const { return ring_[(number - 1) % capacity_]; }
  std::uint64_t total() const { return total_; }
  std::uint64_t dropped() const { return total_ - ring_.size(); }

 private:
  std::uint64_t& bucket_of(const wire::TaskId& task) { return buckets_[std::hash<wire::TaskId>{}(task) & (buckets_.size() - 1)]; }
  const std::uint64_t& bucket_of(const wire::TaskId& task) const {
    return buckets_[std::hash<wire::TaskId>{}(task) & (buckets_.size() - 1)];
  }

  std::size_t capacity_;
  std::vector<Entry> ring_;
  std::vector<std::uint64_t> buckets_;  // the latest entry's number; 0: none yet
  std::uint64_t total_ = 0;
};

}  // namespace covey::controller

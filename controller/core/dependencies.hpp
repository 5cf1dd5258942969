// What few tasks have: dependencies on other tasks, and idempotency keys. Pure tables; the broker asks them.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/wire/records.hpp"
#include "common/wire/time.hpp"
#include "controller/core/task_table.hpp"

namespace covey::controller {

// How far one dependency set of one task has come.
class DependencyProgress {
 public:
  enum class Verdict : std::uint8_t { waiting, met, impossible };

  DependencyProgress() = default;
  explicit DependencyProgress(const wire::DependencySet& set)
      : all_(set.all), success_(set.success), failure_(set.failure), left_(set.tasks.size()), total_(set.tasks.size()) {}

  // One of its tasks has ended.
  void on_ended(bool success) {
    --left_;
    ++(success ? (success_ ? met_ : missed_) : (failure_ ? met_ : missed_));
  }
  Verdict verdict() const;
  std::size_t waiting_for() const { return left_; }

 private:
  bool all_ = true, success_ = true, failure_ = false;
  std::size_t left_ = 0, total_ = 0, met_ = 0, missed_ = 0;
};

// The rarely used part of a task.
struct SideTask {
  wire::SubmitExtras extras;
  DependencyProgress after, follow;
  wire::Incarnation follow_engine = wire::Incarnation::none;  // where the last of `follow` ran
  bool outcome_pending = false;       // max_attempts 1, submitted again: an engine may still report it
  bool awaits_twin = false;           // its idempotency key is that of an unfinished task, whose outcome it shares
};

// Idempotency keys: the first task with a key is the one that runs; later ones share its outcome. Bounded in number and
// time; the oldest go first.
class IdempotencyTable {
 public:
  struct Entry {
    std::string key;
    wire::TaskId first;
    bool done = false;
    std::string report;  // once done
    std::uint32_t attempts = 0;
    wire::Incarnation engine = wire::Incarnation::none;
    wire::Time since{};
    std::vector<Handle> twins;  // waiting for the first
  };

  Entry* find(const std::string& key);
  void add(const std::string& key, const wire::TaskId& first, wire::Time now, std::size_t limit);
  void expire(wire::Time before);
  std::size_t size() const { return by_key_.size(); }

 private:
  std::list<Entry> order_;
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace covey::controller

#include "controller/core/dependencies.hpp"

namespace covey::controller {

DependencyProgress::Verdict DependencyProgress::verdict() const {
  if (total_ == 0) return Verdict::met;
  if (all_) {
    if (missed_ > 0) return Verdict::impossible;
    return met_ == total_ ? Verdict::met : Verdict::waiting;
  }
  if (met_ > 0) return Verdict::met;
  return missed_ == total_ ? Verdict::impossible : Verdict::waiting;
}

IdempotencyTable::Entry* IdempotencyTable::find(const std::string& key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &*found->second;
}

void IdempotencyTable::add(const std::string& key, const wire::TaskId& first, wire::Time now, std::size_t limit) {
  while (by_key_.size() >= limit && !order_.empty() && order_.front().twins.empty()) {
    by_key_.erase(order_.front().key);
    order_.pop_front();
  }
  order_.push_back(Entry{key, first, false, {}, 0, wire::Incarnation::none, now, {}});
  by_key_[key] = std::prev(order_.end());
}

// An entry whose task has not finished stays: its twins wait for it.
void IdempotencyTable::expire(wire::Time before) {
  while (!order_.empty() && order_.front().since < before && order_.front().done) {
    by_key_.erase(order_.front().key);
    order_.pop_front();
  }
}

}  // namespace covey::controller

#include "operator/reconcile/work_queue.hpp"

#include <algorithm>

namespace covey::reconcile {

void WorkQueue::add(const std::string& key) {
  if (working_.contains(key)) {
    again_.insert(key);
  } else {
    put_ready(key);
  }
}

void WorkQueue::put_ready(const std::string& key) {
  later_.erase(key);
  if (queued_.insert(key).second) ready_.push_back(key);
}

void WorkQueue::add_at(const std::string& key, Now when) {
  if (queued_.contains(key)) return;
  const auto [at, inserted] = later_.emplace(key, when);
  if (!inserted) at->second = std::min(at->second, when);
}

std::optional<std::string> WorkQueue::pop(Now now) {
  std::set<std::string> due;
  for (const auto& [key, when] : later_) {
    if (when <= now) due.insert(key);
  }
  for (const auto& key : due) {
    later_.erase(key);
    add(key);
  }
  if (ready_.empty()) return std::nullopt;
  auto key = std::move(ready_.front());
  ready_.pop_front();
  queued_.erase(key);
  working_.insert(key);
  return key;
}

void WorkQueue::done(const std::string& key) {
  working_.erase(key);
  if (again_.erase(key) > 0) put_ready(key);
}

void WorkQueue::failed(const std::string& key, Now now, Time least, Time most) {
  const auto failures = failures_[key]++;
  const auto pause = failures > 20 ? kLongestPause : std::min(kLongestPause, kFirstPause * (1 << failures));
  add_at(key, now + std::max(std::min(pause, most), least));
}

void WorkQueue::forget(const std::string& key) {
  failures_.erase(key);
  later_.erase(key);
}

std::optional<WorkQueue::Now> WorkQueue::next_at() const {
  if (!ready_.empty()) return Now::min();
  std::optional<Now> first;
  for (const auto& [key, when] : later_) first = first ? std::min(*first, when) : when;
  return first;
}

}  // namespace covey::reconcile

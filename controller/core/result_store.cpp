#include "controller/core/result_store.hpp"

#include <iterator>
#include <utility>

namespace covey::controller {

void ResultStore::push(Result result) {
  erase(result.sequence);
  bytes_ += result.bytes();
  order_.push_back(std::move(result));
  const auto last = std::prev(order_.end());
  by_sequence_[last->sequence] = last;
  if (oldest_kept_ == order_.end()) oldest_kept_ = last;
}

const ResultStore::Result* ResultStore::find(std::uint64_t sequence) const {
  const auto found = by_sequence_.find(sequence);
  return found == by_sequence_.end() ? nullptr : &*found->second;
}

void ResultStore::erase(std::uint64_t sequence) {
  const auto found = by_sequence_.find(sequence);
  if (found == by_sequence_.end()) return;
  const auto result = found->second;
  bytes_ -= result->bytes();
  if (oldest_kept_ == result) ++oldest_kept_;
  order_.erase(result);
  by_sequence_.erase(found);
}

std::size_t ResultStore::evict_oldest() {
  while (oldest_kept_ != order_.end() && oldest_kept_->report.empty()) ++oldest_kept_;
  if (oldest_kept_ == order_.end()) return 0;
  return free_report(*oldest_kept_++);
}

std::size_t ResultStore::evict(std::uint64_t sequence) {
  const auto found = by_sequence_.find(sequence);
  return found == by_sequence_.end() ? 0 : free_report(*found->second);
}

std::size_t ResultStore::free_report(Result& result) {
  const std::size_t freed = result.report.size();
  std::string().swap(result.report);
  bytes_ -= freed;
  return freed;
}

}  // namespace covey::controller

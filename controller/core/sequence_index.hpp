// From a session's task numbers to tasks. The numbers are dense, so pages of 1,024 are cheaper than a hash table: 4 bytes a
// task, and a page goes when its last task goes. Pure; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "controller/core/task_table.hpp"

namespace covey::controller {

class SequenceIndex {
 public:
  // kNone where the number is not in use.
  TaskIndex find(std::uint64_t sequence) const {
    const Page* page = find_page(sequence >> kPageBits);
    return page == nullptr ? kNone : page->tasks[sequence & kPageMask];
  }
  void insert(std::uint64_t sequence, TaskIndex task) {
    Page& page = make_page(sequence >> kPageBits);
    page.tasks[sequence & kPageMask] = task;
    ++page.used;
    ++size_;
  }
  void erase(std::uint64_t sequence) {
    Page* page = find_page(sequence >> kPageBits);
    page->tasks[sequence & kPageMask] = kNone;
    --size_;
    if (--page->used > 0) return;
    pages_.erase(sequence >> kPageBits);
    last_ = nullptr;
  }
  std::size_t size() const { return size_; }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [number, page] : pages_) {
      for (const TaskIndex task : page->tasks) {
        if (task != kNone) visit(task);
      }
    }
  }

 private:
  static constexpr unsigned kPageBits = 10;
  static constexpr std::uint64_t kPageMask = (1u << kPageBits) - 1;
  struct Page {
    Page() { tasks.fill(kNone); }
    std::array<TaskIndex, kPageMask + 1> tasks;
    std::uint32_t used = 0;
  };

  // Neighbouring numbers come one after another: the page of the last look-up nearly always fits.
  Page* find_page(std::uint64_t number) const {
    if (last_ != nullptr && last_number_ == number) return last_;
    const auto found = pages_.find(number);
    if (found == pages_.end()) return nullptr;
    last_number_ = number;
    return last_ = found->second.get();
  }
  Page& make_page(std::uint64_t number) {
    if (Page* page = find_page(number)) return *page;
    last_number_ = number;
    return *(last_ = (pages_[number] = std::make_unique<Page>()).get());
  }

  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  mutable Page* last_ = nullptr;
  mutable std::uint64_t last_number_ = 0;
  std::size_t size_ = 0;
};

}  // namespace covey::controller

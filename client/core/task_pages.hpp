// A client's unfinished tasks by number, and the outcomes of the finished ones in two bits each. Numbers are dense, so pages
// are cheaper than hash tables. Pure; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "common/wire/bytes.hpp"

namespace covey::client {

struct ClientTask {
  wire::SmallBytes content;
  std::uint64_t cookie = 0;
  std::uint64_t direct_frame = 0;  // scheme direct: the frame it travelled in
  std::uint32_t spec = 0;
  bool used = false;
  bool direct = false;
  bool has_extras = false;
  bool arriving = false;   // it has completed, and its value is on its way here
  bool cancelled = false;  // scheme direct: to be said to the engine once it has accepted
};

class TaskPages {
 public:
  ClientTask* find(std::uint64_t sequence) {
    Page* page = find_page(sequence >> kPageBits);
    if (page == nullptr) return nullptr;
    ClientTask& task = page->tasks[sequence & kPageMask];
    return task.used ? &task : nullptr;
  }
  ClientTask& insert(std::uint64_t sequence) {
    const std::uint64_t number = sequence >> kPageBits;
    Page* page = find_page(number);
    if (page == nullptr) {
      auto& slot = pages_[number];
      slot = spare_ ? std::move(spare_) : std::make_unique<Page>();
      last_number_ = number;
      last_ = page = slot.get();
    }
    ++page->used;
    ++size_;
    ClientTask& task = page->tasks[sequence & kPageMask];
    task.used = true;
    return task;
  }
  void erase(std::uint64_t sequence) {
    Page* page = find_page(sequence >> kPageBits);
    page->tasks[sequence & kPageMask] = ClientTask{};
    --size_;
    if (--page->used > 0) return;
    const auto found = pages_.find(sequence >> kPageBits);
    spare_ = std::move(found->second);
    pages_.erase(found);
    last_ = nullptr;
  }
  std::size_t size() const { return size_; }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [number, page] : pages_) {
      for (std::size_t i = 0; i < page->tasks.size(); ++i) {
        if (page->tasks[i].used) visit((number << kPageBits) | i, page->tasks[i]);
      }
    }
  }

 private:
  static constexpr unsigned kPageBits = 10;
  static constexpr std::uint64_t kPageMask = (1u << kPageBits) - 1;
  struct Page {
    std::array<ClientTask, kPageMask + 1> tasks;
    std::uint32_t used = 0;
  };
  Page* find_page(std::uint64_t number) {
    if (last_ != nullptr && last_number_ == number) return last_;
    const auto found = pages_.find(number);
    if (found == pages_.end()) return nullptr;
    last_number_ = number;
    return last_ = found->second.get();
  }

  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  std::unique_ptr<Page> spare_;
  Page* last_ = nullptr;
  std::uint64_t last_number_ = 0;
  std::size_t size_ = 0;
};

class OutcomeBits {
 public:
  enum class Outcome : std::uint8_t { unknown = 0, succeeded = 1, failed = 2 };
  void set(std::uint64_t sequence, bool success) {
    const std::size_t byte = sequence / 4;
    if (byte >= bits_.size()) bits_.resize(byte + byte / 2 + 64);
    bits_[byte] = static_cast<std::uint8_t>(bits_[byte] | ((success ? 1 : 2) << (sequence % 4 * 2)));
  }
  Outcome get(std::uint64_t sequence) const {
    const std::size_t byte = sequence / 4;
    return byte >= bits_.size() ? Outcome::unknown : static_cast<Outcome>((bits_[byte] >> (sequence % 4 * 2)) & 3);
  }

 private:
  std::vector<std::uint8_t> bits_;
};

}  // namespace covey::client

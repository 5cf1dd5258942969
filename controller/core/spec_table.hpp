// What tasks have in common, kept once: specs by index, found again by their encoded bytes, counted by the tasks and
// links that use them, and gone with the last. Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/wire/records.hpp"
#include "controller/core/task_table.hpp"

namespace covey::controller {

class SpecTable {
 public:
  struct Entry {
    wire::TaskSpec spec;
    std::string encoded;
    std::uint64_t uses = 0;
    std::uint64_t number = 0;  // never used again, unlike the index, which is what engines know it by
    std::uint32_t function = 0;  // among functions()
  };

  // Adds a use. nullopt: the bytes are not a spec.
  std::optional<SpecIndex> acquire(wire::ByteSpan encoded);
  void use(SpecIndex index) { ++entries_[index].uses; }
  void release(SpecIndex index);

  const wire::TaskSpec& operator[](SpecIndex index) const { return entries_[index].spec; }
  const Entry& entry(SpecIndex index) const { return entries_[index]; }
  std::size_t size() const { return by_bytes_.size(); }
  // The functions that were ever named. Those beyond the limit share the first place, which has no name.
  const std::vector<std::string>& functions() const { return functions_; }
  static constexpr std::size_t kMaxFunctions = 1000;

 private:
  std::uint32_t number_function(const std::string& name);

  std::vector<Entry> entries_;
  std::vector<SpecIndex> free_;
  std::unordered_map<std::string, SpecIndex> by_bytes_;
  std::uint64_t next_number_ = 1;
  std::vector<std::string> functions_{std::string()};
  std::unordered_map<std::string, std::uint32_t> function_numbers_;
};

}  // namespace covey::controller

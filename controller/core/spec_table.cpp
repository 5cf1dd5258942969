#include "controller/core/spec_table.hpp"

#include <utility>

namespace covey::controller {

std::optional<SpecIndex> SpecTable::acquire(wire::ByteSpan encoded) {
  std::string bytes(wire::as_text(encoded));
  if (const auto found = by_bytes_.find(bytes); found != by_bytes_.end()) {
    use(found->second);
    return found->second;
  }
  auto spec = wire::decode_spec(encoded);
  if (!spec) return std::nullopt;
  SpecIndex index = static_cast<SpecIndex>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  by_bytes_.emplace(bytes, index);
  const auto function = number_function(spec->function);
  entries_[index] = Entry{std::move(*spec), std::move(bytes), 1, next_number_++, function};
  return index;
}

std::uint32_t SpecTable::number_function(const std::string& name) {
  const auto known = function_numbers_.find(name);
  if (known != function_numbers_.end()) return known->second;
  if (functions_.size() > kMaxFunctions) return 0;
  functions_.push_back(name);
  return function_numbers_[name] = static_cast<std::uint32_t>(functions_.size() - 1);
}

void SpecTable::release(SpecIndex index) {
  Entry& entry = entries_[index];
  if (--entry.uses > 0) return;
  by_bytes_.erase(entry.encoded);
  entry = Entry{};
  free_.push_back(index);
}

}  // namespace covey::controller

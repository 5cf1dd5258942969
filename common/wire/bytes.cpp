#include "common/wire/bytes.hpp"

#include <algorithm>

namespace covey::wire {

void Writer::reallocate(std::size_t needed) {
  const std::size_t capacity = std::max<std::size_t>({needed, capacity_ * 2, 256});
  auto data = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

void SmallBytes::assign(ByteSpan bytes) {
  release();
  std::byte* target = storage_;
  if (bytes.size() > kInside) {
    target = new std::byte[bytes.size()];
    std::memcpy(storage_, &target, sizeof target);
  }
  if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
  size_ = static_cast<std::uint32_t>(bytes.size());
}

}  // namespace covey::wire

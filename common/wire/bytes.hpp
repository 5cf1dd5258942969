// Byte-level building blocks of the protocol: a writer that appends, a reader that cannot be driven out of bounds, and
// SmallBytes, which keeps short payloads inside a task's record. Integers are little-endian; lengths are LEB128 varints.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace covey::wire {

static_assert(std::endian::native == std::endian::little, "the codec copies integers as they lie in memory");

using ByteSpan = std::span<const std::byte>;

inline ByteSpan as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteSpan bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Appends to a buffer of its own, which it grows as needed and keeps when cleared.
class Writer {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteSpan span() const { return {data_.get(), size_}; }
  std::byte* data() { return data_.get(); }
  void clear() { size_ = 0; }

  void u8(std::uint8_t value) {
    grow(1);
    data_[size_++] = static_cast<std::byte>(value);
  }
  template <class Integer>
    requires std::is_integral_v<Integer>
  void fixed(Integer value) {
    grow(sizeof value);
    std::memcpy(data_.get() + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  void varint(std::uint64_t value) {
    grow(10);
    while (value >= 0x80) {
      data_[size_++] = static_cast<std::byte>(value | 0x80);
      value >>= 7;
    }
    data_[size_++] = static_cast<std::byte>(value);
  }
  void raw(ByteSpan bytes) {
    if (bytes.empty()) return;
    grow(bytes.size());
    std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void bytes(ByteSpan value) {
    varint(value.size());
    raw(value);
  }
  void text(std::string_view value) { bytes(as_bytes(value)); }
  // Leaves room that is filled in later (a frame's header).
  void skip(std::size_t count) {
    grow(count);
    size_ += count;
  }

 private:
  void grow(std::size_t count) {
    if (size_ + count > capacity_) reallocate(size_ + count);
  }
  void reallocate(std::size_t needed);

  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Reads in order; past the end or on a malformed length it fails once and for all and yields zeros.
class Reader {
 public:
  explicit Reader(ByteSpan bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return !failed_; }
  bool at_end() const { return next_ == end_; }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - next_); }
  void fail() {
    failed_ = true;
    next_ = end_;
  }

  std::uint8_t u8() {
    if (next_ == end_) return fail(), std::uint8_t{0};
    return static_cast<std::uint8_t>(*next_++);
  }
  template <class Integer>
  Integer fixed() {
    Integer value{};
    if (remaining() < sizeof value) return fail(), value;
    std::memcpy(&value, next_, sizeof value);
    next_ += sizeof value;
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (next_ == end_) break;
      const auto byte = static_cast<std::uint8_t>(*next_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return fail(), 0;
  }
  ByteSpan raw(std::size_t count) {
    if (remaining() < count) return fail(), ByteSpan{};
    const ByteSpan value{next_, count};
    next_ += count;
    return value;
  }
  ByteSpan bytes() { return raw(varint()); }
  std::string_view text() { return as_text(bytes()); }
  // A count of things of at least one byte each: never more than what is left, so that it bounds allocations.
  std::size_t count() {
    const auto value = varint();
    if (value > remaining()) return fail(), 0;
    return value;
  }
  const std::byte* position() const { return next_; }

 private:
  const std::byte* next_;
  const std::byte* end_;
  bool failed_ = false;
};

// Owned bytes in 16 bytes of memory: up to 12 stand inside, more on the heap. Move-only.
class SmallBytes {
 public:
  SmallBytes() = default;
  explicit SmallBytes(ByteSpan bytes) { assign(bytes); }
  SmallBytes(SmallBytes&& other) noexcept { *this = std::move(other); }
  SmallBytes& operator=(SmallBytes&& other) noexcept {
    if (this != &other) {
      release();
      std::memcpy(storage_, other.storage_, sizeof storage_);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  SmallBytes(const SmallBytes&) = delete;
  SmallBytes& operator=(const SmallBytes&) = delete;
  ~SmallBytes() { release(); }

  std::size_t size() const { return size_; }
  ByteSpan span() const { return {inside() ? storage_ : heap(), size_}; }
  // What it occupies beyond itself.
  std::size_t heap_bytes() const { return inside() ? 0 : size_; }

 private:
  static constexpr std::uint32_t kInside = 12;
  bool inside() const { return size_ <= kInside; }
  std::byte* heap() const {
    std::byte* pointer = nullptr;
    std::memcpy(&pointer, storage_, sizeof pointer);
    return pointer;
  }
  void assign(ByteSpan bytes);
  void release() {
    if (!inside()) delete[] heap();
    size_ = 0;
  }

  alignas(4) std::byte storage_[kInside] = {};
  std::uint32_t size_ = 0;
};
static_assert(sizeof(SmallBytes) == 16);

}  // namespace covey::wire

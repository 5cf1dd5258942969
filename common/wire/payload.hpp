// Payloads: what a task carries in and out. A codec tag and immutable, shared bytes.
// Knows nothing of frames or of I/O. Values are safe to share between threads, like shared_ptr.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace covey::wire {

// How the bytes of a payload are to be read. The values are part of the protocol.
enum class Codec : std::uint8_t { json = 1, bytes = 2, pickle5 = 3 };

std::string_view to_string(Codec codec);

// Immutable bytes with shared ownership; copying a Buffer never copies the bytes.
class Buffer {
 public:
  Buffer() = default;
  // Takes ownership of the bytes without copying them.
  explicit Buffer(std::string&& text);
  explicit Buffer(std::vector<std::byte>&& bytes);
  // Refers to memory kept alive by `owner`, which must not change while any Buffer shares it.
  Buffer(std::shared_ptr<const void> owner, std::span<const std::byte> bytes)
      : owner_(std::move(owner)), data_(bytes.data()), size_(bytes.size()) {}
  // Copies, and says so.
  static Buffer copy_of(std::span<const std::byte> bytes);
  static Buffer copy_of(std::string_view text);

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::byte> span() const { return {data_, size_}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
  // Whether it keeps its bytes alive; if not, somebody else does, for as long as they say.
  bool owning() const { return owner_ != nullptr || size_ == 0; }
  // A part of it, which shares the ownership of the whole.
  Buffer slice(std::size_t offset, std::size_t size) const { return Buffer(owner_, span().subspan(offset, size)); }

 private:
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

struct Payload {
  Codec codec = Codec::json;
  Buffer buffer;
};

}  // namespace covey::wire

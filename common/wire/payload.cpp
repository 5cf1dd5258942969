#include "common/wire/payload.hpp"

namespace covey::wire {

std::string_view to_string(Codec codec) {
  switch (codec) {
    case Codec::json: return "json";
    case Codec::bytes: return "bytes";
    case Codec::pickle5: return "pickle5";
  }
  return "unknown";
}

Buffer::Buffer(std::string&& text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  data_ = reinterpret_cast<const std::byte*>(owner->data());
  size_ = owner->size();
  owner_ = std::move(owner);
}

Buffer::Buffer(std::vector<std::byte>&& bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  data_ = owner->data();
  size_ = owner->size();
  owner_ = std::move(owner);
}

Buffer Buffer::copy_of(std::span<const std::byte> bytes) {
  return bytes.empty() ? Buffer() : Buffer(std::vector<std::byte>(bytes.begin(), bytes.end()));
}

Buffer Buffer::copy_of(std::string_view text) { return text.empty() ? Buffer() : Buffer(std::string(text)); }

}  // namespace covey::wire

#include "controller/http/blob_store.hpp"

#include <algorithm>
#include <utility>

namespace covey::api {

bool is_upload_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string value_id(std::string_view task) { return std::string(task) + ".value"; }

// Drops values until there is room for so much more, or none are left.
bool BlobStore::make_room(std::uint64_t bytes, std::size_t blobs) {
  const auto fits = [&] { return bytes_ + arriving_ + bytes <= limits_.blobs_bytes && blobs_.size() + blobs <= limits_.blobs; };
  while (!fits() && !values_.empty()) {
    remove(std::string(values_.front()));
    ++dropped_;
  }
  return fits();
}

bool BlobStore::Upload::grow_to(std::uint64_t bytes) {
  if (bytes <= bytes_) return true;
  const auto more = bytes - bytes_;
  if (!store_.make_room(more, 0)) return false;
  store_.arriving_ += more;
  bytes_ = bytes;
  return true;
}

BlobStore::Upload::Put BlobStore::Upload::finish(const std::string& id, std::string&& content) {
  const bool replaced = store_.blobs_.contains(id);
  if (!replaced && !store_.make_room(0, 1)) return Put::full;
  store_.remove(id);
  store_.arriving_ -= bytes_;
  bytes_ = 0;
  store_.bytes_ += content.size();
  store_.blobs_[id].content = wire::Buffer(std::move(content));
  return replaced ? Put::replaced : Put::made;
}

bool BlobStore::keep_value(const std::string& id, const wire::Buffer& value) {
  remove(id);
  // One that could never fit is not worth the others.
  if (value.size() > limits_.blobs_bytes || !make_room(value.size(), 1)) return false;
  bytes_ += value.size();
  blobs_[id] = {value, true, values_.insert(values_.end(), id)};
  return true;
}

const wire::Buffer* BlobStore::find(const std::string& id) const {
  if (const auto found = blobs_.find(id); found != blobs_.end()) return &found->second.content;
  const auto lent = lent_.find(id);
  return lent == lent_.end() ? nullptr : &lent->second;
}

bool BlobStore::remove(const std::string& id) {
  const auto found = blobs_.find(id);
  if (found == blobs_.end()) return lent_.erase(id) > 0;
  bytes_ -= found->second.content.size();
  if (found->second.value) values_.erase(found->second.place);
  blobs_.erase(found);
  return true;
}

}  // namespace covey::api

#include "controller/http/idempotency.hpp"

#include <openssl/sha.h>

#include <utility>

namespace covey::api {

IdempotencyKeys::Entry* IdempotencyKeys::find(const std::string& key, Clock::time_point now) {
  while (!order_.empty() && now - order_.front().since > kKept) remove(std::string(order_.front().key));
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &*found->second;
}

IdempotencyKeys::Entry& IdempotencyKeys::add(const std::string& key, std::string fingerprint, Clock::time_point now) {
  if (order_.size() == kMost) remove(std::string(order_.front().key));
  order_.push_back({key, std::move(fingerprint), false, 0, 0, {}, now});
  by_key_[key] = std::prev(order_.end());
  return order_.back();
}

void IdempotencyKeys::remove(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  order_.erase(found->second);
  by_key_.erase(found);
}

std::string fingerprint_of(std::string_view target, std::string_view body) {
  std::string whole(target);
  whole += '\n';
  whole += body;
  std::string digest(32, '\0');
  ::SHA256(reinterpret_cast<const unsigned char*>(whole.data()), whole.size(), reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace covey::api

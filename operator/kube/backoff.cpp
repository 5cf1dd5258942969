#include "operator/kube/backoff.hpp"

#include <algorithm>

namespace covey::kube {

Backoff::Time Backoff::after(const Error& error) {
  if (!error.retry_after) return next();
  ++failures_;
  return jittered(*error.retry_after, *error.retry_after + *error.retry_after / 10);
}

Backoff::Time Backoff::next() {
  const auto doubled = options_.first * (std::int64_t{1} << std::min(failures_, 20U));
  const auto whole = std::min<Time>(doubled, options_.most);
  ++failures_;
  return jittered(whole / 2, whole);
}

// splitmix64, so that a test knows what comes.
Backoff::Time Backoff::jittered(Time least, Time most) {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  z ^= z >> 31;
  const auto span = static_cast<std::uint64_t>((most - least).count());
  return least + Time(static_cast<std::int64_t>(span == 0 ? 0 : z % (span + 1)));
}

}  // namespace covey::kube

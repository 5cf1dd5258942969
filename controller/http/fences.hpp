// Fencing tokens: an operator that led before and does not know yet that another leads now must not tell engines what to do. With its
// requests it names the Lease that made it leader, and the Lease's count of leaders (leaseTransitions); a count below the highest that came
// before is refused. After M. Kleppmann, "How to do distributed locking", 2016. Bounded. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace covey::api {

struct FencingToken {
  std::string_view lease;
  std::uint64_t epoch = 0;
};
// "LEASE:EPOCH", such as "3f0c6d1e-5f0e-4f0d-9c7e-0a1b2c3d4e5f:7", or where there is but one Lease "7"; nullopt: it is none.
std::optional<FencingToken> read_fencing_token(std::string_view text);

class Fences {
 public:
  static constexpr std::size_t kMost = 64;  // Leases; the one that was new longest ago goes first

  // The highest epoch that came with this Lease, this one included: whoever has less leads no more.
  std::uint64_t highest(const FencingToken& token) {
    const auto found = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& each) { return each.lease == token.lease; });
    if (found != seen_.end()) return found->epoch = std::max(found->epoch, token.epoch);
    if (seen_.size() == kMost) seen_.erase(seen_.begin());
    seen_.push_back({std::string(token.lease), token.epoch});
    return token.epoch;
  }

 private:
  struct Seen {
    std::string lease;
    std::uint64_t epoch;
  };
  std::vector<Seen> seen_;
};

}  // namespace covey::api

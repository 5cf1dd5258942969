#include "operator/reconcile/autoscaler.hpp"

#include <algorithm>

namespace covey::reconcile {

Autoscaler::Decision Autoscaler::decide(const crd::Autoscaling& scaling, const Demand& demand, WallTime now) {
  const auto rounded_up = (demand.outstanding + scaling.target_backlog - 1) / scaling.target_backlog;
  const int wanted = static_cast<int>(std::min<std::int64_t>(rounded_up, 1'000'000));
  wanted_.emplace_back(now, wanted);
  while (now - wanted_.front().first > std::chrono::seconds(scaling.stabilization_s)) wanted_.pop_front();
  int desired = wanted;
  if (wanted < demand.engines) {
    int most = 0;
    for (const auto& [at, count] : wanted_) most = std::max(most, count);
    desired = std::min(demand.engines, std::max(most, demand.engines - demand.removable));
  }
  last_ = std::clamp(desired, scaling.min_replicas, scaling.max_replicas);
  return {last_, desired > scaling.max_replicas};
}

Autoscaler::Decision Autoscaler::hold(const crd::Autoscaling& scaling, int engines) const {
  return {std::clamp(last_ < 0 ? engines : last_, scaling.min_replicas, scaling.max_replicas), false};
}

}  // namespace covey::reconcile

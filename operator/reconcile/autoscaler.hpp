// How many engines there should be by what there is to do (autoscaling.mode Internal). Up at once; down only over engines that have been idle long
// enough, and not below what was wanted within the stabilisation window. Pure; time is passed in.
#pragma once

#include <deque>
#include <utility>

#include "operator/api/parallel_cluster.hpp"
#include "operator/reconcile/observed.hpp"

namespace covey::reconcile {

struct Demand {
  std::int64_t outstanding = 0;  // tasks that run or could run now
  int engines = 0;               // that are there to stay
  int removable = 0;             // of those: idle for long enough
};

class Autoscaler {
 public:
  struct Decision {
    int desired = 0;
    bool limited = false;  // more was wanted than maxReplicas
  };
  Decision decide(const crd::Autoscaling& scaling, const Demand& demand, WallTime now);
  // While the controller does not tell: what was decided last, or what is there.
  Decision hold(const crd::Autoscaling& scaling, int engines) const;

 private:
  std::deque<std::pair<WallTime, int>> wanted_;
  int last_ = -1;
};

}  // namespace covey::reconcile

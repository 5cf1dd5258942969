// Which namespaces have an operator of their own, as its Lease there says: one that looks after all namespaces leaves those alone, since two
// that act on one cluster would undo each other's work. Pure; one thread; time is passed in.
#pragma once

#include <chrono>
#include <map>
#include <string>

namespace covey::reconcile {

class Claims {
 public:
  using Now = std::chrono::steady_clock::time_point;
  // A Lease that nobody has written for that long is one of an operator that was taken away, or that restarts; by our own clock, as in elections.
  static constexpr std::chrono::seconds kPatience{30};

  // `own`: the namespace of our own Lease.
  explicit Claims(std::string own) : own_(std::move(own)) {}
  void seen(const std::string& ns, Now now) {
    if (ns != own_) seen_[ns] = now;
  }
  void gone(const std::string& ns) { seen_.erase(ns); }
  bool claimed(const std::string& ns, Now now) const {
    const auto found = seen_.find(ns);
    return found != seen_.end() && now - found->second < kPatience;
  }

 private:
  std::string own_;
  std::map<std::string, Now> seen_;
};

}  // namespace covey::reconcile

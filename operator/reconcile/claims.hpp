// Which namespaces other operators look after, as their Leases say: an operator of all namespaces leaves those alone that have one of their own, and
// all of them where another of all namespaces was there first, since two that act on one cluster would undo each other's work. Pure; one thread; time
// is passed in.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace covey::reconcile {

class Claims {
 public:
  using Now = std::chrono::steady_clock::time_point;
  // A Lease that nobody has written for that long is one of an operator that was taken away, or that restarts; by our own clock, as in elections.
  static constexpr std::chrono::seconds kPatience{30};
  static constexpr std::string_view kEverything = "*";

  struct Lease {
    std::string ns;       // where it is
    std::string scope;    // the namespace that its operator looks after, or kEverything
    std::string created;  // in RFC 3339
    bool held = true;     // false: its operator has left in good order
  };

  // `own`: the namespace of our own Lease.
  explicit Claims(std::string own) : own_(std::move(own)) {}
  void seen(Lease lease, Now now) {
    auto ns = lease.ns;
    seen_.insert_or_assign(std::move(ns), Seen{std::move(lease), now});
  }
  void gone(const std::string& ns) { seen_.erase(ns); }

  // Whether another operator looks after it.
  bool claimed(std::string_view ns, Now now) const {
    for (const auto& [at, each] : seen_) {
      if (alive(each, now) && (each.lease.scope == ns || comes_first(each.lease))) return true;
    }
    return false;
  }
  // Where the Lease of the operator is that everything is left to; empty: there is none.
  std::string_view first(Now now) const {
    for (const auto& [at, each] : seen_) {
      if (alive(each, now) && comes_first(each.lease)) return at;
    }
    return {};
  }

 private:
  struct Seen {
    Lease lease;
    Now at;
  };

  bool alive(const Seen& each, Now now) const { return each.lease.ns != own_ && each.lease.held && now - each.at < kPatience; }
  // Of two of all namespaces: the one whose Lease is older.
  bool comes_first(const Lease& other) const {
    if (other.scope != kEverything) return false;
    const auto own = seen_.find(own_);
    return own == seen_.end() || std::tie(other.created, other.ns) < std::tie(own->second.lease.created, own->second.lease.ns);
  }

  std::string own_;
  std::map<std::string, Seen> seen_;  // by namespace
};

}  // namespace covey::reconcile

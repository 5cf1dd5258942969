// Conditions as metav1 has them: what is told, since when, and about which generation. Pure; time is passed in.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <string>

#include "operator/kube/json.hpp"
#include "operator/kube/time.hpp"

namespace covey::reconcile {

namespace json = boost::json;
using kube::WallTime;

struct Said {
  bool holds = false;
  std::string reason, message;
};

// Those of one status; they keep their times for as long as they hold.
class Conditions {
 public:
  Conditions(const json::value* before, std::int64_t generation, WallTime now) : generation_(generation), now_(kube::to_rfc3339(now)) {
    if (before == nullptr) return;
    for (const auto& each : kube::array_at(*before, "conditions")) before_[std::string(kube::text_at(each, "type"))] = &each;
  }

  void add(const std::string& type, const Said& said) {
    const std::string status = said.holds ? "True" : "False";
    const auto known = before_.find(type);
    const bool same = known != before_.end() && kube::text_at(*known->second, "status") == status;
    all_.push_back(json::object{{"type", type},
                                {"status", status},
                                {"observedGeneration", generation_},
                                {"lastTransitionTime", same ? std::string(kube::text_at(*known->second, "lastTransitionTime")) : now_},
                                {"reason", said.reason},
                                {"message", kube::cut(said.message, kMostMessage)}});
  }
  static constexpr std::size_t kMostMessage = 4096;
  json::array take() { return std::move(all_); }

 private:
  std::int64_t generation_;
  std::string now_;
  std::map<std::string, const json::value*> before_;
  json::array all_;
};

}  // namespace covey::reconcile

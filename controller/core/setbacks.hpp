// The latest runs that ended with their engines, and what is known of how those ended: so that a task's record can say why it
// was begun again, or failed. A bounded ring. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/wire/ids.hpp"
#include "common/wire/time.hpp"

namespace covey::controller {

class Setbacks {
 public:
  static constexpr std::size_t kKept = 10'000, kMostWhy = 2'000;
  struct Setback {
    wire::TaskId task;
    wire::Incarnation engine = wire::Incarnation::none;
    std::string name;  // the engine's
    wire::Time at{};   // when it was found lost
  };

  void push(Setback setback) {
    if (kept_.size() == kKept) drop_oldest();
    ++of_engine_[setback.engine].runs;
    numbers_.emplace(setback.task, next_++);
    kept_.push_back(std::move(setback));
  }
  // How an engine ended, from somebody who knows: cut to kMostWhy bytes. False: it had no runs that are known here.
  bool explain(wire::Incarnation engine, std::string_view why) {
    const auto found = of_engine_.find(engine);
    if (found == of_engine_.end()) return false;
    found->second.why = why.substr(0, kMostWhy);
    return true;
  }
  std::string_view why(wire::Incarnation engine) const {
    const auto found = of_engine_.find(engine);
    return found == of_engine_.end() ? std::string_view() : std::string_view(found->second.why);
  }
  // The oldest first.
  std::vector<const Setback*> of(const wire::TaskId& task) const {
    std::vector<const Setback*> found;
    const auto [first, last] = numbers_.equal_range(task);
    for (auto at = first; at != last; ++at) found.push_back(&kept_[at->second - (next_ - kept_.size())]);
    std::sort(found.begin(), found.end(), [](const Setback* a, const Setback* b) { return a->at < b->at; });
    return found;
  }

 private:
  struct OfEngine {
    std::size_t runs = 0;  // of kept_
    std::string why;
  };

  void drop_oldest() {
    const Setback& oldest = kept_.front();
    const auto engine = of_engine_.find(oldest.engine);
    if (--engine->second.runs == 0) of_engine_.erase(engine);
    const auto [first, last] = numbers_.equal_range(oldest.task);
    const auto number = next_ - kept_.size();
    numbers_.erase(std::find_if(first, last, [&](const auto& item) { return item.second == number; }));
    kept_.pop_front();
  }

  std::deque<Setback> kept_;
  std::uint64_t next_ = 1;  // number of the next; those in kept_ are the ones just before it
  std::unordered_multimap<wire::TaskId, std::uint64_t> numbers_;
  std::unordered_map<wire::Incarnation, OfEngine> of_engine_;
};

}  // namespace covey::controller

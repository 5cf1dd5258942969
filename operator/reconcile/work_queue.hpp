// Which cluster to look at next. Each key is on one worker at most; a key that is added meanwhile runs once more; failures back off by key. Pure; one
// thread; time is passed in.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace covey::reconcile {

class WorkQueue {
 public:
  using Now = std::chrono::steady_clock::time_point;
  using Time = std::chrono::milliseconds;
  static constexpr Time kFirstPause{5}, kLongestPause{1'000'000};

  // Something has changed: as soon as possible, whatever was planned.
  void add(const std::string& key);
  // Not later than that.
  void add_at(const std::string& key, Now when);
  std::optional<std::string> pop(Now now);
  // The key that pop() gave is done with.
  void done(const std::string& key);
  // It failed: again after 5 ms, doubling to 1,000 s; at most `most`, and at least `least`.
  void failed(const std::string& key, Now now, Time least = Time(0), Time most = kLongestPause);
  void succeeded(const std::string& key) { failures_.erase(key); }
  void forget(const std::string& key);

  // When pop() may have something that it has not now; nullopt: not before an add.
  std::optional<Now> next_at() const;
  std::size_t depth() const { return ready_.size(); }

 private:
  void put_ready(const std::string& key);

  std::deque<std::string> ready_;
  std::set<std::string> queued_, working_, again_;
  std::map<std::string, Now> later_;
  std::map<std::string, unsigned> failures_;
};

}  // namespace covey::reconcile

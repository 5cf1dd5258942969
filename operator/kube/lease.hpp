// Leader election on a Lease, as a pure state machine: what was read, what was written and `now` go in; what to do next and until when this
// process may write come out. Whether another's lease has run out is judged by our own monotonic clock since its record last changed, never
// by the times in it, since clocks differ. One thread; time is passed in.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "operator/kube/backoff.hpp"
#include "operator/kube/error.hpp"
#include "operator/kube/time.hpp"

namespace covey::kube {

inline constexpr std::string_view kScopeAnnotation = "covey.dev/looks-after";

class Election {
 public:
  using Now = std::chrono::steady_clock::time_point;
  using Time = std::chrono::milliseconds;
  struct Options {
    std::string identity;          // of this process alone, also after a restart
    std::string name, ns;          // of the Lease
    std::string scope;             // what its holder looks after: a namespace, or "*" for all; an annotation tells others
    Time duration{10'000};         // others take over after that long without a renewal
    Time renew_deadline{6'000};    // we stop writing after that long without one
    Time retry{1'000};             // between looks and renewals
    Time request_timeout{2'000};   // of requests for the Lease
    std::uint64_t seed = 1;        // of the jitter
  };
  struct Step {
    enum class Do {
      read,    // GET the Lease
      create,  // POST `lease`
      write,   // PUT `lease`, with the resourceVersion that was read
      lost,    // it led and does no longer: end this process
    };
    Do what = Do::read;
    Now at{};  // not before
    boost::json::value lease{};
  };

  explicit Election(Options options);

  // What to do next. `wall` is what is written into the Lease, for people.
  Step next(Now now, WallTime wall);

  // How it went. After a read; nullptr: there is no such Lease.
  void on_read(const boost::json::value* lease, Now now);
  // After a write or a creation that began at `began`: the answer's Lease.
  void on_written(const boost::json::value& lease, Now began, Now now);
  void on_failed(const Error& error, Now now);

  bool leading(Now now) const { return now < fence_; }
  // Writes have to be over by then; long past where this process does not lead.
  Now write_fence() const { return fence_; }
  // Rises with each change of leader: whoever is told something by an older leader refuses it.
  std::int64_t epoch() const { return transitions_; }
  // The Lease and the epoch that this process led by last: "uid:epoch".
  const std::string& fencing_token() const { return token_; }
  const std::string& holder() const { return holder_; }

  // A clean exit: the Lease to PUT so that the next leader need not wait; nullopt where we do not hold it. Nothing else is written after it; where that
  // PUT meets a renewal that was under way, on_read() and once more.
  std::optional<boost::json::value> release(Now now, WallTime wall);

 private:
  void observe(const boost::json::value& lease, Now now);
  boost::json::value record(WallTime wall, const std::string& holder, Time duration) const;

  Options options_;
  Backoff jitter_;
  bool known_ = false;    // the Lease was read, and has not been found missing or changed under us since
  bool missing_ = false;
  bool led_ = false, released_ = false, may_release_ = false;
  Now next_at_{};
  Now fence_ = Now::min();
  std::string token_, version_, holder_, acquired_, renewed_;
  std::int64_t transitions_ = 0;
  Time their_duration_{0};
  Now changed_at_{};  // when we saw the record change
};

}  // namespace covey::kube

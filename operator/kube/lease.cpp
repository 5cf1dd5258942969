#include "operator/kube/lease.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"

namespace covey::kube {

namespace json = boost::json;

Election::Election(Options options) : options_(std::move(options)), jitter_(options_.seed, {options_.retry, options_.retry}) {}

Election::Step Election::next(Now now, WallTime wall) {
  if (led_ && (released_ || !leading(now))) return {Step::Do::lost, now, {}};
  if (missing_) return {Step::Do::create, next_at_, record(wall, options_.identity, options_.duration)};
  const bool ours = holder_ == options_.identity;
  const bool free = holder_.empty() || now >= changed_at_ + their_duration_;
  // Without having seen the latest record we look before we write.
  if (known_ && (ours || free)) return {Step::Do::write, next_at_, record(wall, options_.identity, options_.duration)};
  return {Step::Do::read, next_at_, {}};
}

void Election::on_read(const json::value* lease, Now now) {
  missing_ = lease == nullptr;
  known_ = !missing_;
  next_at_ = now;
  if (lease == nullptr) return;
  observe(*lease, now);
  const bool others = !holder_.empty() && holder_ != options_.identity;
  if (!others) return;
  fence_ = Now::min();  // whoever took it does not wait for us
  // Look again before long, also so as to notice the very moment at which it has run out.
  next_at_ = now + jitter_.next();
  known_ = now >= changed_at_ + their_duration_;
}

void Election::on_written(const json::value& lease, Now began, Now now) {
  observe(lease, now);
  known_ = true;
  missing_ = false;
  if (holder_ != options_.identity || released_) return;
  led_ = true;
  token_ = fmt::format("{}:{}", uid_of(lease), transitions_);
  // From when the request left: the server wrote it at that time or later, so that others wait at least `duration` from then.
  fence_ = began + options_.renew_deadline;
  next_at_ = began + options_.retry;
  if (next_at_ < now) next_at_ = now;
}

void Election::on_failed(const Error& error, Now now) {
  // Whatever it was, the record may be another by now, or this write may have happened: look first.
  known_ = missing_ = false;
  next_at_ = now + (error.retry_after ? jitter_.after(error) : jitter_.next());
  // While leading it never waits past the point where it could still renew.
  if (leading(now) && next_at_ > now + options_.retry) next_at_ = now + options_.retry;
}

void Election::observe(const json::value& lease, Now now) {
  const std::string version(version_of(lease));
  const std::string holder(text_at(lease, "spec.holderIdentity")), renewed(text_at(lease, "spec.renewTime"));
  const bool changed = version != version_ || holder != holder_ || renewed != renewed_;
  version_ = version;
  holder_ = holder;
  renewed_ = renewed;
  acquired_ = std::string(text_at(lease, "spec.acquireTime"));
  transitions_ = integer_at(lease, "spec.leaseTransitions").value_or(0);
  their_duration_ = std::chrono::seconds(integer_at(lease, "spec.leaseDurationSeconds").value_or(0));
  if (changed) changed_at_ = now;
}

json::value Election::record(WallTime wall, const std::string& holder, Time duration) const {
  const bool ours = holder_ == options_.identity;
  const auto now = to_rfc3339_micro(wall);
  json::object metadata{{"name", options_.name}, {"namespace", options_.ns}, {"annotations", {{kScopeAnnotation, options_.scope}}}};
  if (!missing_) metadata["resourceVersion"] = version_;
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", std::move(metadata)},
          {"spec",
           {{"holderIdentity", holder},
            {"leaseDurationSeconds", std::chrono::duration_cast<std::chrono::seconds>(duration).count()},
            {"acquireTime", ours && !missing_ && !acquired_.empty() ? acquired_ : now},
            {"renewTime", now},
            // Also where somebody has deleted the Lease: an epoch does not come again while anybody remembers it.
            {"leaseTransitions", ours && !missing_ ? transitions_ : transitions_ + 1}}}};
}

std::optional<json::value> Election::release(Now now, WallTime wall) {
  if (!released_) may_release_ = led_ && leading(now);
  released_ = true;
  fence_ = Now::min();
  if (!may_release_ || !known_ || holder_ != options_.identity) return std::nullopt;
  return record(wall, "", std::chrono::seconds(1));
}

}  // namespace covey::kube

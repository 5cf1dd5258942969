#include "common/bus/local_wire.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "common/wire/bytes.hpp"

namespace covey::bus {

bool Mailbox::put(std::string_view subject, std::span<const std::byte> data) {
  const std::lock_guard lock(mutex_);
  if (written_.bytes.size() + subject.size() + data.size() > limit_bytes_) {
    ++lost_;
    return false;
  }
  const auto name = wire::as_bytes(subject);
  written_.bytes.insert(written_.bytes.end(), name.begin(), name.end());
  written_.bytes.insert(written_.bytes.end(), data.begin(), data.end());
  written_.sizes.emplace_back(static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(data.size()));
  if (!std::exchange(posted_, true)) {
    boost::asio::post(reader_, [self = shared_from_this()] { self->deliver(); });
  }
  return true;
}

void Mailbox::read(Handler handler, std::function<void()> drained) {
  handler_ = std::move(handler);
  drained_ = std::move(drained);
  deliver();
}

void Mailbox::stop() {
  handler_ = nullptr;
  drained_ = nullptr;
}

std::uint64_t Mailbox::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

// Before anybody reads, letters stay where they are.
void Mailbox::deliver() {
  if (!handler_) return;
  {
    const std::lock_guard lock(mutex_);
    std::swap(reading_, written_);
    posted_ = false;
  }
  std::span<const std::byte> rest(reading_.bytes);
  for (const auto& [name, data] : reading_.sizes) {
    if (!handler_) break;
    handler_(wire::as_text(rest.first(name)), rest.subspan(name, data));
    rest = rest.subspan(name + data);
  }
  if (!reading_.sizes.empty() && drained_) drained_();
  reading_.bytes.clear();
  reading_.sizes.clear();
}

// ---- the client's end ----

LocalConnection::LocalConnection(boost::asio::io_context& io, std::shared_ptr<LocalWire> wire)
    : io_(io), wire_(std::move(wire)) {
  wire_->to_client->read([this](std::string_view subject, std::span<const std::byte> data) { on_letter(subject, data); },
                         [this] {
                           if (drained_) drained_();
                         });
}

void LocalConnection::close() {
  wire_->to_client->stop();
  *open_ = false;
  state_ = State::closed;
}

void LocalConnection::on_letter(std::string_view subject, std::span<const std::byte> data) {
  if (subject.empty()) {
    const State now = !data.empty() && data[0] == std::byte{1} ? State::connected : State::disconnected;
    if (std::exchange(state_, now) != now && state_changed_) state_changed_(now);
    return;
  }
  Message message(subject, {}, data);
  for (std::size_t i = 0; i < subscriptions_.size(); ++i) {
    if (covers(subscriptions_[i].pattern, subject)) subscriptions_[i].handler(message);
  }
}

SubscriptionId LocalConnection::subscribe(std::string subject, Handler handler, std::string) {
  const SubscriptionId id{++last_subscription_};
  subscriptions_.push_back({id, std::move(subject), std::move(handler)});
  return id;
}

void LocalConnection::unsubscribe(SubscriptionId id) {
  std::erase_if(subscriptions_, [id](const auto& subscription) { return subscription.id == id; });
}

// Whatever has been put has posted its delivery.
void LocalConnection::drain(SubscriptionId id, std::function<void()> done) {
  boost::asio::post(io_, [this, id, done = std::move(done), open = open_] {
    if (!*open) return;
    unsubscribe(id);
    done();
  });
}

Errc LocalConnection::publish(std::string_view subject, std::span<const std::byte> data, std::string_view) {
  if (state_ == State::closed) return Errc::closed;
  return wire_->to_controller->put(subject, data) ? Errc::ok : Errc::backlog;
}

void LocalConnection::flush(std::function<void(Errc)> done) {
  boost::asio::post(io_, [done = std::move(done)] { done(Errc::ok); });
}

bool covers(std::string_view pattern, std::string_view subject) {
  while (!pattern.empty() && !subject.empty()) {
    const auto wanted = pattern.substr(0, pattern.find('.'));
    const auto token = subject.substr(0, subject.find('.'));
    if (wanted == ">") return true;
    if (wanted != "*" && wanted != token) return false;
    const bool pattern_ends = wanted.size() == pattern.size(), subject_ends = token.size() == subject.size();
    if (pattern_ends || subject_ends) return pattern_ends && subject_ends;
    pattern.remove_prefix(wanted.size() + 1);
    subject.remove_prefix(token.size() + 1);
  }
  return pattern.empty() && subject.empty();
}

}  // namespace covey::bus

#include "common/bus/loop_connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <stdexcept>

#include "common/bus/nats_options.hpp"

namespace covey::bus {

namespace asio = boost::asio;

namespace {

// The bytes of a PUB line around its subject, reply and data, at most.
constexpr std::size_t kPublishOverhead = 32;

// How long nats.c waits for the server's word that nothing more comes, and how often we ask nats.c for it: it tells nobody.
constexpr int kDrainTimeoutMs = 10'000;
constexpr std::chrono::milliseconds kDrainPause{1};

}  // namespace

bool is_publishable(std::string_view subject) {
  return !subject.empty() && std::none_of(subject.begin(), subject.end(),
                                          [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

void require_subscribable(std::string_view subject) {
  const auto malformed = [&] { return std::invalid_argument("not a NATS subject: '" + std::string(subject) + "'"); };
  if (!is_publishable(subject)) throw malformed();
  for (std::string_view rest = subject;;) {
    const auto dot = rest.find('.');
    const auto token = rest.substr(0, dot);
    const bool wild = token.find_first_of("*>") != std::string_view::npos;
    if (token.empty() || (wild && token.size() > 1)) throw malformed();
    if (dot == std::string_view::npos) return;
    if (token == ">") throw malformed();
    rest.remove_prefix(dot + 1);
  }
}

boost::system::result<std::unique_ptr<LoopConnection>> LoopConnection::connect(asio::io_context& io,
                                                                               const ConnectOptions& options,
                                                                               const std::string& server_version) {
  auto link = NatsLink::open(io, options);
  if (!link) return link.error();
  std::unique_ptr<LoopConnection> made(new LoopConnection(io, options, server_version));
  made->begin(std::move(*link));
  return made;
}

void LoopConnection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  drained_ = nullptr;
  state_changed_ = nullptr;
  complained_ = nullptr;
  if (link_) link_->adapter().write_now();
  finish_flushes(Errc::closed);
  for (auto& subscription : subscriptions_) retire(*subscription);
  subscriptions_.clear();
  reconnector_.reset();
  link_.reset();
}

// ---- subscriptions ----

SubscriptionId LoopConnection::subscribe(std::string subject, Handler handler, std::string queue_group) {
  require_subscribable(subject);
  if (!queue_group.empty()) require_subscribable(queue_group);
  const SubscriptionId id{++last_subscription_};
  subscriptions_.push_back(
      std::make_unique<Subscription>(Subscription{id, std::move(subject), std::move(queue_group), std::move(handler)}));
  if (usable()) make(*subscriptions_.back());
  return id;
}

void LoopConnection::make(Subscription& subscription) {
  const char* subject = subscription.subject.c_str();
  if (subscription.queue_group.empty()) {
    natsConnection_SubscribeSync(&subscription.handle, link_->connection(), subject);
  } else {
    natsConnection_QueueSubscribeSync(&subscription.handle, link_->connection(), subject,
                                      subscription.queue_group.c_str());
  }
}

LoopConnection::Subscription* LoopConnection::find(SubscriptionId id) {
  const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                  [id](const auto& subscription) { return subscription->id == id; });
  return found == subscriptions_.end() ? nullptr : found->get();
}

void LoopConnection::unsubscribe(SubscriptionId id) {
  Subscription* subscription = find(id);
  if (subscription == nullptr) return;
  subscription->cancelled = true;
  any_cancelled_ = true;
  if (!handing_over_) sweep();
}

void LoopConnection::sweep() {
  if (!std::exchange(any_cancelled_, false)) return;
  std::erase_if(subscriptions_, [this](const auto& subscription) {
    if (subscription->cancelled) retire(*subscription);
    return subscription->cancelled;
  });
}

void LoopConnection::drain(SubscriptionId id, std::function<void()> done) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->cancelled || subscription->drained) return;
  subscription->drained = std::move(done);
  if (usable() && natsSubscription_DrainTimeout(subscription->handle, kDrainTimeoutMs) == NATS_OK) return watch_drains();
  asio::post(io_, [this, id, alive = alive_] {
    if (*alive) end_drain(id);
  });
}

void LoopConnection::watch_drains() {
  drain_timer_.expires_after(kDrainPause);
  drain_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!error && *alive) look_at_drains();
  });
}

void LoopConnection::look_at_drains() {
  std::vector<SubscriptionId> over;
  bool any = false;
  for (const auto& subscription : subscriptions_) {
    if (!subscription->drained || subscription->cancelled) continue;
    const bool waits = natsSubscription_DrainCompletionStatus(subscription->handle) == NATS_ILLEGAL_STATE;
    waits ? static_cast<void>(any = true) : over.push_back(subscription->id);
  }
  if (any) watch_drains();
  for (const SubscriptionId id : over) end_drain(id);
}

void LoopConnection::end_drain(SubscriptionId id) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || !subscription->drained) return;
  const auto done = std::exchange(subscription->drained, nullptr);
  unsubscribe(id);
  done();
}

void LoopConnection::retire(Subscription& subscription) {
  note_dropped(subscription);
  dropped_before_ += std::exchange(subscription.dropped, 0);
  natsSubscription_Destroy(std::exchange(subscription.handle, nullptr));
}

// nats.c does not tell any more once the connection has ended.
void LoopConnection::note_dropped(Subscription& subscription) {
  std::int64_t dropped = 0;
  if (subscription.handle != nullptr && natsSubscription_GetDropped(subscription.handle, &dropped) == NATS_OK) {
    subscription.dropped = static_cast<std::uint64_t>(dropped);
  }
}

void LoopConnection::on_readable() {
  bool any = false;
  handing_over_ = true;
  for (std::size_t i = 0; i < subscriptions_.size(); ++i) any |= hand_over(*subscriptions_[i]);
  handing_over_ = false;
  sweep();
  if (any && drained_) drained_();
}

// Asks first how many messages there are: NextMsg on an empty subscription formats an error text each time.
bool LoopConnection::hand_over(Subscription& subscription) {
  int waiting = 0;
  if (subscription.handle == nullptr || subscription.cancelled) return false;
  if (natsSubscription_GetPending(subscription.handle, &waiting, nullptr) != NATS_OK || waiting == 0) return false;
  while (waiting > 0 && !subscription.cancelled) {
    natsMsg* raw = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&raw, subscription.handle, 0);
    if (status == NATS_SLOW_CONSUMER) {  // said once, and the messages are still there
      note_dropped(subscription);
      continue;
    }
    --waiting;
    if (status == NATS_OK) {
      Message message = Message::own(raw);
      subscription.handler(message);
    } else if (status == NATS_NO_RESPONDERS) {  // nats.c has thrown the message away already
      Message message(subscription.subject, {}, {}, true);
      subscription.handler(message);
    } else {
      break;
    }
  }
  return true;
}

// ---- publishing ----

Errc LoopConnection::publish(std::string_view subject, std::span<const std::byte> data, std::string_view reply) {
  if (!usable()) return unusable();
  if (data.size() > max_payload_) return Errc::too_large;
  if (!is_publishable(subject) || (!reply.empty() && !is_publishable(reply))) return Errc::invalid;
  const std::size_t size = subject.size() + reply.size() + data.size() + kPublishOverhead;
  if (appended_ + size > kMaxBuffered) appended_ = buffered();
  if (appended_ + size > kMaxBuffered) return Errc::backlog;
  appended_ += size;
  subject_ = subject;
  const int length = static_cast<int>(data.size());
  if (reply.empty())
    return from_status(natsConnection_Publish(link_->connection(), subject_.c_str(), data.data(), length));
  reply_ = reply;
  return from_status(
      natsConnection_PublishRequest(link_->connection(), subject_.c_str(), reply_.c_str(), data.data(), length));
}

void LoopConnection::flush(std::function<void(Errc)> done) {
  const bool now = !usable() || !link_->adapter().has_unwritten();
  if (!now) {
    flushes_.push_back(std::move(done));
    return;
  }
  const Errc outcome = usable() ? Errc::ok : unusable();
  asio::post(io_, [done = std::move(done), outcome] { done(outcome); });
}

void LoopConnection::finish_flushes(Errc outcome) {
  const auto finished = std::exchange(flushes_, {});
  for (const auto& done : finished) done(outcome);
}

std::size_t LoopConnection::buffered() const {
  if (!usable() || !link_->adapter().has_unwritten()) return 0;
  const int bytes = natsConnection_Buffered(link_->connection());
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void LoopConnection::on_written() {
  appended_ = 0;
  if (!flushes_.empty()) finish_flushes(Errc::ok);
}

// ---- comings and goings ----

void LoopConnection::begin(std::unique_ptr<NatsLink> link) {
  link_ = std::move(link);
  if (!link_->adapter().adopt(link_->connection(), *this)) return on_lost();
  max_payload_ = static_cast<std::size_t>(natsConnection_GetMaxPayload(link_->connection()));
  appended_ = 0;
  ++connects_;
  for (auto& subscription : subscriptions_) make(*subscription);
  state_ = State::connected;
  if (state_changed_) state_changed_(state_);
}

void LoopConnection::on_lost() {
  for (auto& subscription : subscriptions_) retire(*subscription);
  link_.reset();
  reconnector_ = std::make_unique<Reconnector>(io_, options_, static_cast<ReconnectEvents&>(*this));
  const bool news = state_ == State::connected;
  state_ = State::disconnected;
  finish_flushes(Errc::disconnected);
  if (news && state_changed_) state_changed_(state_);
  std::vector<SubscriptionId> drained;
  for (const auto& subscription : subscriptions_) {
    if (subscription->drained) drained.push_back(subscription->id);
  }
  for (const SubscriptionId id : drained) end_drain(id);
}

void LoopConnection::on_reopened(std::unique_ptr<NatsLink> link) {
  reconnector_.reset();
  begin(std::move(link));
}

// That nothing listens for a while is what being disconnected means.
void LoopConnection::on_refused(Errc code) {
  if (code == Errc::refused || code == Errc::timeout || !complained_) return;
  complained_(code, make_error_code(code).message());
}

void LoopConnection::on_complaint(natsStatus status, const std::string& text) {
  if (complained_) complained_(from_status(status), text);
}

Counters LoopConnection::counters() const {
  Counters counters{dropped_before_, connects_ == 0 ? 0 : connects_ - 1};
  for (const auto& subscription : subscriptions_) counters.dropped += subscription->dropped;
  return counters;
}

}  // namespace covey::bus

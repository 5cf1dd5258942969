#include "common/bus/loop_connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <stdexcept>

#include "common/bus/complaints.hpp"
#include "common/bus/nats_options.hpp"

namespace covey::bus {

namespace asio = boost::asio;

namespace {

// The bytes of a PUB line around its subject, reply and data, at most.
constexpr std::size_t kPublishOverhead = 32;

}  // namespace

bool is_publishable(std::string_view subject) {
  return !subject.empty() && std::none_of(subject.begin(), subject.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
  });
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

LoopConnection::LoopConnection(asio::io_context& io, std::string server_version)
    : io_(io),
      server_version_(std::move(server_version)),
      adapter_(std::make_shared<LoopAdapter>(io, static_cast<LoopEvents&>(*this))) {}

boost::system::result<std::unique_ptr<LoopConnection>> LoopConnection::connect(asio::io_context& io,
                                                                               const ConnectOptions& options,
                                                                               const std::string& server_version) {
  std::unique_ptr<LoopConnection> made(new LoopConnection(io, server_version));
  natsStatus status = NATS_OK;
  const NatsOptions nats_options = make_options(options, status);
  if (nats_options == nullptr) return from_status(status);
  status = made->adapter_->install(nats_options.get());
  if (status == NATS_OK) status = install_complaints(nats_options.get());
  if (status == NATS_OK) status = natsConnection_Connect(&made->connection_, nats_options.get());
  if (status != NATS_OK) return from_connect_status(status, options);
  made->adapter_->adopt();
  listen_to_complaints(made->connection_, made->adapter_);
  return made;
}

void LoopConnection::close() {
  adapter_->write_now();
  adapter_->shut();
  state_ = State::closed;
  finish_flushes(Errc::closed);
  drained_ = nullptr;
  state_changed_ = nullptr;
  complained_ = nullptr;
  if (connection_ == nullptr) return;
  ignore_complaints(connection_);
  natsConnection_Close(connection_);
  for (auto& subscription : subscriptions_) natsSubscription_Destroy(subscription->handle);
  subscriptions_.clear();
  natsConnection_Destroy(connection_);
  connection_ = nullptr;
}

// ---- subscriptions ----

SubscriptionId LoopConnection::subscribe(std::string subject, Handler handler, std::string queue_group) {
  require_subscribable(subject);
  if (!queue_group.empty()) require_subscribable(queue_group);
  const SubscriptionId id{++last_subscription_};
  subscriptions_.push_back(std::make_unique<Subscription>(
      Subscription{id, std::move(subject), std::move(queue_group), std::move(handler)}));
  if (usable()) make(*subscriptions_.back());
  return id;
}

void LoopConnection::make(Subscription& subscription) {
  const char* subject = subscription.subject.c_str();
  if (subscription.queue_group.empty()) {
    natsConnection_SubscribeSync(&subscription.handle, connection_, subject);
  } else {
    natsConnection_QueueSubscribeSync(&subscription.handle, connection_, subject, subscription.queue_group.c_str());
  }
}

void LoopConnection::unsubscribe(SubscriptionId id) {
  const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                  [id](const auto& subscription) { return subscription->id == id; });
  if (found == subscriptions_.end()) return;
  (*found)->cancelled = true;
  any_cancelled_ = true;
  if (!draining_) sweep();
}

// Destroying a subscription takes nats.c's lock, which is held for long in the middle of a reconnect: what is cancelled
// then goes when the connection is there.
void LoopConnection::sweep() {
  if (!any_cancelled_) return;
  any_cancelled_ = false;
  std::erase_if(subscriptions_, [this](const auto& subscription) {
    if (!subscription->cancelled) return false;
    if (subscription->handle != nullptr && !usable()) {
      any_cancelled_ = true;
      return false;
    }
    retire(*subscription);
    return true;
  });
}

void LoopConnection::retire(Subscription& subscription) {
  std::int64_t dropped = 0;
  if (subscription.handle != nullptr && natsSubscription_GetDropped(subscription.handle, &dropped) == NATS_OK) {
    dropped_by_gone_ += static_cast<std::uint64_t>(dropped);
  }
  natsSubscription_Destroy(subscription.handle);
}

void LoopConnection::on_readable() {
  bool any = false;
  draining_ = true;
  for (std::size_t i = 0; i < subscriptions_.size(); ++i) any |= drain(*subscriptions_[i]);
  draining_ = false;
  sweep();
  if (any && drained_) drained_();
}

// Asks first how many messages there are: NextMsg on an empty subscription formats an error text each time.
bool LoopConnection::drain(Subscription& subscription) {
  int waiting = 0;
  if (subscription.handle == nullptr || subscription.cancelled) return false;
  if (natsSubscription_GetPending(subscription.handle, &waiting, nullptr) != NATS_OK || waiting == 0) return false;
  while (waiting > 0 && !subscription.cancelled) {
    natsMsg* raw = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&raw, subscription.handle, 0);
    if (status == NATS_SLOW_CONSUMER) continue;  // said once, and the messages are still there
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
  if (reply.empty()) return from_status(natsConnection_Publish(connection_, subject_.c_str(), data.data(), length));
  reply_ = reply;
  return from_status(
      natsConnection_PublishRequest(connection_, subject_.c_str(), reply_.c_str(), data.data(), length));
}

void LoopConnection::flush(std::function<void(Errc)> done) {
  const bool now = !usable() || !adapter_->has_unwritten();
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
  if (!usable() || !adapter_->has_unwritten()) return 0;
  const int bytes = natsConnection_Buffered(connection_);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void LoopConnection::on_written() {
  appended_ = 0;
  if (!flushes_.empty()) finish_flushes(Errc::ok);
}

// ---- comings and goings ----

void LoopConnection::on_socket(State next) {
  if (state_ == next || state_ == State::closed) return;
  state_ = next;
  appended_ = 0;
  if (next == State::connected) {
    ++connects_;
    max_payload_ = static_cast<std::size_t>(natsConnection_GetMaxPayload(connection_));
    for (auto& subscription : subscriptions_) {
      if (subscription->handle == nullptr && !subscription->cancelled) make(*subscription);
    }
    sweep();
  } else {
    finish_flushes(unusable());
  }
  if (state_changed_) state_changed_(next);
}

void LoopConnection::on_complaint(natsStatus status, const std::string& text) {
  if (complained_) complained_(from_status(status), text);
}

Counters LoopConnection::counters() const {
  Counters counters{dropped_by_gone_, connects_ == 0 ? 0 : connects_ - 1};
  for (const auto& subscription : subscriptions_) {
    std::int64_t dropped = 0;
    if (subscription->handle == nullptr) continue;
    if (natsSubscription_GetDropped(subscription->handle, &dropped) == NATS_OK) {
      counters.dropped += static_cast<std::uint64_t>(dropped);
    }
  }
  return counters;
}

}  // namespace covey::bus

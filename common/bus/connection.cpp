#include "common/bus/connection.hpp"

#include <nats/nats.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "common/bus/loop_connection.hpp"
#include "common/bus/server_info.hpp"
#include "common/bus/threaded_connection.hpp"

namespace covey::bus {

namespace {

// nats.c frees messages on a thread of its own, which it wakes for the first of them. That thread would run for every
// message and compete with ours, so messages are given up many at a time.
class Discards {
 public:
  ~Discards() { give_up(); }
  void add(natsMsg* message, std::size_t bytes) {
    messages_.push_back(message);
    bytes_ += bytes;
    if (messages_.size() >= kMostMessages || bytes_ >= kMostBytes) give_up();
  }

 private:
  static constexpr std::size_t kMostMessages = 256, kMostBytes = 1 << 20;  // that wait, on each thread

  void give_up() {
    for (natsMsg* message : messages_) natsMsg_Destroy(message);
    messages_.clear();
    bytes_ = 0;
  }

  std::vector<natsMsg*> messages_;
  std::size_t bytes_ = 0;
};

thread_local Discards discards;

}  // namespace

Message Message::own(void* nats_message) {
  auto* message = static_cast<natsMsg*>(nats_message);
  const char* reply = natsMsg_GetReply(message);
  Message made(natsMsg_GetSubject(message), reply == nullptr ? std::string_view() : std::string_view(reply),
               {reinterpret_cast<const std::byte*>(natsMsg_GetData(message)),
                static_cast<std::size_t>(natsMsg_GetDataLength(message))});
  made.handle_ = message;
  return made;
}

Message::Message(Message&& other) noexcept
    : subject(other.subject),
      reply(other.reply),
      data(other.data),
      handle_(std::exchange(other.handle_, nullptr)),
      shared_(std::move(other.shared_)),
      no_responders_(other.no_responders_) {}

Message::~Message() {
  if (handle_ != nullptr) discards.add(static_cast<natsMsg*>(handle_), data.size());
}

wire::Buffer Message::share() {
  if (handle_ != nullptr) {
    shared_ =
        std::shared_ptr<const void>(handle_, [](void* handle) { natsMsg_Destroy(static_cast<natsMsg*>(handle)); });
    handle_ = nullptr;
  }
  return shared_ ? wire::Buffer(shared_, data) : wire::Buffer::copy_of(data);
}

namespace {

using Connected = boost::system::result<std::unique_ptr<Connection>>;

Connected connect_once(boost::asio::io_context& io, const ConnectOptions& options) {
  const auto info = read_server_info(options.url, options.connect_timeout);
  if (!info) return info.error();
  if (!info->at_least(2, 9)) return Errc::server_too_old;
  if (info->tls_required && !options.tls) return Errc::tls_required;
  if (options.tls) return ThreadedConnection::connect(io, options, info->version);
  auto connection = LoopConnection::connect(io, options, info->version);
  if (!connection) return connection.error();
  return std::unique_ptr<Connection>(std::move(*connection));
}

bool may_mend_itself(const boost::system::error_code& error) { return error == Errc::refused || error == Errc::timeout; }

}  // namespace

boost::system::result<std::unique_ptr<Connection>> Connection::connect(boost::asio::io_context& io, const ConnectOptions& options) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kFirstPause(100), kLongestPause(2000);
  const auto deadline = Clock::now() + options.patience;
  for (auto pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    auto connected = connect_once(io, options);
    if (connected || !may_mend_itself(connected.error()) || Clock::now() + pause > deadline) return connected;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace covey::bus

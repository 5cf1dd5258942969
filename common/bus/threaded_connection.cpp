#include "common/bus/threaded_connection.hpp"

#include <atomic>
#include <boost/asio/post.hpp>
#include <future>
#include <utility>

namespace covey::bus {

namespace asio = boost::asio;

namespace {

// What may wait for our loop. Beyond it the other thread stops reading, and TCP holds the server back.
constexpr std::size_t kMaxInboxBytes = std::size_t{32} << 20;
constexpr std::size_t kMaxInboxMessages = 100'000;
// How many messages one turn of our loop handles before the others have theirs.
constexpr std::size_t kTurnMessages = 1024;
constexpr std::chrono::milliseconds kCloseGrace{500};

struct Frame {
  std::string subject, reply;
  std::vector<std::byte> data;
};

}  // namespace

struct ThreadedConnection::Near : std::enable_shared_from_this<Near> {
  explicit Near(asio::io_context& loop, std::string server_version) : io(&loop), version(std::move(server_version)) {}

  struct Arrival {
    SubscriptionId subscription;
    std::optional<Message> message;  // none: the subscription has been drained
  };
  struct Entry {
    std::string subject;
    Handler handler;
    std::function<void()> drained = nullptr;
  };

  // ---- any thread ----
  std::mutex mutex;
  std::condition_variable room;
  asio::io_context* io;          // guarded; null when closed
  std::deque<Arrival> inbox;     // guarded
  std::size_t inbox_bytes = 0;   // guarded
  bool dispatch_posted = false;  // guarded
  std::atomic<std::size_t> payload_limit{0};
  std::atomic<std::uint64_t> dropped{0}, reconnects{0};

  template <class Handler>
  void post(Handler&& handler) {
    const std::lock_guard lock(mutex);
    if (io != nullptr) asio::post(*io, std::forward<Handler>(handler));
  }
  void deliver(SubscriptionId subscription, std::optional<Message> message);

  // ---- our loop ----
  std::string version;
  State state = State::connected;
  std::uint64_t losses = 0;  // of the connection, as far as we have heard
  std::unordered_map<SubscriptionId, std::shared_ptr<Entry>> entries;
  std::uint64_t last_subscription = 0;
  std::function<void()> drained;
  std::function<void(State)> state_changed;
  std::function<void(Errc, std::string_view)> complained;

  void dispatch();
  void on_state(State next);
  void shut();
};

// Blocks while there is no room, so that the queue is bounded.
void ThreadedConnection::Near::deliver(SubscriptionId subscription, std::optional<Message> message) {
  std::unique_lock lock(mutex);
  room.wait(lock,
            [this] { return io == nullptr || (inbox_bytes < kMaxInboxBytes && inbox.size() < kMaxInboxMessages); });
  if (io == nullptr) return;
  if (message) inbox_bytes += message->data.size();
  inbox.push_back({subscription, std::move(message)});
  if (std::exchange(dispatch_posted, true)) return;
  asio::post(*io, [kept = shared_from_this()] { kept->dispatch(); });
}

void ThreadedConnection::Near::dispatch() {
  std::deque<Arrival> turn;
  {
    const std::lock_guard lock(mutex);
    if (io == nullptr) return;
    if (inbox.size() <= kTurnMessages) {
      turn.swap(inbox);
      inbox_bytes = 0;
    } else {
      for (std::size_t i = 0; i < kTurnMessages; ++i) {
        const auto& message = inbox.front().message;
        if (message) inbox_bytes -= message->data.size();
        turn.push_back(std::move(inbox.front()));
        inbox.pop_front();
      }
    }
    dispatch_posted = !inbox.empty();
    if (dispatch_posted) asio::post(*io, [kept = shared_from_this()] { kept->dispatch(); });
  }
  room.notify_one();
  bool any = false;
  for (auto& arrival : turn) {
    const auto found = entries.find(arrival.subscription);
    if (found == entries.end()) continue;
    const auto entry = found->second;  // kept, since it may unsubscribe itself
    if (!arrival.message) {
      entries.erase(found);
      entry->drained();
      continue;
    }
    if (arrival.message->no_responders()) arrival.message->subject = entry->subject;  // it was the other thread's
    entry->handler(*arrival.message);
    any = true;
  }
  if (any && drained) drained();
}

void ThreadedConnection::Near::on_state(State next) {
  if (state == next || state == State::closed) return;
  state = next;
  if (next != State::connected) ++losses;
  if (state_changed) state_changed(next);
}

void ThreadedConnection::Near::shut() {
  {
    const std::lock_guard lock(mutex);
    io = nullptr;
    inbox.clear();
  }
  room.notify_all();
  state = State::closed;
  entries.clear();
  drained = nullptr;
  state_changed = nullptr;
  complained = nullptr;
}

// Declared in the order of its use: the thread ends before the connection and the loop go.
struct ThreadedConnection::Far {
  explicit Far(std::shared_ptr<Near> other) : near(std::move(other)) {}

  std::shared_ptr<Near> near;
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{io.get_executor()};
  std::thread thread;
  std::promise<void> closed;

  // ---- any thread ----
  std::mutex mutex;
  std::vector<Frame> outbox;                 // guarded
  bool write_posted = false;                 // guarded
  std::shared_ptr<LoopAdapter> adapter;      // guarded; of the present link, to break it
  std::uint64_t outbox_losses = 0;           // guarded; that their publishers knew of
  std::atomic<std::size_t> outbox_bytes{0};  // published and not yet taken over
  std::atomic<std::size_t> unwritten{0};     // of what was taken over

  // ---- the far loop ----
  std::uint64_t losses = 0;
  std::unique_ptr<LoopConnection> connection;
  std::unordered_map<SubscriptionId, SubscriptionId> ids;  // ours to the inner connection's

  void start();
  void note_adapter();
  void break_socket();
  void drop_outbox();
  void write();
  void on_state(State next);
  void finish();
};

void ThreadedConnection::Far::start() {
  near->payload_limit = connection->max_payload();
  note_adapter();
  connection->on_state([this](State next) { on_state(next); });
  connection->on_error([this](Errc code, std::string_view text) {
    near->post([kept = near, code, text = std::string(text)] {
      if (kept->complained) kept->complained(code, text);
    });
  });
  connection->on_drained([this] { near->dropped = connection->counters().dropped; });
  thread = std::thread([this] { io.run(); });
}

void ThreadedConnection::Far::note_adapter() {
  const std::lock_guard lock(mutex);
  adapter = connection->adapter();
}

void ThreadedConnection::Far::break_socket() {
  const std::lock_guard lock(mutex);
  if (adapter) adapter->break_socket();
}

// With the mutex held.
void ThreadedConnection::Far::drop_outbox() {
  for (const auto& frame : outbox) outbox_bytes.fetch_sub(frame.data.size());
  outbox.clear();
}

void ThreadedConnection::Far::on_state(State next) {
  near->payload_limit = connection->max_payload();
  near->reconnects = connection->counters().reconnects;
  note_adapter();
  if (next != State::connected) ++losses;
  near->post([kept = near, next] { kept->on_state(next); });
}

// Frames for a connection that is lost by now are dropped: those who published them will send them again, in order.
void ThreadedConnection::Far::write() {
  std::vector<Frame> frames;
  bool stale = false;
  {
    const std::lock_guard lock(mutex);
    frames.swap(outbox);
    stale = outbox_losses != losses;
    write_posted = false;
  }
  std::size_t bytes = 0;
  for (const auto& frame : frames) {
    bytes += frame.data.size();
    if (!stale) static_cast<void>(connection->publish(frame.subject, frame.data, frame.reply));
  }
  unwritten = connection->buffered();
  outbox_bytes.fetch_sub(bytes);
  connection->flush([this](Errc) { unwritten = 0; });
}

void ThreadedConnection::Far::finish() {
  write();
  connection.reset();
  work.reset();
  closed.set_value();
}

ThreadedConnection::ThreadedConnection(std::shared_ptr<Near> near, std::unique_ptr<Far> far)
    : near_(std::move(near)), far_(std::move(far)) {}

ThreadedConnection::~ThreadedConnection() { ThreadedConnection::close(); }

boost::system::result<std::unique_ptr<Connection>> ThreadedConnection::connect(asio::io_context& io,
                                                                               const ConnectOptions& options,
                                                                               const std::string& server_version) {
  auto near = std::make_shared<Near>(io, server_version);
  auto far = std::make_unique<Far>(near);
  auto connection = LoopConnection::connect(far->io, options, server_version);
  if (!connection) return connection.error();
  far->connection = std::move(*connection);
  far->start();
  return std::unique_ptr<Connection>(new ThreadedConnection(std::move(near), std::move(far)));
}

// The other thread may be blocked in the middle of a record: then its socket is broken, which wakes it.
void ThreadedConnection::close() {
  if (!far_) return;
  near_->shut();
  auto closed = far_->closed.get_future();
  asio::post(far_->io, [far = far_.get()] { far->finish(); });
  if (closed.wait_for(kCloseGrace) != std::future_status::ready) far_->break_socket();
  far_->thread.join();
  far_.reset();
}

SubscriptionId ThreadedConnection::subscribe(std::string subject, Handler handler, std::string queue_group) {
  require_subscribable(subject);
  if (!queue_group.empty()) require_subscribable(queue_group);
  const SubscriptionId id{++near_->last_subscription};
  if (!far_) return id;
  near_->entries.emplace(id, std::make_shared<Near::Entry>(Near::Entry{subject, std::move(handler)}));
  asio::post(far_->io, [far = far_.get(), id, subject = std::move(subject), queue_group = std::move(queue_group)] {
    if (!far->connection) return;
    auto forward = [near = far->near, id](Message& message) { near->deliver(id, std::move(message)); };
    far->ids[id] = far->connection->subscribe(subject, std::move(forward), queue_group);
  });
  return id;
}

void ThreadedConnection::unsubscribe(SubscriptionId id) {
  if (near_->entries.erase(id) == 0 || !far_) return;
  asio::post(far_->io, [far = far_.get(), id] {
    const auto found = far->ids.find(id);
    if (found == far->ids.end() || !far->connection) return;
    far->connection->unsubscribe(found->second);
    far->ids.erase(found);
  });
}

void ThreadedConnection::drain(SubscriptionId id, std::function<void()> done) {
  const auto entry = near_->entries.find(id);
  if (entry == near_->entries.end() || entry->second->drained || !far_) return;
  entry->second->drained = std::move(done);
  asio::post(far_->io, [far = far_.get(), id] {
    const auto found = far->ids.find(id);
    if (found == far->ids.end() || !far->connection) return;
    far->connection->drain(found->second, [near = far->near, id] { near->deliver(id, std::nullopt); });
    far->ids.erase(found);
  });
}

Errc ThreadedConnection::publish(std::string_view subject, std::span<const std::byte> data, std::string_view reply) {
  if (near_->state != State::connected) return near_->state == State::closed ? Errc::closed : Errc::disconnected;
  if (data.size() > near_->payload_limit) return Errc::too_large;
  if (!is_publishable(subject) || (!reply.empty() && !is_publishable(reply))) return Errc::invalid;
  if (buffered() + data.size() > kMaxBuffered) return Errc::backlog;
  const std::lock_guard lock(far_->mutex);
  if (far_->outbox_losses != near_->losses) {
    far_->drop_outbox();
    far_->outbox_losses = near_->losses;
  }
  far_->outbox.push_back({std::string(subject), std::string(reply), {data.begin(), data.end()}});
  far_->outbox_bytes.fetch_add(data.size());
  if (!std::exchange(far_->write_posted, true)) asio::post(far_->io, [far = far_.get()] { far->write(); });
  return Errc::ok;
}

void ThreadedConnection::flush(std::function<void(Errc)> done) {
  if (!far_) return;
  asio::post(far_->io, [far = far_.get(), done = std::move(done)]() mutable {
    far->connection->flush(
        [near = far->near, done = std::move(done)](Errc outcome) { near->post([done, outcome] { done(outcome); }); });
  });
}

std::size_t ThreadedConnection::buffered() const {
  return far_ ? far_->outbox_bytes.load() + far_->unwritten.load() : 0;
}
void ThreadedConnection::on_drained(std::function<void()> callback) { near_->drained = std::move(callback); }
void ThreadedConnection::on_state(std::function<void(State)> callback) { near_->state_changed = std::move(callback); }
void ThreadedConnection::on_error(std::function<void(Errc, std::string_view)> callback) {
  near_->complained = std::move(callback);
}
State ThreadedConnection::state() const { return near_->state; }
std::size_t ThreadedConnection::max_payload() const { return near_->payload_limit; }
std::string ThreadedConnection::server_version() const { return near_->version; }
Counters ThreadedConnection::counters() const { return {near_->dropped.load(), near_->reconnects.load()}; }

}  // namespace covey::bus

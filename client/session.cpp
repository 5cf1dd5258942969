#include "client/session.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <random>
#include <utility>

namespace covey::client {

namespace {

std::uint64_t random64() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32 | device()) | 1;
}

constexpr auto kSpillTimeout = std::chrono::seconds(30);
constexpr auto kSpillPause = std::chrono::milliseconds(5);

}  // namespace

Session::Session(const Options& options, boost::asio::io_context* io)
    : self_(static_cast<wire::Incarnation>(random64())),
      id_(static_cast<wire::SessionId>(random64())),
      own_io_(io == nullptr ? std::make_unique<boost::asio::io_context>(1) : nullptr),
      io_(io == nullptr ? *own_io_ : *io),
      subjects_(options.cluster),
      core_(self_, id_, subjects_, options.name, *this) {}

Session::~Session() { close(); }

boost::system::error_code Session::open(const Options& options) {
  auto connection = bus::Connection::connect(
      io_, {options.nats_url, options.user, options.password, options.name, options.tls, options.connect_timeout});
  if (!connection) return connection.error();
  connection_ = std::move(*connection);
  loop_ = std::make_unique<bus::CoreLoop<ClientCore>>(io_, *connection_, subjects_, core_, static_cast<wire::Outlet&>(*this));
  return loop_->start({subjects_.client_inbox(self_), subjects_.announce()});
}

void Session::start_thread() {
  work_ = std::make_unique<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>>(io_.get_executor());
  thread_ = std::thread([this] { io_.run(); });
}

void Session::close() {
  if (loop_ == nullptr) return;
  if (!thread_.joinable()) return leave();  // on the caller's loop nothing may wait
  boost::asio::post(io_, [this] {
    take_pending();
    core_.spill();
    loop_->turn();
    leave_when_spilled(std::chrono::steady_clock::now() + kSpillTimeout);
  });
  work_.reset();
  thread_.join();
}

// Large arguments of tasks that go on without us have to reach the controller first.
void Session::leave_when_spilled(std::chrono::steady_clock::time_point deadline) {
  if (core_.spilled()) return leave();
  if (std::chrono::steady_clock::now() > deadline) {
    log("large arguments of unfinished tasks could not be handed over in time: these tasks will fail as payload_lost");
    return leave();
  }
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, kSpillPause);
  timer->async_wait([this, timer, deadline](const boost::system::error_code&) { leave_when_spilled(deadline); });
}

void Session::leave() {
  take_pending();
  core_.say_goodbye();
  abandon_unfinished();
  loop_.reset();
  connection_.reset();
}

// Nobody will tell how these end: whoever waits for them is told so.
void Session::abandon_unfinished() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> unfinished;
  core_.for_each_task([&](std::uint64_t sequence, std::uint64_t cookie) { unfinished.emplace_back(sequence, cookie); });
  ResultView view;
  view.report.status = wire::TaskStatus::outcome_unknown;
  view.report.error = "the client was closed before the result came";
  for (const auto& [sequence, cookie] : unfinished) {
    view.sequence = sequence;
    on_result(cookie, view);
  }
}

void Session::log(std::string_view line) { spdlog::warn("{}", line); }

std::string Session::refusal() {
  const std::lock_guard lock(spec_mutex_);
  return core_.refusal();
}

std::uint32_t Session::add_spec(const wire::TaskSpec& spec) {
  if (on_loop() || !thread_.joinable()) return core_.add_spec(spec);
  std::promise<std::uint32_t> number;
  boost::asio::post(io_, [&] { number.set_value(core_.add_spec(spec)); });
  return number.get_future().get();
}

// ---- submitting ----

void Session::acquire(std::size_t tasks) {
  const auto before = outstanding_.fetch_add(tasks, std::memory_order_relaxed);
  if (before + tasks <= window_.load(std::memory_order_relaxed) || before == 0) return;
  if (on_loop()) {
    outstanding_.fetch_sub(tasks, std::memory_order_relaxed);
    throw QueueFull("the queue is at its limit: wait for results before submitting more");
  }
  blocked_.fetch_add(1);
  std::unique_lock lock(waiting);
  changed.wait(lock, [&] { return outstanding_.load() <= std::max<std::uint64_t>(window_.load(), tasks); });
  blocked_.fetch_sub(1);
}

// Submissions of one turn of the caller travel to the loop together: only the first wakes it.
void Session::submit(Pending pending) {
  if (on_loop()) {
    submit_now(pending);
    return loop_->request_turn();
  }
  const std::lock_guard lock(pending_mutex_);
  pending_.push_back(std::move(pending));
  schedule();
}

void Session::submit(std::vector<Pending> pending) {
  if (on_loop()) {
    for (const auto& one : pending) submit_now(one);
    return loop_->request_turn();
  }
  const std::lock_guard lock(pending_mutex_);
  pending_.insert(pending_.end(), std::make_move_iterator(pending.begin()), std::make_move_iterator(pending.end()));
  schedule();
}

void Session::schedule() {
  if (std::exchange(pending_posted_, true)) return;
  boost::asio::post(io_, [this] { take_pending(); });
}

void Session::take_pending() {
  std::vector<Pending> taken;
  {
    const std::lock_guard lock(pending_mutex_);
    taken.swap(pending_);
    pending_posted_ = false;
  }
  for (const auto& pending : taken) submit_now(pending);
  if (loop_) loop_->turn();
}

void Session::submit_now(const Pending& pending) {
  const auto sequence = core_.submit({pending.scheme, pending.spec, pending.content.span(), pending.large.get(), wire::as_bytes(pending.extras),
                                      reinterpret_cast<std::uint64_t>(pending.segment)});
  if (pending.first) pending.segment->first_sequence = sequence;
}

void Session::cancel(const wire::TaskId& task) {
  boost::asio::post(io_, [self = shared_from_this(), task] {
    self->core_.cancel(task);
    if (self->loop_) self->loop_->turn();
  });
}

// ---- results ----

void Session::on_result(std::uint64_t cookie, const ResultView& result) {
  auto* segment = reinterpret_cast<Segment*>(cookie);
  std::shared_ptr<ResultState> state = segment->state;
  const std::size_t index = segment->first_index + (result.sequence - segment->first_sequence);
  Outcome& outcome = state->outcome(index);
  wire::Writer report;
  wire::encode_report(report, result.report);
  outcome.report = wire::SmallBytes(report.span());
  if (!result.value.buffer.empty()) outcome.value = std::make_unique<const wire::Payload>(result.value);
  outcome.sequence = result.sequence;
  outcome.attempts = result.attempts;
  outcome.engine = result.engine;
  if (!state->has.empty()) state->has[index].store(true, std::memory_order_release);
  if (result.report.status != wire::TaskStatus::ok) state->failed.fetch_add(1, std::memory_order_relaxed);
  const bool last = state->done.load(std::memory_order_relaxed) + 1 == state->total;
  if (last) state->finished_ns.store(std::chrono::steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  if (--segment->left == 0) {
    segment->state = nullptr;
    if (segment != &state->segment) delete segment;
  }
  if (state->ordered) {
    const std::lock_guard lock(waiting);
    state->order.push_back(static_cast<std::uint32_t>(index));
  }
  state->done.fetch_add(1);
  outstanding_.fetch_sub(1);
  if (state->waiters.load() == 0 && blocked_.load() == 0) return;
  std::vector<std::function<void()>> callbacks;
  {
    const std::lock_guard lock(waiting);
    if (last) callbacks.swap(state->callbacks);
    changed.notify_all();
  }
  for (auto& callback : callbacks) callback();
}

void Session::on_window(std::uint64_t tasks) {
  const std::lock_guard lock(waiting);
  window_.store(tasks);
  max_payload_.store(core_.max_payload(), std::memory_order_relaxed);
  changed.notify_all();
}

// ---- requests ----

void Session::on_response(std::uint64_t number, std::string_view json) {
  const std::lock_guard lock(waiting);
  responses_[number] = json;
  changed.notify_all();
}

std::optional<std::string> Session::request(std::string_view json, std::chrono::nanoseconds timeout) {
  std::promise<std::uint64_t> asked;
  boost::asio::post(io_, [&] {
    asked.set_value(core_.request(json));
    loop_->turn();
  });
  const auto number = asked.get_future().get();
  std::unique_lock lock(waiting);
  if (!changed.wait_for(lock, timeout, [&] { return responses_.contains(number); })) return std::nullopt;
  auto answer = std::move(responses_.extract(number).mapped());
  return answer;
}

}  // namespace covey::client

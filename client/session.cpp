#include "client/session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
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

using Clock = std::chrono::steady_clock;

constexpr auto kSpillTimeout = std::chrono::seconds(30);
constexpr auto kReconnectTimeout = std::chrono::seconds(5);  // of these without a NATS server
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
  thread_ = std::thread([this] { shared_.run(); });
}

void Session::close() {
  if (loop_ == nullptr) return;
  if (!thread_.joinable()) return leave();  // on the caller's loop nothing may wait
  post([this] {
    take_pending();
    core_.spill();
    loop_->turn();
    leave_when_spilled(Clock::now() + kSpillTimeout, Clock::now());
  });
  work_.reset();
  thread_.join();
}

// What was submitted last, and large arguments of tasks that go on without us, have to reach the controller first. Nobody is held
// up for long by a cluster that has gone.
void Session::leave_when_spilled(Clock::time_point deadline, Clock::time_point connected_at) {
  if (core_.spilled()) return leave();
  const auto now = Clock::now();
  if (connection_->state() == bus::State::connected) connected_at = now;
  if (now > deadline || now > connected_at + kReconnectTimeout) {
    log("what was submitted last could not be handed over to the controller in time: such tasks may be lost");
    return leave();
  }
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, kSpillPause);
  timer->async_wait([this, timer, deadline, connected_at](const boost::system::error_code&) { leave_when_spilled(deadline, connected_at); });
}

void Session::leave() {
  {
    const std::lock_guard lock(pending_mutex_);
    closed_ = true;
  }
  window_.close();
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
  const std::lock_guard lock(waiting);
  return core_.refusal();
}

std::shared_ptr<SpecText> Session::share_spec(const wire::TaskSpec& spec) {
  wire::Writer out;
  wire::encode_spec(out, spec);
  const auto retire = [self = shared_from_this()](SpecText* text) { self->retire(text); };
  return {new SpecText{std::string(wire::as_text(out.span()))}, retire};
}

// The loop may still have to see submissions that name it.
void Session::retire(SpecText* spec) {
  const std::lock_guard lock(pending_mutex_);
  retired_.emplace_back(spec);
  if (!closed_) schedule();
}

// ---- submitting ----

void Session::acquire(std::size_t tasks) {
  if (on_loop()) {
    if (tasks <= window_.limit() && window_.try_acquire(tasks)) return;
    throw QueueFull(make_error_code(Errc::queue_full).message());
  }
  if (!window_.acquire(tasks)) throw std::runtime_error(make_error_code(Errc::closed).message());
}

// Submissions of one turn of the caller travel to the loop together: only the first wakes it. A lone task need not wait for
// others to travel with, and goes from here if the loop rests.
bool Session::submit(Pending pending) {
  if (on_loop() && loop_) {
    submit_now(pending);
    loop_->request_turn();
    return true;
  }
  {
    const std::lock_guard lock(pending_mutex_);
    if (closed_) return false;
    pending_.push_back(std::move(pending));
    if (!lone()) {
      schedule();
      return true;
    }
  }
  if (shared_.enter([this] { take_pending(); })) return true;
  const std::lock_guard lock(pending_mutex_);
  schedule();
  return true;
}

bool Session::submit(std::vector<Pending> pending) {
  if (on_loop() && loop_) {
    for (const auto& one : pending) submit_now(one);
    loop_->request_turn();
    return true;
  }
  const std::lock_guard lock(pending_mutex_);
  if (closed_) return false;
  pending_.insert(pending_.end(), std::make_move_iterator(pending.begin()), std::make_move_iterator(pending.end()));
  schedule();
  return true;
}

// A view may outlive the client, and what it lets go may be the last that keeps the session.
void Session::schedule() {
  if (std::exchange(pending_posted_, true)) return;
  post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->take_pending();
  });
}

void Session::take_pending() {
  std::vector<Pending> taken;
  std::vector<std::unique_ptr<SpecText>> retired;
  {
    const std::lock_guard lock(pending_mutex_);
    taken.swap(pending_);
    retired.swap(retired_);
    pending_posted_ = false;
  }
  for (const auto& pending : taken) submit_now(pending);
  for (const auto& spec : retired) {
    if (spec->added) core_.release_spec(spec->number);
  }
  if (loop_) loop_->turn();
}

void Session::submit_now(const Pending& pending) {
  SpecText& spec = *pending.spec;
  if (!std::exchange(spec.added, true)) spec.number = core_.add_spec(spec.encoded);
  const auto sequence = core_.submit({pending.scheme, spec.number, pending.content.span(), pending.large.get(), wire::as_bytes(pending.extras),
                                      reinterpret_cast<std::uint64_t>(pending.segment)});
  if (pending.first) pending.segment->first_sequence = sequence;
}

void Session::run_for(const ResultState& state, std::size_t until, std::optional<std::chrono::steady_clock::time_point> deadline) {
  if (on_loop() || !lone()) return;
  shared_.run_until([&] { return state.done.load(std::memory_order_acquire) >= until; }, deadline);
  if (window_.used() > 0) shared_.attend();
}

void Session::cancel(const wire::TaskId& task) {
  post([self = shared_from_this(), task] {
    self->core_.cancel(task);
    if (self->loop_) self->loop_->turn();
  });
}

// Called again it does not say again what it has said.
void Session::cancel_all() {
  post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->take_pending();
    std::uint64_t last = self->all_cancelled_to_;
    self->core_.for_each_task([&](std::uint64_t sequence, std::uint64_t) {
      if (sequence > self->all_cancelled_to_) self->core_.cancel(self->core_.id_of(sequence));
      last = std::max(last, sequence);
    });
    self->all_cancelled_to_ = last;
    if (self->loop_) self->loop_->turn();
  });
}

// ---- the controller's words ----

void Session::on_window(std::uint64_t tasks) {
  max_payload_.store(core_.max_payload(), std::memory_order_relaxed);
  window_.set_limit(tasks);
}

void Session::on_response(std::uint64_t number, std::string_view json) {
  const std::lock_guard lock(waiting);
  responses_[number] = json;
  changed.notify_all();
}

std::optional<std::string> Session::request(std::string_view json, std::chrono::nanoseconds timeout) {
  std::promise<std::uint64_t> asked;
  post([&] {
    asked.set_value(core_.request(json));
    loop_->turn();
  });
  const auto number = asked.get_future().get();
  std::unique_lock lock(waiting);
  if (!changed.wait_for(lock, timeout, [&] { return responses_.contains(number); })) return std::nullopt;
  auto answer = std::move(responses_.extract(number).mapped());
  return answer;
}

void Session::on_payload(std::uint64_t fetch, std::optional<wire::Buffer> payload) {
  const std::lock_guard lock(waiting);
  payloads_[fetch] = std::move(payload);
  changed.notify_all();
}

std::optional<wire::Buffer> Session::fetch(const wire::BlobReference& blob, std::chrono::nanoseconds timeout) {
  std::promise<std::uint64_t> asked;
  post([&] {
    asked.set_value(core_.fetch(blob));
    loop_->turn();
  });
  const auto number = asked.get_future().get();
  std::unique_lock lock(waiting);
  if (changed.wait_for(lock, timeout, [&] { return payloads_.contains(number); })) return std::move(payloads_.extract(number).mapped());
  lock.unlock();
  post([self = shared_from_this(), number] {
    self->core_.forget_fetch(number);
    const std::lock_guard late(self->waiting);
    self->payloads_.erase(number);
  });
  throw TimeoutError(fmt::format("a value of {} bytes did not arrive within {:.3f} s", blob.size, std::chrono::duration<double>(timeout).count()));
}

}  // namespace covey::client

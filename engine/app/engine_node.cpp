#include "engine/app/engine_node.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <algorithm>
#include <fstream>
#include <random>
#include <utility>

#include "engine/exec/builtins.hpp"
#include "engine/exec/plugin_loader.hpp"
#include "engine/exec/process.hpp"
#include "engine/exec/report.hpp"

namespace covey::engine {

namespace {

wire::Incarnation random_incarnation() {
  std::random_device device;
  return static_cast<wire::Incarnation>((static_cast<std::uint64_t>(device()) << 32 | device()) | 1);
}

constexpr auto kMemoryPause = std::chrono::seconds(2);
constexpr auto kWatchPause = std::chrono::milliseconds(50), kIdleWatchPause = std::chrono::milliseconds(500);
constexpr auto kCutOff = std::chrono::seconds(10);  // without a NATS server, of an engine that is to leave and runs nothing
constexpr int kStuckStatus = 3;
constexpr std::size_t kMostReportBytes = 50'000;  // so that its record fits one frame, and may be sent again on another link

// Bytes that this process has resident; 0 where /proc does not tell.
std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t pages = 0, resident = 0;
  in >> pages >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

EngineNode::EngineNode(bus::SharedLoop& shared, NodeOptions options)
    : shared_(shared),
      io_(shared.io()),
      options_(std::move(options)),
      variables_(options_.variable_bytes),
      self_(random_incarnation()),
      subjects_(options_.cluster),
      watch_timer_(io_) {}

EngineNode::~EngineNode() = default;

boost::system::error_code EngineNode::start() {
  add_builtins(functions_);
  add_variables(functions_, variables_);
  add_exec(functions_, {.allowed = options_.allow_exec});
  for (const auto& plugin : options_.plugins) load_plugin(functions_, plugin, &variables_);
  options_.core.functions = functions_.names();
  auto connection = bus::Connection::connect(io_, options_.nats);
  if (!connection) return connection.error();
  connection_ = std::move(*connection);
  Port& port = *this;
  core_ = std::make_unique<EngineCore>(self_, subjects_, options_.core, port);
  pool_ = std::make_unique<SlotPool>(options_.core.slots, [this] { wake(); }, HoldPolicy{},
                                     [this](const std::function<bool()>& over) { return serve_loop(over); });
  loop_ = std::make_unique<bus::CoreLoop<EngineCore>>(io_, *connection_, subjects_, *core_, port);
  if (const auto error = loop_->start({subjects_.engine_inbox(self_), subjects_.announce()})) return error;
  listen_direct(true);
  look_at_memory(SlotPool::Clock::now());
  watch();
  return {};
}

// ---- what the core asks for ----

void EngineNode::send(std::string_view subject, wire::ByteSpan frame) { static_cast<void>(connection_->publish(subject, frame)); }
void EngineNode::log(std::string_view line) { spdlog::warn("{}", line); }

void EngineNode::start(const RunOrder& order) {
  const Function* function = functions_.find(order.spec->function);
  if (function == nullptr) return refuse_unknown(order.run, order.spec->function);
  const bool small = order.args.buffer.size() <= wire::kInlinePayloadBytes;
  const bool quick = small && function->info().inline_safe && !order.spec->chunked;
  if (quick && options_.inline_functions && jobs_ == 0) {
    return run_inline(order, *function);  // it ends before this call does, so the bytes outlive it
  }
  if (jobs_ >= SlotPool::kMostQueued) return refuse_more(order.run);
  wire::Payload args = order.args;
  if (!order.shared) args.buffer = wire::Buffer::copy_of(args.buffer.span());
  const std::chrono::milliseconds limit(order.spec->run_limit_ms);
  ++jobs_;
  if (limit.count() > 0 && watches_idly_) watch_in(kWatchPause);
  pool_->push(Job{order.run, function, std::move(args), limit, order.recallable, order.spec->chunked, order.spec->variable});
}

// A clock is read once for each run: it begins when the one before it ended, or when its frame came.
void EngineNode::run_inline(const RunOrder& order, const Function& function) {
  const wire::Time started = std::max(order.now, last_inline_end_);
  CallContext context(std::nullopt, order.spec->variable);
  const Outcome outcome = run_guarded(function, context, order.args);
  last_inline_end_ = std::chrono::steady_clock::now();
  const std::int64_t duration = (last_inline_end_ - started).count();
  mean_inline_ns_ += 0.05 * (static_cast<double>(duration) - mean_inline_ns_);
  report(order.run, outcome, unix_us(started), duration);
}

std::int64_t EngineNode::unix_us(wire::Time at) {
  if (at - unix_known_at_ > std::chrono::seconds(1)) {
    unix_known_at_ = at;
    unix_offset_ = std::chrono::system_clock::now().time_since_epoch() - std::chrono::steady_clock::now().time_since_epoch();
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch() + unix_offset_).count();
}

void EngineNode::refuse_unknown(RunHandle run, const std::string& function) {
  report(run, failure(wire::TaskStatus::unknown_function,
                      fmt::format("no function '{}' on this engine; there are {}", function, fmt::join(functions_.names(), ", "))),
         0, 0);
}

// Credit keeps the controller's tasks far below that; clients of the scheme direct have none.
void EngineNode::refuse_more(RunHandle run) {
  report(run, failure(wire::TaskStatus::queue_full, fmt::format("this engine has {} tasks already, its limit", jobs_)), 0, 0);
}

void EngineNode::report(RunHandle run, const Outcome& outcome, std::int64_t started_unix_us, std::int64_t duration_ns) {
  content_scratch_.clear();
  wire::RunReport result = report_of(outcome, started_unix_us, duration_ns);
  std::string too_large;
  const std::size_t beside = result.error.size() + result.output.out.size() + result.output.err.size();
  const wire::Buffer& value = outcome.value.buffer;
  if (value.size() > core_->max_payload()) {
    result.status = wire::TaskStatus::payload_too_large;
    too_large = fmt::format("the result has {} bytes; the limit is {}", value.size(), core_->max_payload());
    result.error = too_large;
  } else if (value.size() > wire::kInlinePayloadBytes || (!value.empty() && value.size() + beside > kMostReportBytes)) {
    wire::encode_content(content_scratch_, outcome.value.codec, core_->hold(value));
  } else if (!value.empty() || outcome.value.codec != wire::Codec::json) {
    wire::encode_content(content_scratch_, outcome.value.codec, value.span());
  }
  result.content = content_scratch_.span();
  scratch_.clear();
  wire::encode_report(scratch_, result);
  const auto inline_mean = std::chrono::nanoseconds(static_cast<std::int64_t>(mean_inline_ns_) + 1);
  core_->on_finished(run, scratch_.span(), mean_job_.count() > 0 ? mean_job_ : inline_mean);
}

std::vector<RunHandle> EngineNode::recall(std::size_t count) {
  auto runs = pool_->recall_newest(count);
  jobs_ -= runs.size();
  return runs;
}

bool EngineNode::cancel(RunHandle run) {
  if (pool_->recall(run)) {
    --jobs_;
    return true;
  }
  pool_->cancel(run);
  return false;
}

void EngineNode::listen_direct(bool on) {
  if (on) return loop_->join(subjects_.direct());
  loop_->leave([this] { core_->on_direct_over(); });
}

// ---- results of slots ----

// On a slot's thread. While the loop rests the slot does the loop's work itself: a result then leaves without another thread
// being woken.
void EngineNode::wake() {
  if (shared_.enter([this] { collect(); })) return;
  boost::asio::post(io_, [this] { collect(); });
  shared_.attend();
}

// On a slot's thread that has nothing to do: the next task comes to the slot that is to run it.
bool EngineNode::serve_loop(const std::function<bool()>& over) {
  bool more = false;
  const bool served = shared_.run_until(
      [&] {
        if (!over()) return false;
        more = jobs_ > 1;
        return true;
      },
      std::nullopt);
  if (more) shared_.attend();
  return served;
}

void EngineNode::collect() {
  if (!loop_) return;
  pool_->take_finished(finished_);
  jobs_ -= finished_.size();
  mean_job_ = pool_->mean_job();
  for (const auto& one : finished_) report(one.handle, one.outcome, one.started_unix_us, one.duration_ns);
  loop_->turn();
  if (leaving_) check_left();
}

// Now and then: runs over their limit, results held too long, functions that ignore their cancellation.
void EngineNode::watch() { watch_in(core_->held() > 0 || leaving_ ? kWatchPause : kIdleWatchPause); }

void EngineNode::watch_in(std::chrono::milliseconds pause) {
  watches_idly_ = pause == kIdleWatchPause;
  watch_timer_.expires_after(pause);
  watch_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const auto now = SlotPool::Clock::now();
    pool_->expire(now);
    if (const auto held = pool_->hold_deadline(); held && *held <= now) collect();
    if (!core_->refusal().empty()) {
      fmt::print(stderr, "covey engine: the controller refuses this engine: {}\n", core_->refusal());
      exit_status_ = 1;
      return shared_.finish();
    }
    if (pool_->stuck(now, options_.stuck_grace) && !leaving_) {
      spdlog::error("a cancelled run goes on and on: leaving, so that a new engine takes over");
      exit_status_ = kStuckStatus;
      leave();
    }
    look_at_memory(now);
    if (core_->leaving() && !leaving_) leave();  // the controller asked for it
    if (leaving_) check_left();
    watch();
  });
}

void EngineNode::look_at_memory(wire::Time now) {
  if (now - memory_known_at_ < kMemoryPause) return;
  memory_known_at_ = now;
  core_->on_memory(resident_bytes());
  loop_->request_turn();
}

// ---- leaving ----

void EngineNode::leave() {
  if (std::exchange(leaving_, true)) {
    loop_->turn();
    return say_goodbye();
  }
  connected_at_ = std::chrono::steady_clock::now();
  leave_by_ = connected_at_ + options_.drain_timeout;
  core_->drain(wire::DrainMode::leave);
  loop_->turn();
  check_left();
}

void EngineNode::check_left() {
  const auto now = std::chrono::steady_clock::now();
  if (connection_->state() == bus::State::connected) connected_at_ = now;
  const bool nobody_to_tell = jobs_ == 0 && now > connected_at_ + kCutOff;
  if (!core_->drained() && !nobody_to_tell && now < leave_by_) return;
  say_goodbye();
}

void EngineNode::say_goodbye() {
  core_->say_goodbye();
  boost::asio::post(io_, [this] { shared_.finish(); });  // after the goodbye has been written
}

bool EngineNode::end_runs() { return pool_->close(options_.stuck_grace); }

int run_engine(NodeOptions options) {
  boost::asio::io_context io(1);
  bus::SharedLoop shared(io);
  const std::string url = options.nats.url;
  EngineNode node(shared, std::move(options));
  try {
    if (const auto error = node.start()) {
      fmt::print(stderr, "covey engine: cannot use the NATS server at {}: {}\n", url, error.message());
      return 1;
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "covey engine: {}\n", error.what());
    return 1;
  }
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  std::function<void(const boost::system::error_code&, int)> on_signal = [&](const boost::system::error_code& error, int) {
    if (error) return;
    node.leave();
    signals.async_wait(on_signal);
  };
  signals.async_wait(on_signal);
  shared.run();
  // A thread that ignores us cannot be joined.
  if (node.exit_status() == kStuckStatus || !node.end_runs()) std::_Exit(node.exit_status());
  return node.exit_status();
}

}  // namespace covey::engine

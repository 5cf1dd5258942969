#include "client/client.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

#include "client/session.hpp"
#include "common/wire/records.hpp"

namespace covey::client {

namespace {

// A slice of a large map, so that submitting and running overlap.
constexpr std::size_t kMapSlice = 4096;

wire::TaskSpec spec_of(std::string_view function, const TaskOptions& options) {
  wire::TaskSpec spec;
  spec.function = function;
  spec.label = options.label;
  spec.priority = options.priority;
  spec.timeout_ms = static_cast<std::uint64_t>(options.timeout.count());
  spec.run_limit_ms = static_cast<std::uint64_t>(options.run_limit.count());
  spec.retry_delay_ms = static_cast<std::uint64_t>(options.retry_delay.count());
  spec.max_attempts = options.max_attempts;
  spec.retries = options.retries;
  spec.targets = options.targets;
  spec.labels = options.labels;
  spec.detached = options.detached;
  return spec;
}

// The scheme direct has no scheduler, so that what only a scheduler can do is refused rather than ignored.
void require_direct(const TaskOptions& options) {
  const std::pair<bool, std::string_view> unsupported[] = {
      {options.priority != 0, "priority"},
      {options.timeout.count() != 0, "timeout"},
      {options.retries != 0, "retries"},
      {!options.targets.empty(), "targets"},
      {!options.labels.empty(), "labels"},
      {options.detached, "detached"},
      {!options.after.tasks.empty(), "after"},
      {!options.follow.tasks.empty(), "follow"},
      {!options.idempotency_key.empty(), "idempotency_key"},
  };
  for (const auto& [set, name] : unsupported) {
    if (!set) continue;
    throw std::invalid_argument(fmt::format("the scheme direct has no '{}': use the scheme controller, or leave it out", name));
  }
}

std::string extras_of(const TaskOptions& options) {
  if (options.after.tasks.empty() && options.follow.tasks.empty() && options.idempotency_key.empty()) return {};
  wire::Writer out;
  wire::encode_extras(out, {options.after, options.follow, options.idempotency_key});
  return std::string(wire::as_text(out.span()));
}

// Small arguments travel with the task; large ones stay here until an engine fetches them.
void put_args(Session::Pending& pending, wire::Payload&& args, std::uint64_t limit) {
  const std::size_t size = args.buffer.size();
  if (size > limit) throw std::length_error(fmt::format("arguments of {} bytes; the limit is {}", size, limit));
  if (size > wire::kInlinePayloadBytes) {
    pending.large = std::make_unique<const wire::Payload>(std::move(args));
    return;
  }
  wire::Writer out;
  wire::encode_content(out, args.codec, args.buffer.span());
  pending.content = wire::SmallBytes(out.span());
}

}  // namespace

std::uint32_t View::spec_for(std::string_view function) {
  if (scheme_ == Scheme::direct) require_direct(options);
  const wire::TaskSpec wanted = spec_of(function, options);
  if (cached_function_ != function || !(spec_of(cached_function_, cached_options_) == wanted)) {
    cached_spec_ = session_->add_spec(wanted);
    cached_function_ = function;
    cached_options_ = options;
  }
  return cached_spec_;
}

AsyncResult View::apply(std::string_view function, wire::Payload args) {
  Session::Pending pending;
  put_args(pending, std::move(args), session_->max_payload());
  const auto spec = spec_for(function);
  auto state = std::make_shared<ResultState>();
  state->session = session_;
  state->segment.state = state;
  state->segment.left = 1;
  session_->acquire(1);
  pending.extras = extras_of(options);
  pending.segment = &state->segment;
  pending.spec = spec;
  pending.scheme = scheme_;
  pending.first = true;
  session_->submit(std::move(pending));
  return AsyncResult(std::move(state));
}

AsyncResult View::apply(std::string_view function, std::string args_json) {
  return apply(function, wire::Payload{wire::Codec::json, wire::Buffer(std::move(args_json))});
}

AsyncResult View::map(std::string_view function, std::vector<std::string> inputs) {
  auto state = std::make_shared<ResultState>();
  state->session = session_;
  state->total = inputs.size();
  state->ordered = true;
  state->many.resize(inputs.size());
  state->has = std::vector<std::atomic<bool>>(inputs.size());
  state->order.reserve(inputs.size());
  const auto spec = spec_for(function);
  const auto extras = extras_of(options);
  for (std::size_t first = 0; first < inputs.size(); first += kMapSlice) {
    const std::size_t count = std::min(kMapSlice, inputs.size() - first);
    auto* segment = new Segment{state, 0, first, count};  // the loop deletes it with its last result
    std::vector<Session::Pending> slice;
    slice.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) {
      Session::Pending& pending = slice.emplace_back();
      put_args(pending, {wire::Codec::json, wire::Buffer(std::move(inputs[i]))}, session_->max_payload());
      pending.extras = extras;
      pending.segment = segment;
      pending.spec = spec;
      pending.scheme = scheme_;
      pending.first = i == first;
    }
    session_->acquire(count);
    session_->submit(std::move(slice));
  }
  return AsyncResult(std::move(state));
}

void Session::cancel(const std::shared_ptr<ResultState>& state) {
  boost::asio::post(io_, [self = shared_from_this(), state] {
    if (state->many.empty()) {
      self->core_.cancel(self->core_.id_of(state->segment.first_sequence));
    } else {
      self->core_.for_each_task([&](std::uint64_t sequence, std::uint64_t cookie) {
        if (reinterpret_cast<Segment*>(cookie)->state == state) self->core_.cancel(self->core_.id_of(sequence));
      });
    }
    if (self->loop_) self->loop_->turn();
  });
}

// Numbers are given on the loop, in the order of submission; results that came already know theirs.
std::vector<wire::TaskId> Session::ids_of(const std::shared_ptr<ResultState>& state) {
  std::vector<std::uint64_t> sequences(state->total);
  std::promise<void> done;
  boost::asio::post(io_, [&] {
    take_pending();
    core_.for_each_task([&](std::uint64_t sequence, std::uint64_t cookie) {
      const auto* segment = reinterpret_cast<const Segment*>(cookie);
      if (segment->state == state) sequences[segment->first_index + (sequence - segment->first_sequence)] = sequence;
    });
    done.set_value();
  });
  done.get_future().wait();
  std::vector<wire::TaskId> ids;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    ids.push_back({id_, sequences[i] != 0 ? sequences[i] : state->outcome(i).sequence});
  }
  return ids;
}

boost::system::result<std::unique_ptr<Client>> Client::connect(Options options) {
  auto session = std::make_shared<Session>(options, nullptr);
  if (const auto error = session->open(options)) return error;
  session->start_thread();
  return std::unique_ptr<Client>(new Client(std::move(session)));
}

boost::system::result<std::unique_ptr<Client>> Client::connect(Options options, boost::asio::io_context& io) {
  auto session = std::make_shared<Session>(options, &io);
  if (const auto error = session->open(options)) return error;
  return std::unique_ptr<Client>(new Client(std::move(session)));
}

Client::~Client() { session_->close(); }

std::optional<std::string> Client::request(std::string_view json, std::chrono::nanoseconds timeout) {
  return session_->request(json, timeout);
}

bool Client::wait_for_engines(std::size_t engines, std::chrono::nanoseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline && refusal().empty()) {
    const auto left = deadline - std::chrono::steady_clock::now();
    const auto answer = request(R"({"what":"status"})", left);
    if (!answer) return false;
    const auto value = boost::json::parse(*answer);
    if (value.at("engines").at("live").to_number<std::uint64_t>() >= engines) return true;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(std::chrono::milliseconds(5), left));
  }
  return false;
}

std::vector<wire::TaskId> Client::ids_of(const AsyncResult& result) {
  return result.size() == 0 ? std::vector<wire::TaskId>() : session_->ids_of(result.state_);
}

void Client::cancel(const wire::TaskId& task) { session_->cancel(task); }
std::string Client::refusal() const { return session_->refusal(); }
bus::Connection& Client::connection() { return session_->connection(); }

}  // namespace covey::client

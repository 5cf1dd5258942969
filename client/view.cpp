#include "client/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "client/session.hpp"
#include "client/submission.hpp"

namespace covey::client {

namespace {

// A slice of a large map, so that submitting and running overlap.
constexpr std::size_t kMapSlice = 4096;

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

wire::Payload chunk_of(std::size_t first, std::size_t count, const std::function<wire::Payload(std::size_t)>& take) {
  wire::Writer run, content;
  for (std::size_t i = first; i < first + count; ++i) {
    const wire::Payload input = take(i);
    content.clear();
    wire::encode_content(content, input.codec, input.buffer.span());
    wire::append_to_run(run, content.span());
  }
  return {wire::Codec::bytes, wire::Buffer::copy_of(run.span())};
}

}  // namespace

const std::shared_ptr<SpecText>& LoadBalancedView::spec_for(std::string_view function, bool chunked) {
  if (scheme_ == Scheme::direct) require_direct(options);
  wire::TaskSpec wanted = spec_of(function, options);
  wanted.chunked = chunked;
  if (!spec_ || !(cached_ == wanted)) {
    spec_ = session_->share_spec(wanted);
    cached_ = std::move(wanted);
  }
  return spec_;
}

// ---- one task ----

Prepared LoadBalancedView::prepare(std::string_view function, wire::Payload&& args) {
  Prepared prepared{nullptr, spec_for(function, false), {}};
  put_args(prepared.pending, std::move(args), session_->max_payload());
  prepared.pending.extras = extras_of(options);
  prepared.pending.scheme = scheme_;
  prepared.state = std::make_shared<ResultState>(session_);
  return prepared;
}

std::shared_ptr<Prepared> LoadBalancedView::prepare_later(std::string_view function, wire::Payload&& args) {
  return std::make_shared<Prepared>(prepare(function, std::move(args)));
}

AsyncResult LoadBalancedView::apply(std::string_view function, wire::Payload args) {
  Prepared prepared = prepare(function, std::move(args));
  session_->acquire(1);
  if (!submit(prepared)) throw std::runtime_error(make_error_code(Errc::closed).message());
  return AsyncResult(std::move(prepared.state));
}

boost::system::result<AsyncResult> LoadBalancedView::try_apply(std::string_view function, wire::Payload args) {
  Prepared prepared = prepare(function, std::move(args));
  if (!session_->window().try_acquire(1)) return make_error_code(Errc::queue_full);
  if (!submit(prepared)) return make_error_code(Errc::closed);
  return AsyncResult(std::move(prepared.state));
}

boost::asio::any_io_executor LoadBalancedView::loop_of(const Prepared& prepared) { return prepared.state->session->executor(); }
AsyncResult LoadBalancedView::result_of(const Prepared& prepared) { return AsyncResult(prepared.state); }

// The window says once whether there is room, on whichever thread makes it.
void LoadBalancedView::submit_later(std::shared_ptr<Prepared> prepared, const std::shared_ptr<std::uint64_t>& waiter,
                                    std::shared_ptr<Completion> completion) {
  Window& window = prepared->state->session->window();
  *waiter = window.acquire_later(1, [prepared = std::move(prepared), completion = std::move(completion)](bool room) {
    const bool submitted = room && submit(*prepared);
    completion->complete(submitted ? boost::system::error_code() : make_error_code(Errc::closed));
  });
}

void LoadBalancedView::give_up(Prepared& prepared, std::uint64_t waiter, Completion& completion) {
  if (prepared.state->session->window().forget(waiter)) completion.complete(boost::asio::error::operation_aborted);
}

// ---- maps ----

AsyncResult LoadBalancedView::map(std::string_view function, std::vector<std::string> inputs, const MapOptions& map_options) {
  return map_inputs(function, inputs.size(), [&](std::size_t i) { return payload_of(std::move(inputs[i])); }, map_options);
}

AsyncResult LoadBalancedView::map_payloads(std::string_view function, std::vector<wire::Payload>&& inputs, const MapOptions& map_options) {
  return map_inputs(function, inputs.size(), [&](std::size_t i) { return std::move(inputs[i]); }, map_options);
}

void LoadBalancedView::submit_slice(std::string_view function, const std::shared_ptr<ResultState>& state, const Slice& slice, const Take& take) {
  const auto spec = spec_for(function, slice.chunk > 1);
  const auto extras = extras_of(options);
  auto segment = std::make_unique<Segment>();
  segment->state = state;
  segment->first_index = slice.first;
  segment->elements = slice.count;
  segment->chunk = slice.chunk > 1 ? slice.chunk : 0;
  std::vector<Session::Pending> tasks;
  tasks.reserve((slice.count + slice.chunk - 1) / slice.chunk);
  const std::size_t end = slice.first + slice.count;
  for (std::size_t i = slice.first; i < end; i += slice.chunk) {
    Session::Pending& pending = tasks.emplace_back();
    put_args(pending, slice.chunk > 1 ? chunk_of(i, std::min(slice.chunk, end - i), take) : take(i), session_->max_payload());
    pending.extras = extras;
    pending.spec = spec.get();
    pending.scheme = scheme_;
  }
  submit_all(*session_, std::move(tasks), std::move(segment));
}

AsyncResult LoadBalancedView::map_inputs(std::string_view function, std::size_t count, const Take& take, const MapOptions& map_options) {
  if (map_options.chunk == 0) throw std::invalid_argument("a map's chunk must have at least 1 input, got 0");
  auto state = std::make_shared<ResultState>(session_);
  state->hold_many(count);
  state->in_order = map_options.ordered;
  if (count == 0) return AsyncResult(std::move(state));
  const std::size_t chunk = std::min(map_options.chunk, count);
  // On the loop all goes at once or nothing does.
  const std::size_t slice = session_->on_loop() ? count : std::max<std::size_t>(1, kMapSlice / chunk) * chunk;
  for (std::size_t first = 0; first < count; first += slice) {
    try {
      submit_slice(function, state, {first, std::min(slice, count - first), chunk}, take);
    } catch (...) {
      // Nobody will ever hold the result of what went before.
      if (first > 0) session_->cancel(state);
      throw;
    }
  }
  return AsyncResult(std::move(state));
}

}  // namespace covey::client

#include "client/submission.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "client/error.hpp"
#include "common/wire/records.hpp"

namespace covey::client {

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

std::string extras_of(const TaskOptions& options) {
  if (options.after.tasks.empty() && options.follow.tasks.empty() && options.idempotency_key.empty()) return {};
  wire::Writer out;
  wire::encode_extras(out, {options.after, options.follow, options.idempotency_key});
  return std::string(wire::as_text(out.span()));
}

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

bool submit(Prepared& prepared) {
  Segment& segment = prepared.state->segment;
  segment.state = prepared.state;  // the loop breaks this circle with the result
  segment.submitted_unix_us = unix_us_now();
  prepared.pending.segment = &segment;
  prepared.pending.spec = prepared.spec.get();
  prepared.pending.first = true;
  if (prepared.state->session->submit(std::move(prepared.pending))) return true;
  segment.state = nullptr;
  return false;
}

void submit_all(Session& session, std::vector<Session::Pending> pending, std::unique_ptr<Segment> segment) {
  session.acquire(pending.size());
  segment->left = pending.size();
  segment->submitted_unix_us = unix_us_now();
  for (auto& one : pending) one.segment = segment.get();
  pending.front().first = true;
  if (!session.submit(std::move(pending))) throw std::runtime_error(make_error_code(Errc::closed).message());
  segment.release();  // the loop deletes it with its last result, and may have done so already
}

std::int64_t unix_us_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace covey::client

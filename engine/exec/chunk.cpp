#include "engine/exec/chunk.hpp"

#include <fmt/format.h>

#include <chrono>

#include "common/wire/records.hpp"
#include "engine/exec/report.hpp"

namespace covey::engine {

namespace {

// The sum of what became of the elements.
class Tally {
 public:
  void add(const Outcome& outcome) {
    const std::size_t index = elements_++;
    if (outcome.status == wire::TaskStatus::ok) return;
    if (failed_++ == 0) first_ = fmt::format("element {}: {}", index, outcome.error);
    if (status_ == wire::TaskStatus::ok || outcome.status == wire::TaskStatus::failed) status_ = outcome.status;
  }
  Outcome outcome(wire::Payload value) const {
    Outcome outcome{.status = status_, .value = std::move(value)};
    if (failed_ > 0) outcome.error = fmt::format("{} of the chunk's {} elements did not succeed; {}", failed_, elements_, first_);
    return outcome;
  }

 private:
  std::size_t elements_ = 0, failed_ = 0;
  wire::TaskStatus status_ = wire::TaskStatus::ok;
  std::string first_;
};

Outcome run_element(const Function& function, CallContext& context, const wire::Payload& whole, wire::ByteSpan content) {
  if (context.over_limit()) return failure(wire::TaskStatus::timed_out, "the chunk ran longer than its limit");
  if (context.cancelled()) return failure(wire::TaskStatus::cancelled, "the chunk was cancelled while it ran");
  const auto args = wire::decode_content(content);
  if (!args || args->reference) return failure(wire::TaskStatus::bad_arguments, "malformed element of a chunk");
  const auto offset = static_cast<std::size_t>(args->bytes.data() - whole.buffer.data());
  const auto bytes = args->bytes.empty() ? wire::Buffer() : whole.buffer.slice(offset, args->bytes.size());
  return run_guarded(function, context, {args->codec, bytes});
}

void append_report(wire::Writer& reports, wire::Writer& scratch, wire::Writer& content, wire::RunReport report, const wire::Payload& value) {
  content.clear();
  if (!value.buffer.empty() || value.codec != wire::Codec::json) wire::encode_content(content, value.codec, value.buffer.span());
  report.content = content.span();
  scratch.clear();
  wire::encode_report(scratch, report);
  wire::append_to_run(reports, scratch.span());
}

}  // namespace

Outcome run_chunk(const Function& function, CallContext& context, const wire::Payload& contents) {
  using Clock = std::chrono::steady_clock;
  Tally tally;
  wire::Writer reports, scratch, content;
  wire::Reader in(contents.buffer.span());
  while (const auto element = wire::next_of_run(in)) {
    const auto unix_time = std::chrono::system_clock::now().time_since_epoch();
    const auto started = Clock::now();
    const Outcome outcome = run_element(function, context, contents, *element);
    const std::chrono::nanoseconds took = Clock::now() - started;
    tally.add(outcome);
    const auto report = report_of(outcome, std::chrono::duration_cast<std::chrono::microseconds>(unix_time).count(), took.count());
    append_report(reports, scratch, content, report, outcome.value);
  }
  if (!in.ok()) return failure(wire::TaskStatus::bad_arguments, "malformed chunk");
  Outcome outcome = tally.outcome({wire::Codec::bytes, wire::Buffer::copy_of(reports.span())});
  if (context.cancelled()) outcome.status = context.over_limit() ? wire::TaskStatus::timed_out : wire::TaskStatus::cancelled;
  return outcome;
}

}  // namespace covey::engine

#include "controller/http/task_store.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace covey::api {

namespace asio = boost::asio;

TaskStore::TaskStore(asio::io_context& io, Gateway& gateway, BlobStore& blobs, const Limits& limits)
    : io_(io), gateway_(gateway), blobs_(blobs), limits_(limits), taker_(gateway.enroll(*this)) {}

std::uint64_t TaskStore::add(std::uint32_t spec, const wire::Payload& args, wire::ByteSpan extras) {
  const bool large = args.buffer.size() > wire::kInlinePayloadBytes;
  wire::Writer content;
  if (!large) wire::encode_content(content, args.codec, args.buffer.span());
  const std::uint64_t sequence = gateway_.submit({spec, content.span(), large ? &args : nullptr, extras, taker_, 0});
  TaskRecord& record = records_[sequence];
  record.sequence = sequence;
  record.spec = spec;
  record.content = wire::SmallBytes(content.span());
  if (large) record.large = args;
  record.extras = wire::SmallBytes(extras);
  record.submitted_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return sequence;
}

std::uint64_t TaskStore::submit(const std::vector<TaskRequest>& requests) {
  std::uint64_t first = 0;
  for (const auto& request : requests) {
    wire::Writer extras;
    if (!request.extras.after.tasks.empty() || !request.extras.follow.tasks.empty() || !request.extras.idempotency_key.empty()) {
      wire::SubmitExtras named = request.extras;
      for (const auto& [follow, position, task] : request.earlier) {
        (follow ? named.follow : named.after).tasks[position].task = gateway_.id_of(first + task);
      }
      wire::encode_extras(extras, named);
    }
    const auto sequence = add(gateway_.acquire_spec(request.spec), request.args, extras.span());
    if (first == 0) first = sequence;
  }
  return first;
}

std::uint64_t TaskStore::submit_again(const TaskRecord& record) {
  wire::Writer extras;
  wire::Payload args = record.large;
  if (args.buffer.empty()) {
    const auto content = wire::decode_content(record.content.span());
    args = {content->codec, wire::Buffer::copy_of(content->bytes)};
  }
  if (auto named = wire::decode_extras(record.extras.span()); named && record.extras.size() > 0) {
    named->idempotency_key.clear();  // with the same key it would only share the old outcome
    if (!named->after.tasks.empty() || !named->follow.tasks.empty()) wire::encode_extras(extras, *named);
  }
  return add(gateway_.acquire_spec(wire::TaskSpec(gateway_.spec(record.spec))), args, extras.span());
}

TaskRecord* TaskStore::find(std::uint64_t sequence) {
  const auto found = records_.find(sequence);
  return found == records_.end() ? nullptr : &found->second;
}

void TaskStore::forget(std::uint64_t sequence) {
  const auto found = records_.find(sequence);
  if (found == records_.end() || !found->second.ended) return;
  --ended_count_;
  ended_bytes_ -= found->second.bytes();
  if (!found->second.value.id.empty()) blobs_.remove(found->second.value.id);
  gateway_.release_spec(found->second.spec);
  records_.erase(found);
}

asio::awaitable<void> TaskStore::wait(std::uint64_t sequence, std::chrono::steady_clock::time_point until) {
  TaskRecord* record = find(sequence);
  if (record == nullptr || record->ended) co_return;
  asio::steady_timer timer(io_, until);
  record->waiting.push_back(&timer);
  struct Leave {  // also when the connection ends meanwhile
    TaskStore& store;
    std::uint64_t sequence;
    asio::steady_timer* timer;
    ~Leave() {
      if (TaskRecord* left = store.find(sequence)) std::erase(left->waiting, timer);
    }
  } leave{*this, sequence, &timer};
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

void TaskStore::on_result(std::uint64_t, const client::ResultView& result) {
  TaskRecord* record = find(result.sequence);
  if (record == nullptr) return;
  wire::Writer report;
  const wire::Payload value = value_beyond(result, limits_.value_bytes);
  if (!value.buffer.empty()) {
    const auto id = value_id(wire::to_string(gateway_.id_of(result.sequence)));
    record->value = {value.codec, value.buffer.size(), blobs_.keep_value(id, value.buffer) ? id : std::string()};
    encode_without_value(report, result);
  } else {
    encode_whole(report, result);
  }
  record->ended = true;
  record->report = wire::SmallBytes(report.span());
  record->attempts = result.attempts;
  record->engine = result.engine;
  for (auto* timer : std::exchange(record->waiting, {})) timer->cancel();
  ended_.push_back(result.sequence);
  ++ended_count_;
  ended_bytes_ += record->bytes();
  hold_to_limits();
}

void TaskStore::hold_to_limits() {
  while (ended_.size() > 1 && (ended_count_ > limits_.history_tasks || ended_bytes_ > limits_.history_bytes || ended_.size() > 2 * ended_count_ + 1024)) {
    const auto oldest = ended_.front();
    ended_.pop_front();
    if (!records_.contains(oldest)) continue;  // forgotten already
    ++dropped_;
    forget(oldest);
  }
}

}  // namespace covey::api

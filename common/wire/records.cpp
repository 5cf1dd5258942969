#include "common/wire/records.hpp"

#include <algorithm>

namespace covey::wire {
namespace {

constexpr std::uint8_t kReferenceBit = 0x80;  // in a content's codec byte and in a report's status byte
constexpr std::uint8_t kOutputBit = 0x40;     // in a report's status byte
constexpr std::uint8_t kStatusMask = 0x3f;
// A time that no task lasts, so that clocks may add it to the present: a hundred years.
constexpr std::uint64_t kLongestMs = 100ULL * 365 * 24 * 3600 * 1000;

void type(Writer& out, RecordType value) { out.u8(static_cast<std::uint8_t>(value)); }

template <class Id>
void id64(Writer& out, Id id) {
  out.fixed(static_cast<std::uint64_t>(id));
}
template <class Id>
Id id64(Reader& in) {
  return static_cast<Id>(in.fixed<std::uint64_t>());
}

void task_id(Writer& out, const TaskId& id) {
  id64(out, id.session);
  out.varint(id.sequence);
}
TaskId task_id(Reader& in) {
  TaskId id;
  id.session = id64<SessionId>(in);
  id.sequence = in.varint();
  return id;
}

void reference(Writer& out, const BlobReference& blob) {
  id64(out, blob.holder);
  out.u8(blob.holder_role);
  out.varint(blob.blob);
  out.varint(blob.size);
}
BlobReference reference(Reader& in) {
  BlobReference blob;
  blob.holder = id64<Incarnation>(in);
  blob.holder_role = in.u8();
  blob.blob = in.varint();
  blob.size = in.varint();
  if (blob.size == 0 || blob.holder_role > 2) in.fail();
  return blob;
}

bool flag(Reader& in) {
  const auto value = in.u8();
  if (value > 1) in.fail();
  return value == 1;
}

}  // namespace

void encode_content(Writer& out, Codec codec, ByteSpan bytes) {
  out.u8(static_cast<std::uint8_t>(codec));
  out.raw(bytes);
}

void encode_content(Writer& out, Codec codec, const BlobReference& blob) {
  out.u8(static_cast<std::uint8_t>(codec) | kReferenceBit);
  reference(out, blob);
}

std::optional<ContentView> decode_content(ByteSpan content) {
  ContentView view;
  if (content.empty()) return view;
  const auto tag = static_cast<std::uint8_t>(content[0]);
  const auto codec = static_cast<std::uint8_t>(tag & ~kReferenceBit);
  if (codec < 1 || codec > 3) return std::nullopt;
  view.codec = static_cast<Codec>(codec);
  if ((tag & kReferenceBit) == 0) {
    view.bytes = content.subspan(1);
    return view;
  }
  Reader in(content.subspan(1));
  view.reference = reference(in);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return view;
}

bool is_reference(ByteSpan content) {
  return !content.empty() && (static_cast<std::uint8_t>(content[0]) & kReferenceBit) != 0;
}

void encode(Writer& out, const SpecRecord& record) {
  type(out, RecordType::spec);
  out.varint(record.number);
  out.bytes(record.spec);
}
void decode(Reader& in, SpecRecord& record) {
  record.number = in.varint();
  record.spec = in.bytes();
}

void encode(Writer& out, const SubmitRecord& record) {
  type(out, RecordType::submit);
  out.varint(record.spec);
  out.varint(record.sequence);
  out.u8(static_cast<std::uint8_t>((record.extras.empty() ? 0 : 1) | (record.resubmitted ? 2 : 0)));
  out.bytes(record.content);
  if (!record.extras.empty()) out.bytes(record.extras);
}
void decode(Reader& in, SubmitRecord& record) {
  record.spec = in.varint();
  record.sequence = in.varint();
  const auto flags = in.u8();
  if (flags > 3) in.fail();
  record.content = in.bytes();
  record.extras = (flags & 1) != 0 ? in.bytes() : ByteSpan{};
  record.resubmitted = (flags & 2) != 0;
}

void encode(Writer& out, const CancelRecord& record) {
  type(out, RecordType::cancel);
  task_id(out, record.task);
}
void decode(Reader& in, CancelRecord& record) { record.task = task_id(in); }

void encode_request(Writer& out, RecordType which, const RequestRecord& record) {
  type(out, which);
  out.varint(record.number);
  out.text(record.json);
}
void decode(Reader& in, RequestRecord& record) {
  record.number = in.varint();
  record.json = in.text();
}

void encode(Writer& out, const TakenRecord& record) {
  type(out, RecordType::taken);
  out.varint(record.sequence);
  out.u8(static_cast<std::uint8_t>(record.outcome));
  reference(out, record.blob);
}
void decode(Reader& in, TakenRecord& record) {
  record.sequence = in.varint();
  const auto outcome = in.u8();
  if (outcome > static_cast<std::uint8_t>(TakenOutcome::unreachable)) return in.fail();
  record.outcome = static_cast<TakenOutcome>(outcome);
  record.blob = reference(in);
}

void encode(Writer& out, const ResultRecord& record) {
  type(out, RecordType::result);
  out.varint(record.sequence);
  out.varint(record.attempts);
  id64(out, record.engine);
  out.bytes(record.report);
}
void decode(Reader& in, ResultRecord& record) {
  record.sequence = in.varint();
  record.attempts = static_cast<std::uint32_t>(in.varint());
  record.engine = id64<Incarnation>(in);
  record.report = in.bytes();
}

void encode(Writer& out, const WindowRecord& record) {
  type(out, RecordType::window);
  out.varint(record.tasks);
}
void decode(Reader& in, WindowRecord& record) { record.tasks = in.varint(); }

void encode(Writer& out, const RunRecord& record) {
  type(out, RecordType::run);
  out.varint(record.spec);
  out.fixed(record.handle);
  task_id(out, record.task);
  out.bytes(record.content);
}
void decode(Reader& in, RunRecord& record) {
  record.spec = in.varint();
  record.handle = in.fixed<std::uint64_t>();
  record.task = task_id(in);
  record.content = in.bytes();
}

void encode(Writer& out, const RecallRecord& record) {
  type(out, RecordType::recall);
  out.varint(record.count);
}
void decode(Reader& in, RecallRecord& record) { record.count = in.varint(); }

void encode(Writer& out, const StopRunRecord& record) {
  type(out, RecordType::stop_run);
  out.fixed(record.handle);
}
void decode(Reader& in, StopRunRecord& record) { record.handle = in.fixed<std::uint64_t>(); }

void encode(Writer& out, const DrainRecord& record) {
  type(out, RecordType::drain);
  out.u8(static_cast<std::uint8_t>(record.mode));
}
void decode(Reader& in, DrainRecord& record) {
  const auto mode = in.u8();
  if (mode > static_cast<std::uint8_t>(DrainMode::leave)) return in.fail();
  record.mode = static_cast<DrainMode>(mode);
}

void encode(Writer& out, const ReleaseRecord& record) {
  type(out, RecordType::release);
  out.varint(record.blob);
}
void decode(Reader& in, ReleaseRecord& record) { record.blob = in.varint(); }

void encode(Writer& out, const SpillRecord& record) {
  type(out, RecordType::spill);
  out.varint(record.blob);
  out.varint(record.size);
}
void decode(Reader& in, SpillRecord& record) {
  record.blob = in.varint();
  record.size = in.varint();
}

void encode(Writer& out, const FinishedRecord& record) {
  type(out, RecordType::finished);
  out.fixed(record.handle);
  task_id(out, record.task);
  out.bytes(record.report);
}
void decode(Reader& in, FinishedRecord& record) {
  record.handle = in.fixed<std::uint64_t>();
  record.task = task_id(in);
  record.report = in.bytes();
}

void encode(Writer& out, const ReturnedRecord& record) {
  type(out, RecordType::returned);
  out.fixed(record.handle);
}
void decode(Reader& in, ReturnedRecord& record) { record.handle = in.fixed<std::uint64_t>(); }

void encode(Writer& out, const CreditRecord& record) {
  type(out, RecordType::credit);
  out.varint(record.tasks);
  out.varint(record.mean_run_us);
}
void decode(Reader& in, CreditRecord& record) {
  record.tasks = in.varint();
  record.mean_run_us = in.varint();
}

void encode(Writer& out, const UsageRecord& record) {
  type(out, RecordType::usage);
  out.varint(record.memory_bytes);
}
void decode(Reader& in, UsageRecord& record) { record.memory_bytes = in.varint(); }

void encode(Writer& out, const AdoptRecord& record) {
  type(out, RecordType::adopt);
  task_id(out, record.task);
  out.fixed(record.handle);
}
void decode(Reader& in, AdoptRecord& record) {
  record.task = task_id(in);
  record.handle = in.fixed<std::uint64_t>();
}

void encode_adopted_all(Writer& out) { type(out, RecordType::adopted_all); }

void encode(Writer& out, const AcceptedRecord& record) {
  type(out, RecordType::accepted);
  out.varint(record.frame);
}
void decode(Reader& in, AcceptedRecord& record) { record.frame = in.varint(); }

namespace {
template <class Record>
void skip(Reader& in) {
  Record record;
  decode(in, record);
}
}  // namespace

void skip_record(Reader& in, RecordType type) {
  switch (type) {
    case RecordType::spec: return skip<SpecRecord>(in);
    case RecordType::submit: return skip<SubmitRecord>(in);
    case RecordType::cancel: return skip<CancelRecord>(in);
    case RecordType::request:
    case RecordType::response: return skip<RequestRecord>(in);
    case RecordType::taken: return skip<TakenRecord>(in);
    case RecordType::result: return skip<ResultRecord>(in);
    case RecordType::window: return skip<WindowRecord>(in);
    case RecordType::run: return skip<RunRecord>(in);
    case RecordType::recall: return skip<RecallRecord>(in);
    case RecordType::stop_run: return skip<StopRunRecord>(in);
    case RecordType::drain: return skip<DrainRecord>(in);
    case RecordType::release: return skip<ReleaseRecord>(in);
    case RecordType::finished: return skip<FinishedRecord>(in);
    case RecordType::returned: return skip<ReturnedRecord>(in);
    case RecordType::credit: return skip<CreditRecord>(in);
    case RecordType::adopt: return skip<AdoptRecord>(in);
    case RecordType::adopted_all: return;
    case RecordType::accepted: return skip<AcceptedRecord>(in);
    case RecordType::spill: return skip<SpillRecord>(in);
    case RecordType::usage: return skip<UsageRecord>(in);
  }
}

std::optional<RecordType> next_record(Reader& in) {
  if (in.at_end()) return std::nullopt;
  const auto value = in.u8();
  if (value < 1 || value > static_cast<std::uint8_t>(kLastRecordType)) return in.fail(), std::nullopt;
  return static_cast<RecordType>(value);
}

// ---- whole values ----

void encode_spec(Writer& out, const TaskSpec& spec) {
  out.text(spec.function);
  out.text(spec.label);
  out.fixed(spec.priority);
  out.varint(spec.timeout_ms);
  out.varint(spec.run_limit_ms);
  out.varint(spec.max_attempts);
  out.varint(spec.retries);
  out.varint(spec.retry_delay_ms);
  out.varint(spec.targets.size());
  for (const auto target : spec.targets) id64(out, target);
  out.varint(spec.labels.size());
  for (const auto& label : spec.labels) out.text(label);
  out.u8(spec.detached ? 1 : 0);
  out.u8(spec.chunked ? 1 : 0);
  out.text(spec.variable);
}

std::optional<TaskSpec> decode_spec(ByteSpan bytes) {
  Reader in(bytes);
  TaskSpec spec;
  spec.function = in.text();
  spec.label = in.text();
  spec.priority = in.fixed<std::int32_t>();
  spec.timeout_ms = std::min(in.varint(), kLongestMs);
  spec.run_limit_ms = std::min(in.varint(), kLongestMs);
  spec.max_attempts = static_cast<std::uint32_t>(in.varint());
  spec.retries = static_cast<std::uint32_t>(in.varint());
  spec.retry_delay_ms = std::min(in.varint(), kLongestMs);
  for (auto left = in.count(); left > 0 && in.ok(); --left) spec.targets.push_back(id64<Incarnation>(in));
  for (auto left = in.count(); left > 0 && in.ok(); --left) spec.labels.emplace_back(in.text());
  spec.detached = flag(in);
  spec.chunked = flag(in);
  spec.variable = in.text();
  if (!in.ok() || !in.at_end() || spec.function.empty() || spec.max_attempts == 0) return std::nullopt;
  return spec;
}

namespace {

void encode_dependencies(Writer& out, const DependencySet& set) {
  out.u8(static_cast<std::uint8_t>((set.all ? 1 : 0) | (set.success ? 2 : 0) | (set.failure ? 4 : 0)));
  out.varint(set.tasks.size());
  for (const auto& dependency : set.tasks) {
    task_id(out, dependency.task);
    out.u8(static_cast<std::uint8_t>(dependency.known));
  }
}

DependencySet decode_dependencies(Reader& in) {
  DependencySet set;
  const auto flags = in.u8();
  if (flags > 7) in.fail();
  set.all = (flags & 1) != 0;
  set.success = (flags & 2) != 0;
  set.failure = (flags & 4) != 0;
  for (auto left = in.count(); left > 0 && in.ok(); --left) {
    const auto id = task_id(in);
    const auto known = in.u8();
    if (known > 2) in.fail();
    set.tasks.push_back({id, static_cast<Dependency::Known>(known)});
  }
  return set;
}

}  // namespace

void encode_extras(Writer& out, const SubmitExtras& extras) {
  encode_dependencies(out, extras.after);
  encode_dependencies(out, extras.follow);
  out.text(extras.idempotency_key);
}

std::optional<SubmitExtras> decode_extras(ByteSpan bytes) {
  if (bytes.empty()) return SubmitExtras{};
  Reader in(bytes);
  SubmitExtras extras;
  extras.after = decode_dependencies(in);
  extras.follow = decode_dependencies(in);
  extras.idempotency_key = in.text();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return extras;
}

namespace {

void encode_output(Writer& out, const RunOutput& output) {
  out.u8(static_cast<std::uint8_t>((output.out_cut ? 1 : 0) | (output.err_cut ? 2 : 0)));
  out.text(output.out);
  out.text(output.err);
}

RunOutput decode_output(Reader& in) {
  RunOutput output;
  const auto cut = in.u8();
  if (cut > 3) in.fail();
  output.out_cut = (cut & 1) != 0;
  output.err_cut = (cut & 2) != 0;
  output.out = in.text();
  output.err = in.text();
  return output;
}

}  // namespace

void encode_report(Writer& out, const RunReport& report) {
  auto first = static_cast<std::uint8_t>(report.status);
  if (is_reference(report.content)) first |= kReferenceBit;
  if (!report.output.empty()) first |= kOutputBit;
  out.u8(first);
  out.text(report.error);
  out.fixed(report.started_unix_us);
  out.varint(report.duration_us);
  out.bytes(report.content);
  if (!report.output.empty()) encode_output(out, report.output);
}

std::optional<RunReport> decode_report(ByteSpan bytes) {
  Reader in(bytes);
  RunReport report;
  const auto first = in.u8();
  if ((first & kStatusMask) > static_cast<std::uint8_t>(kLastTaskStatus)) return std::nullopt;
  report.status = static_cast<TaskStatus>(first & kStatusMask);
  report.error = in.text();
  report.started_unix_us = in.fixed<std::int64_t>();
  report.duration_us = in.varint();
  report.content = in.bytes();
  if ((first & kOutputBit) != 0) report.output = decode_output(in);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return report;
}

TaskStatus report_status(ByteSpan report) {
  return report.empty() ? TaskStatus::failed : static_cast<TaskStatus>(static_cast<std::uint8_t>(report[0]) & kStatusMask);
}

std::optional<BlobReference> report_reference(ByteSpan report) {
  if (!report_has_reference(report)) return std::nullopt;
  const auto decoded = decode_report(report);
  const auto content = decoded ? decode_content(decoded->content) : std::nullopt;
  return content ? content->reference : std::nullopt;
}

bool report_has_reference(ByteSpan report) {
  return !report.empty() && (static_cast<std::uint8_t>(report[0]) & kReferenceBit) != 0;
}

void append_to_run(Writer& run, ByteSpan item) { run.bytes(item); }

std::optional<ByteSpan> next_of_run(Reader& run) {
  if (run.at_end()) return std::nullopt;
  const auto item = run.bytes();
  return run.ok() ? std::optional(item) : std::nullopt;
}

}  // namespace covey::wire

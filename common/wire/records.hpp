// What peers say to one another inside frames. Each record is a type byte and fields; a data frame is a run of records.
// Strings and contents that are views point into the frame they were decoded from. No I/O, no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/wire/bytes.hpp"
#include "common/wire/frame.hpp"
#include "common/wire/ids.hpp"
#include "common/wire/payload.hpp"
#include "common/wire/status.hpp"

namespace covey::wire {

enum class RecordType : std::uint8_t {
  spec = 1,       // client → controller → engine: what a run of tasks has in common
  submit = 2,     // client → controller (or engine, scheme direct)
  cancel = 3,     // client → controller
  request = 4,    // client → controller: an administrative question, JSON
  taken = 5,      // client → controller (or engine, scheme direct): a referenced result has been read, or cannot be
  result = 6,     // controller (or engine, scheme direct) → client
  window = 7,     // controller → client: how many unfinished tasks it may have
  response = 8,   // controller → client
  run = 9,        // controller → engine
  recall = 10,    // controller → engine: give back unstarted tasks; engine → controller: all that could be has been
  stop_run = 11,  // controller → engine: cancel one
  drain = 12,     // controller → engine: take no more tasks, take some again, or leave; engine → controller: which of these it does
  release = 13,   // controller → engine, client: a payload of yours is wanted no more, or has been taken over
  finished = 14,  // engine → controller
  returned = 15,  // engine → controller: recalled, never started
  credit = 16,    // engine → controller
  adopt = 17,     // engine → controller, after a new link: a task of an older link that it still has
  adopted_all = 18,  // engine → controller: no more adopt records follow
  accepted = 19,  // engine → client, scheme direct: this frame's tasks are mine
  spill = 20,     // engine, client → controller: I am leaving, take over this payload
  usage = 21,     // engine → controller: what its process takes of its machine
};
inline constexpr auto kLastRecordType = RecordType::usage;

// ---- contents: the encoded form of a payload, which the controller passes on unread ----

// A payload that stays with its holder until somebody needs it.
struct BlobReference {
  Incarnation holder = Incarnation::none;
  std::uint8_t holder_role = 0;  // a wire::Role
  std::uint64_t blob = 0;        // the holder's own number for it
  std::uint64_t size = 0;        // bytes
  auto operator<=>(const BlobReference&) const = default;
};

struct ContentView {
  Codec codec = Codec::json;
  ByteSpan bytes;                        // where the payload is inline
  std::optional<BlobReference> reference;  // where it is not
};

void encode_content(Writer& out, Codec codec, ByteSpan bytes);
void encode_content(Writer& out, Codec codec, const BlobReference& reference);
// nullopt: malformed. An empty content is the JSON payload of no bytes.
std::optional<ContentView> decode_content(ByteSpan content);
bool is_reference(ByteSpan content);

// ---- what tasks have in common ----

struct TaskSpec {
  std::string function;
  std::string label;                 // for people and filters
  std::int32_t priority = 0;         // higher runs first
  std::uint64_t timeout_ms = 0;      // from submission to completion; 0: none
  std::uint64_t run_limit_ms = 0;    // of one attempt; 0: none
  std::uint32_t max_attempts = 3;    // attempts that the loss of an engine may cost; 1: at most once
  std::uint32_t retries = 0;         // further runs after the function failed
  std::uint64_t retry_delay_ms = 0;  // before the first retry; doubles with each
  std::vector<Incarnation> targets;  // engines that may run it; empty: any
  std::vector<std::string> labels;   // "name=value" pairs that its engine must have
  bool detached = false;             // results wait in the controller until asked for
  bool chunked = false;              // its content is a run of contents, its value a run of reports; see below
  std::string variable;              // of the engine, where the function works on one; else empty
  bool operator==(const TaskSpec&) const = default;
};

// A task that another waits for, and how it ended where the client has seen its result already.
struct Dependency {
  enum class Known : std::uint8_t { no = 0, succeeded = 1, failed = 2 };
  TaskId task;
  Known known = Known::no;
  bool operator==(const Dependency&) const = default;
};

// When dependencies count as met: IPython parallel's Dependency(all, success, failure).
struct DependencySet {
  std::vector<Dependency> tasks;
  bool all = true;      // or any
  bool success = true;  // a success meets it
  bool failure = false; // a failure meets it
  bool operator==(const DependencySet&) const = default;
};

// The rarely used part of a submission.
struct SubmitExtras {
  DependencySet after;   // these have to have ended
  DependencySet follow;  // and it has to run where one of these did
  std::string idempotency_key;
  bool operator==(const SubmitExtras&) const = default;
};

// ---- records ----

struct SpecRecord {
  std::uint64_t number = 0;  // the sender's, valid on this link
  ByteSpan spec;             // an encoded TaskSpec
};
struct SubmitRecord {
  std::uint64_t spec = 0;
  std::uint64_t sequence = 0;
  ByteSpan content;
  ByteSpan extras;           // an encoded SubmitExtras, or empty
  bool resubmitted = false;  // an earlier controller had it, and may have started it
};
struct CancelRecord {
  TaskId task;
};
struct RequestRecord {
  std::uint64_t number = 0;
  std::string_view json;
};
using ResponseRecord = RequestRecord;
enum class TakenOutcome : std::uint8_t {
  read = 0,
  gone = 1,         // its holder no longer has it
  unreachable = 2,  // its holder does not answer
};
struct TakenRecord {
  std::uint64_t sequence = 0;
  TakenOutcome outcome = TakenOutcome::read;
  BlobReference blob;
};
// `report` is an encoded RunReport; the controller reads no more of it than its first byte.
struct ResultRecord {
  std::uint64_t sequence = 0;
  std::uint32_t attempts = 0;
  Incarnation engine = Incarnation::none;
  ByteSpan report;
};
struct WindowRecord {
  std::uint64_t tasks = 0;
};
struct RunRecord {
  std::uint64_t spec = 0;
  std::uint64_t handle = 0;  // the controller's name for this attempt
  TaskId task;
  ByteSpan content;
};
struct RecallRecord {
  std::uint64_t count = 0;
};
struct StopRunRecord {
  std::uint64_t handle = 0;
};
enum class DrainMode : std::uint8_t {
  resume = 0,  // take tasks
  drain = 1,   // finish what runs and take no more
  leave = 2,   // and then end the process
};
struct DrainRecord {
  DrainMode mode = DrainMode::drain;
};
struct ReleaseRecord {
  std::uint64_t blob = 0;
};
struct SpillRecord {
  std::uint64_t blob = 0;
  std::uint64_t size = 0;
};
struct FinishedRecord {
  std::uint64_t handle = 0;  // kAdoptedBit alone: finished on an older link, and only the task's id names it
  TaskId task;
  ByteSpan report;
};
struct ReturnedRecord {
  std::uint64_t handle = 0;
};
struct CreditRecord {
  std::uint64_t tasks = 0;         // how many it will hold at once, running ones included
  std::uint64_t mean_run_us = 0;   // how long its tasks take; 0: unknown
};
struct UsageRecord {
  std::uint64_t memory_bytes = 0;  // resident
};
struct AdoptRecord {
  TaskId task;
  std::uint64_t handle = 0;  // the engine's own, with kAdoptedBit: its finished record will name it
};
inline constexpr std::uint64_t kAdoptedBit = 1ULL << 63;
struct AcceptedRecord {
  std::uint64_t frame = 0;
};

// What a run printed, where the function captures it: raw bytes, the end of longer output.
struct RunOutput {
  std::string_view out, err;
  bool out_cut = false, err_cut = false;  // the beginning is missing
  bool empty() const { return out.empty() && err.empty(); }
};

// How one run went.
struct RunReport {
  TaskStatus status = TaskStatus::ok;
  std::string_view error;              // empty where ok
  std::int64_t started_unix_us = 0;
  std::uint64_t duration_us = 0;
  ByteSpan content;
  RunOutput output{};
};

void encode(Writer& out, const SpecRecord& record);
void encode(Writer& out, const SubmitRecord& record);
void encode(Writer& out, const CancelRecord& record);
void encode_request(Writer& out, RecordType type, const RequestRecord& record);
void encode(Writer& out, const TakenRecord& record);
void encode(Writer& out, const ResultRecord& record);
void encode(Writer& out, const WindowRecord& record);
void encode(Writer& out, const RunRecord& record);
void encode(Writer& out, const RecallRecord& record);
void encode(Writer& out, const StopRunRecord& record);
void encode(Writer& out, const DrainRecord& record);
void encode(Writer& out, const ReleaseRecord& record);
void encode(Writer& out, const SpillRecord& record);
void encode(Writer& out, const FinishedRecord& record);
void encode(Writer& out, const ReturnedRecord& record);
void encode(Writer& out, const CreditRecord& record);
void encode(Writer& out, const UsageRecord& record);
void encode(Writer& out, const AdoptRecord& record);
void encode_adopted_all(Writer& out);
void encode(Writer& out, const AcceptedRecord& record);

// Reads the next record's type; nullopt at the end or on an unknown type (then the reader has failed).
std::optional<RecordType> next_record(Reader& in);

// Reads past the fields of a record whose type byte has been read.
void skip_record(Reader& in, RecordType type);

// Decode the fields after the type byte; on malformed input the reader has failed.
void decode(Reader& in, SpecRecord& record);
void decode(Reader& in, SubmitRecord& record);
void decode(Reader& in, CancelRecord& record);
void decode(Reader& in, RequestRecord& record);
void decode(Reader& in, TakenRecord& record);
void decode(Reader& in, ResultRecord& record);
void decode(Reader& in, WindowRecord& record);
void decode(Reader& in, RunRecord& record);
void decode(Reader& in, RecallRecord& record);
void decode(Reader& in, StopRunRecord& record);
void decode(Reader& in, DrainRecord& record);
void decode(Reader& in, ReleaseRecord& record);
void decode(Reader& in, SpillRecord& record);
void decode(Reader& in, FinishedRecord& record);
void decode(Reader& in, ReturnedRecord& record);
void decode(Reader& in, CreditRecord& record);
void decode(Reader& in, UsageRecord& record);
void decode(Reader& in, AdoptRecord& record);
void decode(Reader& in, AcceptedRecord& record);

// Whole values, without a type byte.
void encode_spec(Writer& out, const TaskSpec& spec);
std::optional<TaskSpec> decode_spec(ByteSpan bytes);
void encode_extras(Writer& out, const SubmitExtras& extras);
std::optional<SubmitExtras> decode_extras(ByteSpan bytes);
void encode_report(Writer& out, const RunReport& report);
std::optional<RunReport> decode_report(ByteSpan bytes);
// The first byte of a report, without reading the rest.
TaskStatus report_status(ByteSpan report);
bool report_has_reference(ByteSpan report);
// nullopt where the report is malformed or its content is inline.
std::optional<BlobReference> report_reference(ByteSpan report);

// A chunk is one task that carries many inputs: the payload of its content is a run of contents, that of its value a run of
// as many reports, each with its length before it, and both payloads have the codec `bytes`.
void append_to_run(Writer& run, ByteSpan item);
// Reads the next item; nullopt at the end, or where the run is malformed (then the reader has failed).
std::optional<ByteSpan> next_of_run(Reader& run);

}  // namespace covey::wire

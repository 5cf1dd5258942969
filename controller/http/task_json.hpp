// Tasks in JSON: what a request may say of one, and how one that has ended is told. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "common/wire/records.hpp"
#include "controller/http/problem.hpp"

namespace covey::api {

struct TaskRequest {
  wire::TaskSpec spec;
  wire::Payload args;
  std::string args_blob;        // where the arguments are this blob's bytes, and not in args
  wire::SubmitExtras extras;    // but for what `earlier` names
  // Positions in `extras.after` and `extras.follow` that name an earlier task of the same list, and that task's place there.
  struct Earlier {
    bool follow = false;
    std::size_t position = 0, task = 0;
  };
  std::vector<Earlier> earlier;
};

// `index` and `prefix` say where in the body it stands: 3 and "tasks[3]", or 0 and "".
Outcome<TaskRequest> parse_task(const boost::json::value& value, std::size_t index, std::string_view prefix);

// The members of a task that say how it is to run, read from an object; those that are not among them are left in
// `others`. For maps, which share them.
Outcome<wire::TaskSpec> parse_spec(const boost::json::object& object, std::string_view prefix, std::vector<std::string_view>& others);

// Parses with a limit on nesting; the problem says where it is wrong.
Outcome<boost::json::value> parse_json(std::string_view text, std::size_t nesting);
// Whether it is one JSON value, with nothing kept of it.
bool is_json(std::string_view text, std::size_t nesting);

// Whether what a run printed is told of each, or only of one that did not succeed.
enum class Printed : std::uint8_t { where_it_failed, always };
// Where the value is that the report does not have.
struct ValueBlob {
  wire::Codec codec = wire::Codec::json;
  std::uint64_t bytes = 0;  // 0: the report has it
  std::string id;           // empty: it is not kept
};
// Appends the members of a task that has ended, without braces: "status", "value" or "error", and so on.
void append_outcome(std::string& out, wire::ByteSpan report, std::uint32_t attempts, wire::Incarnation engine, Printed printed,
                    const ValueBlob& blob = {});
void append_quoted(std::string& out, std::string_view text);
// A Unix time in microseconds as RFC 3339 has it.
std::string timestamp(std::int64_t unix_us);

std::string encode_base64(std::string_view bytes);
bool decode_base64(std::string_view text, std::string& bytes);

}  // namespace covey::api

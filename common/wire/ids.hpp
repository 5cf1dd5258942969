// Identities: of processes (incarnations), of clients' sessions, of tasks. All are 64-bit; a task's id is text in JSON.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace covey::wire {

// One start of one process: drawn at random when it starts, never used again. Zero means "nobody".
enum class Incarnation : std::uint64_t { none = 0 };

// A client's session: outlives its connections, and its process where tasks are detached.
enum class SessionId : std::uint64_t { none = 0 };

// Text form: 16 lower-case hexadecimal digits.
std::string to_string(Incarnation incarnation);
std::string to_string(SessionId session);
std::optional<std::uint64_t> parse_hex64(std::string_view text);

// A task: the session that submitted it, and its number there, counted from 1.
struct TaskId {
  SessionId session = SessionId::none;
  std::uint64_t sequence = 0;
  auto operator<=>(const TaskId&) const = default;
};

// Text form: "<session>-<sequence>", for example "00c0ffee00c0ffee-17". Never a number in JSON: 64 bits do not fit there.
std::string to_string(const TaskId& id);
std::optional<TaskId> parse_task_id(std::string_view text);

}  // namespace covey::wire

template <>
struct std::hash<covey::wire::TaskId> {
  std::size_t operator()(const covey::wire::TaskId& id) const noexcept {
    return std::hash<std::uint64_t>{}(static_cast<std::uint64_t>(id.session) * 0x9e3779b97f4a7c15ULL ^ id.sequence);
  }
};

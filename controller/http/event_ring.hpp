// The latest events of a cluster, numbered; each stream reads them at its own pace. Bounded: the oldest go. Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace covey::api {

struct Event {
  enum class Type : std::uint8_t { engine, map, queues, task, skipped };
  std::uint64_t number = 0;
  Type type = Type::engine;
  std::string data;                       // JSON
  std::string function, label, status;    // of tasks
};
std::string_view to_string(Event::Type type);

// What a stream wants. Tasks come only where one of the last three is given.
struct EventFilter {
  std::uint8_t types = 0xff;  // bits of 1 << Type
  std::string function{}, label{}, status{};
  bool names(Event::Type type) const { return (types >> static_cast<int>(type) & 1) != 0; }
  bool wants_tasks() const { return names(Event::Type::task) && (!function.empty() || !label.empty() || !status.empty()); }
  bool passes(const Event& event) const;
};

class EventRing {
 public:
  static constexpr std::size_t kKept = 10'000;

  // `era` distinguishes the numbers of this ring from those of others.
  explicit EventRing(std::string era) : era_(std::move(era)) {}

  // Numbers it.
  void add(Event event);
  // One event as a stream of server-sent events has it.
  std::string format(const Event& event) const;
  // The number that an id of ours stands for; nullopt: it is none, or what followed it has been dropped.
  std::optional<std::uint64_t> resume_from(std::string_view id) const;
  std::uint64_t latest() const { return total_; }
  bool has_dropped_after(std::uint64_t number) const { return number < total_ - events_.size(); }
  // The next event after `number` that passes, up to the present; moves `number`.
  const Event* next(std::uint64_t& number, const EventFilter& filter) const;

 private:
  const std::string era_;
  std::deque<Event> events_;
  std::uint64_t total_ = 0;
};

}  // namespace covey::api

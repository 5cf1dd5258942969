// The variables of an engine: payloads under names, which clients push and pull, and functions read. Bounded in bytes. Any
// thread. The bytes are shared with whoever reads them, never copied; a variable is gone with its engine.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/wire/payload.hpp"
#include "engine/exec/function.hpp"

namespace covey::engine {

inline constexpr std::uint64_t kDefaultVariableBytes = std::uint64_t{1} << 30;
inline constexpr std::size_t kLongestVariableName = 255;  // bytes
inline constexpr std::size_t kVariableOverhead = 128;     // bytes that each counts beyond its name and value

class Variables {
 public:
  explicit Variables(std::uint64_t max_bytes = kDefaultVariableBytes) : max_bytes_(max_bytes) {}

  // Sets or replaces it. nullopt: done; else what is in the way: the limit, and what is used.
  std::optional<std::string> set(std::string_view name, wire::Payload value);
  std::optional<wire::Payload> get(std::string_view name) const;
  bool unset(std::string_view name);  // false: there was none
  std::vector<std::string> names() const;
  std::uint64_t bytes() const;

 private:
  static std::uint64_t cost(std::string_view name, const wire::Payload& value) {
    return kVariableOverhead + name.size() + value.buffer.size();
  }

  const std::uint64_t max_bytes_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, wire::Payload, std::less<>> values_;
  std::uint64_t bytes_ = 0;
};

// Adds `push`, which sets the variable that its task names to its arguments, `pull`, which returns it, and `unset`.
// `variables` outlives the table.
void add_variables(FunctionTable& table, Variables& variables);

}  // namespace covey::engine

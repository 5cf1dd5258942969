#include "engine/exec/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/exec/arguments.hpp"

namespace covey::engine {

std::optional<std::string> Variables::set(std::string_view name, wire::Payload value) {
  wire::Payload old;  // freed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(name);
  const std::uint64_t freed = found == values_.end() ? 0 : cost(name, found->second);
  const std::uint64_t wanted = cost(name, value);
  if (bytes_ - freed + wanted > max_bytes_) {
    return fmt::format("'{}' needs {} bytes; the engine's variables may have {} (--variable-mb), and {} are used", name, wanted, max_bytes_,
                       bytes_ - freed);
  }
  bytes_ = bytes_ - freed + wanted;
  if (found == values_.end()) {
    values_.emplace(name, std::move(value));
  } else {
    old = std::exchange(found->second, std::move(value));
  }
  return std::nullopt;
}

std::optional<wire::Payload> Variables::get(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

bool Variables::unset(std::string_view name) {
  wire::Payload old;  // freed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(name);
  if (found == values_.end()) return false;
  bytes_ -= cost(name, found->second);
  old = std::move(found->second);
  values_.erase(found);
  return true;
}

std::vector<std::string> Variables::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, value] : values_) names.push_back(name);
  return names;
}

std::uint64_t Variables::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

// ---- the functions ----

namespace {

constexpr std::size_t kMostNamed = 20;  // variables that an error lists

std::string_view name_in(std::string_view function, const CallContext& context) {
  const auto name = context.variable();
  if (name.empty() || name.size() > kLongestVariableName) {
    throw BadArguments(fmt::format("{}: the task must name a variable, of 1 to {} bytes, as DirectView::{}() does; it names '{}'", function,
                                   kLongestVariableName, function, name.substr(0, kLongestVariableName)));
  }
  return name;
}

Outcome no_variable(std::string_view function, std::string_view name, const Variables& variables) {
  auto names = variables.names();
  const bool all = names.size() <= kMostNamed;
  if (!all) names.resize(kMostNamed);
  const auto there = names.empty() ? std::string("none") : fmt::format("{}{}", fmt::join(names, ", "), all ? "" : ", …");
  return failure(wire::TaskStatus::bad_arguments, fmt::format("{}: no variable '{}' on this engine; there are: {}", function, name, there));
}

Outcome null_outcome() { return {.value = {wire::Codec::json, wire::Buffer::copy_of("null")}}; }

Outcome push(Variables& variables, const CallContext& context, const wire::Payload& args) {
  wire::Payload value = args;
  if (!value.buffer.owning()) value.buffer = wire::Buffer::copy_of(value.buffer.span());
  if (auto problem = variables.set(name_in("push", context), std::move(value))) {
    return failure(wire::TaskStatus::payload_too_large, "push: " + *problem);
  }
  return null_outcome();
}

Outcome pull(const Variables& variables, const CallContext& context) {
  const auto name = name_in("pull", context);
  auto value = variables.get(name);
  return value ? Outcome{.value = std::move(*value)} : no_variable("pull", name, variables);
}

Outcome unset(Variables& variables, const CallContext& context) {
  const auto name = name_in("unset", context);
  return variables.unset(name) ? null_outcome() : no_variable("unset", name, variables);
}

}  // namespace

// Only `pull` is quick for certain: the other two may free what was there.
void add_variables(FunctionTable& table, Variables& variables) {
  using wire::Codec;
  const auto add = [&](FunctionInfo info, Builtin::Body body) { table.add(std::make_unique<Builtin>(std::move(info), std::move(body))); };
  add({"push", "sets a variable of the engine to its arguments", "any", {Codec::json, Codec::bytes, Codec::pickle5}, false},
      [&variables](CallContext& context, const wire::Payload& args) { return push(variables, context, args); });
  add({"pull", "returns a variable of the engine", "none", {Codec::json}, true},
      [&variables](CallContext& context, const wire::Payload&) { return pull(variables, context); });
  add({"unset", "removes a variable of the engine", "none", {Codec::json}, false},
      [&variables](CallContext& context, const wire::Payload&) { return unset(variables, context); });
}

}  // namespace covey::engine

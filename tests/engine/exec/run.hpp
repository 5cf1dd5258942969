// Runs one function of a table as an engine does, and prints outcomes.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "engine/exec/function.hpp"

namespace covey::engine {

inline Outcome run(const FunctionTable& table, std::string_view name, std::string_view args, CallContext& context,
                   wire::Codec codec = wire::Codec::json) {
  return run_guarded(*table.find(name), context, {codec, wire::Buffer::copy_of(args)});
}

inline Outcome run(const FunctionTable& table, std::string_view name, std::string_view args,
                   wire::Codec codec = wire::Codec::json) {
  CallContext context;
  return run(table, name, args, context, codec);
}

// "ok 5", "bad_arguments: sleep: …": one line to compare.
inline std::string text_of(const Outcome& outcome) {
  std::string text(to_string(outcome.status));
  if (!outcome.value.buffer.empty()) text += " " + std::string(outcome.value.buffer.view());
  if (!outcome.error.empty()) text += ": " + outcome.error;
  return text;
}

}  // namespace covey::engine

// The calling convention of built-in functions: the arguments are a JSON array of positional arguments. Refusals name
// the function, the argument, what it must be and what it was.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/exec/function.hpp"

namespace covey::engine {

inline constexpr std::size_t kDeepestJson = 64;  // levels of nesting in arguments

// Thrown while arguments are read, before anything has been done; becomes TaskStatus::bad_arguments.
struct BadArguments : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// The arguments, however many.
boost::json::array parse_arguments(std::string_view function, const wire::Payload& args);
// The only argument.
boost::json::value parse_argument(std::string_view function, const wire::Payload& args);

// The bytes of the only argument as they stand in `text`, checked to be valid JSON but not parsed into a tree.
std::string_view only_argument_text(std::string_view function, std::string_view text);

// "a string", "an object", "null": for error messages.
std::string_view kind_of(const boost::json::value& value);
// "argument 1 (seconds) must be a number ≥ 0, got a string", behind the function's name.
BadArguments wrong_argument(std::string_view function, std::size_t number, std::string_view name,
                            std::string_view wanted, const boost::json::value& got);

Outcome json_outcome(const boost::json::value& value);

// A function made of what describes it and of a body that may throw BadArguments.
class Builtin : public Function {
 public:
  using Body = std::function<Outcome(CallContext&, const wire::Payload&)>;
  Builtin(FunctionInfo info, Body body) : info_(std::move(info)), body_(std::move(body)) {}
  const FunctionInfo& info() const override { return info_; }
  Outcome run(CallContext& context, const wire::Payload& args) const override;

 private:
  FunctionInfo info_;
  Body body_;
};

}  // namespace covey::engine

#include "engine/exec/builtins.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/exec/arguments.hpp"

namespace covey::engine {

namespace json = boost::json;

namespace {

static_assert(std::endian::native == std::endian::little, "sum reads little-endian float64 values as they lie");

constexpr double kLongestSeconds = 1e9;

std::chrono::nanoseconds seconds_argument(std::string_view function, const wire::Payload& args) {
  const auto argument = parse_argument(function, args);
  const auto wrong = [&](std::string_view wanted) { return wrong_argument(function, 1, "seconds", wanted, argument); };
  if (!argument.is_number()) throw wrong("a number ≥ 0");
  const auto seconds = argument.to_number<double>();
  if (!(seconds >= 0)) throw wrong("a number ≥ 0");
  if (seconds > kLongestSeconds) throw wrong("at most 1e9");
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

Outcome null_outcome() { return {.value = {wire::Codec::json, wire::Buffer::copy_of("null")}}; }

// New bytes, never a share of the arguments: what it measures is a result's way.
Outcome echo(CallContext&, const wire::Payload& args) {
  if (args.codec != wire::Codec::json) return {.value = {args.codec, wire::Buffer::copy_of(args.buffer.span())}};
  return {.value = {args.codec, wire::Buffer::copy_of(only_argument_text("echo", args.buffer.view()))}};
}

Outcome sleep(CallContext& context, const wire::Payload& args) {
  context.sleep_for(seconds_argument("sleep", args));
  return null_outcome();
}

Outcome spin(CallContext& context, const wire::Payload& args) {
  const auto until = CallContext::Clock::now() + seconds_argument("spin", args);
  for (auto now = CallContext::Clock::now(); now < until && !context.cancelled(); now = CallContext::Clock::now()) {
    if (context.deadline() && now >= *context.deadline()) context.cancel(true);
  }
  return null_outcome();
}

Outcome fail(CallContext&, const wire::Payload& args) {
  const auto message = parse_argument("fail", args);
  if (!message.is_string()) throw wrong_argument("fail", 1, "message", "a string", message);
  return failure(wire::TaskStatus::failed, std::string(message.get_string()));
}

// As JSON: shortest text that reads back as the same number, and recognisably not an integer.
Outcome number_outcome(double total) {
  if (!std::isfinite(total)) throw BadArguments("sum: the numbers must be finite and their sum too");
  auto text = fmt::format("{}", total);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return {.value = {wire::Codec::json, wire::Buffer(std::move(text))}};
}

Outcome sum_bytes(std::span<const std::byte> bytes) {
  if (bytes.size() % sizeof(double) != 0) {
    throw BadArguments(
        fmt::format("sum: bytes must be whole little-endian float64 values, 8 bytes each, got {} bytes", bytes.size()));
  }
  double total = 0;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(double)) {
    double value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    total += value;
  }
  return number_outcome(total);
}

// Integers add up to an integer for as long as that fits into 64 bits.
Outcome sum_numbers(const json::array& numbers) {
  double total = 0;
  std::int64_t exact = 0;
  bool is_exact = true;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!numbers[i].is_number()) throw wrong_argument("sum", i + 1, "number", "a number", numbers[i]);
    total += numbers[i].to_number<double>();
    is_exact = is_exact && numbers[i].is_int64() && !__builtin_add_overflow(exact, numbers[i].get_int64(), &exact);
  }
  return is_exact ? json_outcome(exact) : number_outcome(total);
}

Outcome sum(CallContext&, const wire::Payload& args) {
  if (args.codec == wire::Codec::bytes) return sum_bytes(args.buffer.span());
  const auto arguments = parse_arguments("sum", args);
  const bool one_array = arguments.size() == 1 && arguments[0].is_array();
  return sum_numbers(one_array ? arguments[0].get_array() : arguments);
}

}  // namespace

void add_builtins(FunctionTable& table) {
  using wire::Codec;
  const auto add = [&](FunctionInfo info, Builtin::Body body) {
    table.add(std::make_unique<Builtin>(std::move(info), std::move(body)));
  };
  add({"echo", "returns its argument as new bytes", "value: any", {Codec::json, Codec::bytes, Codec::pickle5}, true},
      echo);
  add({"sleep", "sleeps, and returns null", "seconds: number", {Codec::json}, false}, sleep);
  add({"spin", "keeps a core busy, and returns null", "seconds: number", {Codec::json}, false}, spin);
  add({"fail", "fails with a message", "message: string", {Codec::json}, true}, fail);
  add({"sum", "adds numbers up", "numbers: any number of them, or one array", {Codec::json, Codec::bytes}, false}, sum);
}

}  // namespace covey::engine

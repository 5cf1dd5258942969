#include "engine/exec/arguments.hpp"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace covey::engine {

namespace json = boost::json;

namespace {

json::parse_options limits() {
  json::parse_options options;
  options.max_depth = kDeepestJson;
  return options;
}

BadArguments not_json(std::string_view function, const boost::system::error_code& error) {
  return BadArguments(
      fmt::format("{}: the arguments must be a JSON array, and are not valid JSON: {}", function, error.message()));
}

BadArguments wrong_count(std::string_view function, std::size_t count) {
  return BadArguments(fmt::format("{}: takes 1 argument, got {}", function, count));
}

BadArguments no_array(std::string_view function, std::string_view kind) {
  return BadArguments(fmt::format("{}: the arguments must be a JSON array, got {}", function, kind));
}

// What Boost's parser reports to: it keeps nothing but the number of values in the outermost array. The interface and
// its names are Boost.JSON's.
struct CountingHandler {
  static constexpr std::size_t max_object_size = std::size_t(-1), max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1), max_string_size = std::size_t(-1);
  using Error = boost::system::error_code;

  std::size_t depth = 0;
  std::size_t values = 0;  // directly within the outermost array or object
  bool array_outermost = false;

  bool value() {
    if (depth == 1) ++values;
    return true;
  }
  bool open(bool array) {
    if (depth == 0) array_outermost = array;
    value();
    ++depth;
    return true;
  }
  bool close() {
    --depth;
    return true;
  }
  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_array_begin(Error&) { return open(true); }
  bool on_array_end(std::size_t, Error&) { return close(); }
  bool on_object_begin(Error&) { return open(false); }
  bool on_object_end(std::size_t, Error&) { return close(); }
  bool on_string_part(json::string_view, std::size_t, Error&) { return true; }
  bool on_string(json::string_view, std::size_t, Error&) { return value(); }
  bool on_key_part(json::string_view, std::size_t, Error&) { return true; }
  bool on_key(json::string_view, std::size_t, Error&) { return true; }
  bool on_number_part(json::string_view, Error&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Error&) { return value(); }
  bool on_uint64(std::uint64_t, json::string_view, Error&) { return value(); }
  bool on_double(double, json::string_view, Error&) { return value(); }
  bool on_bool(bool, Error&) { return value(); }
  bool on_null(Error&) { return value(); }
  bool on_comment_part(json::string_view, Error&) { return true; }
  bool on_comment(json::string_view, Error&) { return true; }
};

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// True for ["…"] whose string needs no unescaping and is ASCII: the usual short argument, seen without a parser.
bool is_lone_plain_string(std::string_view text) {
  if (text.size() < 4 || !text.starts_with("[\"") || !text.ends_with("\"]")) return false;
  bool plain = true;
  for (const unsigned char c : text.substr(2, text.size() - 4)) plain &= c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
  return plain;
}

}  // namespace

json::array parse_arguments(std::string_view function, const wire::Payload& args) {
  boost::system::error_code error;
  const auto text = args.buffer.view();
  auto value = json::parse(json::string_view(text.data(), text.size()), error, {}, limits());
  if (error) throw not_json(function, error);
  if (!value.is_array()) throw no_array(function, kind_of(value));
  return std::move(value.get_array());
}

json::value parse_argument(std::string_view function, const wire::Payload& args) {
  auto array = parse_arguments(function, args);
  if (array.size() != 1) throw wrong_count(function, array.size());
  return std::move(array[0]);
}

std::string_view only_argument_text(std::string_view function, std::string_view text) {
  if (is_lone_plain_string(text)) return text.substr(1, text.size() - 2);
  json::basic_parser<CountingHandler> parser(limits());
  boost::system::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (error) throw not_json(function, error);
  if (!parser.handler().array_outermost) throw no_array(function, "something else");
  if (parser.handler().values != 1) throw wrong_count(function, parser.handler().values);
  const auto array = without_blanks(text);
  return without_blanks(array.substr(1, array.size() - 2));
}

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

BadArguments wrong_argument(std::string_view function, std::size_t number, std::string_view name,
                            std::string_view wanted, const json::value& got) {
  const auto kind = got.is_number() ? json::serialize(got) : std::string(kind_of(got));
  return BadArguments(fmt::format("{}: argument {} ({}) must be {}, got {}", function, number, name, wanted, kind));
}

Outcome json_outcome(const json::value& value) {
  return {.value = {wire::Codec::json, wire::Buffer(json::serialize(value))}};
}

Outcome Builtin::run(CallContext& context, const wire::Payload& args) const {
  try {
    return body_(context, args);
  } catch (const BadArguments& error) {
    return failure(wire::TaskStatus::bad_arguments, error.what());
  }
}

}  // namespace covey::engine

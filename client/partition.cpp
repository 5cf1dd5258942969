#include "client/partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

namespace covey::client {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view without_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// What stands between the brackets of an array.
std::string_view inside_of(std::string_view text, std::string_view what) {
  text = without_blanks(text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    throw std::invalid_argument(fmt::format("{} must be a JSON array, got {}", what, text.substr(0, 40)));
  }
  return without_blanks(text.substr(1, text.size() - 2));
}

// The end of the string that begins at `at`: behind its closing quote.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

// Where the elements begin, and, last, one behind where they end: the commas between them are at these places less one.
// Numbers keep every digit, because nothing is parsed.
std::vector<std::size_t> starts_in(std::string_view text) {
  if (text.empty()) return {0};
  std::vector<std::size_t> starts{0};
  std::size_t depth = 0, at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if ((c == ']' || c == '}') && depth == 0) break;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (c == ',' && depth == 0) starts.push_back(at + 1);
    at = c == '"' ? end_of_string(text, at) : at + 1;
  }
  if (at != text.size() || depth != 0) throw std::invalid_argument(fmt::format("brackets or quotes of the JSON array do not match at byte {}", at));
  starts.push_back(text.size() + 1);
  return starts;
}

// How many of `items` come before part `part` of `parts`.
std::size_t items_before(std::size_t part, std::size_t items, std::size_t parts) {
  return part * (items / parts) + std::min(part, items % parts);
}

std::vector<wire::Payload> split_json(std::string_view text, std::size_t parts) {
  const auto inside = inside_of(text, "what is scattered");
  const auto starts = starts_in(inside);
  const std::size_t items = starts.size() - 1;
  std::vector<wire::Payload> result;
  for (std::size_t part = 0; part < parts; ++part) {
    const auto first = items_before(part, items, parts), last = items_before(part + 1, items, parts);
    const auto elements = first == last ? std::string_view() : inside.substr(starts[first], starts[last] - 1 - starts[first]);
    result.push_back({wire::Codec::json, wire::Buffer(fmt::format("[{}]", elements))});
  }
  return result;
}

std::vector<wire::Payload> split_bytes(const wire::Buffer& buffer, std::size_t parts, std::size_t item_bytes) {
  if (item_bytes == 0 || buffer.size() % item_bytes != 0) {
    throw std::invalid_argument(fmt::format("{} bytes cannot be scattered in items of {}", buffer.size(), item_bytes));
  }
  const std::size_t items = buffer.size() / item_bytes;
  std::vector<wire::Payload> result;
  for (std::size_t part = 0; part < parts; ++part) {
    const auto first = items_before(part, items, parts), last = items_before(part + 1, items, parts);
    result.push_back({wire::Codec::bytes, buffer.slice(first * item_bytes, (last - first) * item_bytes)});
  }
  return result;
}

}  // namespace

std::vector<wire::Payload> split(const wire::Payload& whole, std::size_t parts, std::size_t item_bytes) {
  if (parts == 0) throw std::invalid_argument("there is nobody to scatter to");
  switch (whole.codec) {
    case wire::Codec::json: return split_json(whole.buffer.view(), parts);
    case wire::Codec::bytes: return split_bytes(whole.buffer, parts, item_bytes);
    case wire::Codec::pickle5: break;
  }
  throw std::invalid_argument("a pickle cannot be scattered: scatter a JSON array, or bytes");
}

wire::Payload join(std::span<const wire::Payload> parts) {
  if (parts.empty()) throw std::invalid_argument("there is nothing to gather");
  const auto codec = parts.front().codec;
  std::string whole;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].codec != codec || codec == wire::Codec::pickle5) {
      throw std::invalid_argument(fmt::format("part {} is {}; what is gathered must be all JSON arrays or all bytes", i, to_string(parts[i].codec)));
    }
    if (codec == wire::Codec::bytes) {
      whole += parts[i].buffer.view();
      continue;
    }
    const auto inside = inside_of(parts[i].buffer.view(), fmt::format("part {}", i));
    if (!inside.empty()) whole += (whole.empty() ? "" : ",") + std::string(inside);
  }
  return {codec, wire::Buffer(codec == wire::Codec::bytes ? std::move(whole) : fmt::format("[{}]", whole))};
}

}  // namespace covey::client

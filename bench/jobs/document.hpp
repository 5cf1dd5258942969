// A YAML document as a tree in which every value knows where it stands. Pure: text in, tree or problem out; any thread.
// Plain scalars are typed as JSON types them (numbers, true, false, null); all others are text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "bench/jobs/problem.hpp"

namespace covey::jobs {

// Limits, so that a small text with aliases of aliases cannot become a huge tree. Long inputs belong into files.
inline constexpr std::size_t kLongestDocument = 16u << 20;  // bytes
inline constexpr std::size_t kMostNodes = 500'000;
inline constexpr std::size_t kDeepestNode = 64;

struct Member;

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Mark mark;
  std::string text;     // of a scalar
  bool quoted = false;  // a scalar that is text whatever it looks like
  std::vector<Node> items;
  std::vector<Member> members;  // in the order of the document; no name twice

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }
  const Node* find(std::string_view name) const;
  Node* find(std::string_view name);
};

struct Member {
  std::string name;
  Mark mark;
  Node value;
};

// What an element of a list is called in a path: its name, if it has one, or else its number.
std::string name_of_item(const Node& list, std::size_t index);
// How many values a tree has, itself included.
std::size_t count_nodes(const Node& node);

std::variant<Node, Problem> read_document(std::string_view text, const std::string& source);

// "a list", "a map", "nothing", "'text'": for error messages, shortened.
std::string describe(const Node& node);
// The value as JSON text. Numbers keep the digits they were written with.
std::string to_json(const Node& node);

}  // namespace covey::jobs

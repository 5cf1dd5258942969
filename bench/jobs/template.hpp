// A task's arguments as a job writes them: JSON with ${input}, ${input.FIELD} and ${index} in it, filled in for each
// input. A text that is nothing but a reference becomes the value itself; ${input:text}, and any reference within other
// text, becomes text; $${ is a plain ${. Pure; any thread may fill a template in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/jobs/document.hpp"

namespace covey::jobs {

// One input of a map.
struct Input {
  std::uint64_t index = 0;  // from 0
  std::string json;         // on one line
  // Of inputs with named parts (CSV, grid): name and JSON. Others are looked into only where a template asks.
  std::vector<std::pair<std::string, std::string>> fields;
};

// The pieces of a text with references: "a ${b} $${c}" is "a ", reference b, " ${c}".
struct TextPiece {
  bool reference = false;
  std::string text;      // or the reference's name
  bool as_text = false;  // ${name:text}
};
// nullopt: a reference without its end.
std::optional<std::vector<TextPiece>> split_references(std::string_view text);

bool is_input_reference(std::string_view name);  // input, input.FIELD, index

class Template {
 public:
  // Arguments that are the input alone.
  Template() : pieces_{{Kind::text, false, "["}, {Kind::input, false, ""}, {Kind::text, false, "]"}} {}
  // References other than those to the input have been replaced before. Appends to `problems` what is wrong.
  Template(const Node& node, const std::string& key, std::vector<Problem>& problems);

  // The arguments as JSON. False: they cannot be filled in, and `out` says why.
  bool fill(const Input& input, std::string& out) const;
  bool uses_input() const;
  const std::string& canonical() const { return canonical_; }  // the same text for the same template

 private:
  enum class Kind { text, input, field, index };
  struct Piece {
    Kind kind = Kind::text;
    bool inside = false;  // within a JSON string
    std::string text;     // JSON, or a field's name
  };
  void add(const Node& node, const std::string& key, std::vector<Problem>& problems);
  void add_text(const Node& node, const std::string& key, std::vector<Problem>& problems);
  void literal(std::string_view text);

  std::vector<Piece> pieces_;
  std::string canonical_ = "[\"${input}\"]";
};

}  // namespace covey::jobs

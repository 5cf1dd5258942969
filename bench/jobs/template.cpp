#include "bench/jobs/template.hpp"

#include <fmt/format.h>

#include "bench/jobs/json_text.hpp"

namespace covey::jobs {

namespace {
constexpr std::string_view kField = "input.", kAsText = ":text";
}

std::optional<std::vector<TextPiece>> split_references(std::string_view text) {
  std::vector<TextPiece> pieces;
  std::string plain;
  while (!text.empty()) {
    if (text.starts_with("$${")) {
      plain += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const auto end = text.find('}');
      if (end == std::string_view::npos) return std::nullopt;
      if (!plain.empty()) pieces.push_back({false, std::exchange(plain, {}), false});
      auto name = text.substr(2, end - 2);
      const bool as_text = name.ends_with(kAsText);
      if (as_text) name.remove_suffix(kAsText.size());
      pieces.push_back({true, std::string(name), as_text});
      text.remove_prefix(end + 1);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  if (!plain.empty() || pieces.empty()) pieces.push_back({false, std::move(plain), false});
  return pieces;
}

bool is_input_reference(std::string_view name) {
  return name == "input" || name == "index" || (name.starts_with(kField) && name.size() > kField.size());
}

Template::Template(const Node& node, const std::string& key, std::vector<Problem>& problems)
    : canonical_(to_json(node)) {
  const bool is_whole_reference = node.is_scalar() && node.text.starts_with("${");
  if (!node.is_list() && !is_whole_reference) {
    problems.push_back(
        {node.mark, key, "must be a list of arguments, such as [1, \"${input}\"], got " + describe(node)});
    return;
  }
  add(node, key, problems);
}

void Template::literal(std::string_view text) {
  if (pieces_.empty() || pieces_.back().kind != Kind::text) pieces_.push_back({});
  pieces_.back().text += text;
}

void Template::add(const Node& node, const std::string& key, std::vector<Problem>& problems) {
  switch (node.kind) {
    case Node::Kind::null:
      return literal("null");
    case Node::Kind::scalar:
      return add_text(node, key, problems);
    case Node::Kind::list:
      literal("[");
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) literal(",");
        add(node.items[i], key, problems);
      }
      return literal("]");
    case Node::Kind::map:
      literal("{");
      for (std::size_t i = 0; i < node.members.size(); ++i) {
        literal((i > 0 ? "," : "") + quote(node.members[i].name) + ":");
        add(node.members[i].value, key, problems);
      }
      return literal("}");
  }
}

void Template::add_text(const Node& node, const std::string& key, std::vector<Problem>& problems) {
  if (!node.quoted && is_json_literal(node.text)) return literal(node.text);
  const auto pieces = split_references(node.text);
  if (!pieces)
    return problems.push_back(
        {node.mark, key, "a reference begins with ${ and ends with }; $${ stands for a plain ${"});
  const bool whole = pieces->size() == 1 && pieces->front().reference && !pieces->front().as_text;
  if (!whole) literal("\"");
  for (const auto& piece : *pieces) {
    if (!piece.reference) {
      const auto text = quote(piece.text);
      literal(std::string_view(text).substr(1, text.size() - 2));
    } else if (piece.text == "input") {
      pieces_.push_back({Kind::input, !whole, {}});
    } else if (piece.text == "index") {
      pieces_.push_back({Kind::index, !whole, {}});
    } else {
      pieces_.push_back({Kind::field, !whole, piece.text.substr(std::min(kField.size(), piece.text.size()))});
    }
  }
  if (!whole) literal("\"");
}

bool Template::uses_input() const {
  for (const auto& piece : pieces_) {
    if (piece.kind != Kind::text) return true;
  }
  return false;
}

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const std::string* find(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string missing(const Fields& fields, std::string_view name) {
  if (fields.empty()) return fmt::format("${{input.{}}} wants an input with named fields, and this one has none", name);
  std::string names;
  for (const auto& [key, value] : fields) names += (names.empty() ? "" : ", ") + key;
  return fmt::format("the input has no field '{}'; it has {}", name, names);
}

void append(std::string& out, std::string_view json, bool inside) {
  if (!inside) {
    out += json;
  } else {
    const auto text = quote(plain_text(json));
    out.append(text, 1, text.size() - 2);
  }
}

}  // namespace

bool Template::fill(const Input& input, std::string& out) const {
  out.clear();
  Fields looked_up;
  const Fields* fields = &input.fields;
  for (const auto& piece : pieces_) {
    switch (piece.kind) {
      case Kind::text:
        out += piece.text;
        break;
      case Kind::input:
        append(out, input.json, piece.inside);
        break;
      case Kind::index:
        out += std::to_string(input.index);
        break;
      case Kind::field: {
        if (fields->empty()) {
          looked_up = members_of(input.json);
          fields = &looked_up;
        }
        const std::string* value = find(*fields, piece.text);
        if (value == nullptr) {
          out = missing(*fields, piece.text);
          return false;
        }
        append(out, *value, piece.inside);
      }
    }
  }
  if (out.starts_with('[')) return true;
  out = fmt::format("the arguments must be a list, and this input makes them {}", out.substr(0, 60));
  return false;
}

}  // namespace covey::jobs

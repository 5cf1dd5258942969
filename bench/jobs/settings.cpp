#include "bench/jobs/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bench/jobs/template.hpp"

namespace covey::jobs {

namespace {

std::string names_of(const Node* map) {
  std::string names;
  for (std::size_t i = 0; map != nullptr && i < map->members.size(); ++i)
    names += (i > 0 ? ", " : "") + map->members[i].name;
  return names.empty() ? "none" : names;
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> words{""};
  for (const char c : path) {
    if (c == '.') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

// The element of a list that a word of a path names: by number, or by its `name`.
Node* element(Node& list, const std::string& word) {
  for (auto& item : list.items) {
    const Node* name = item.find("name");
    if (name != nullptr && name->text == word) return &item;
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool is_number = error == std::errc() && end == word.data() + word.size();
  return is_number && number < list.items.size() ? &list.items[number] : nullptr;
}

struct Setting {
  std::string key;
  Node value;
  Mark mark;
};

std::string set_by_path(Node& document, Setting setting) {
  const auto words = split(setting.key);
  Node* node = &document;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool last = i + 1 == words.size();
    Node* next = node->is_list() ? element(*node, words[i]) : node->find(words[i]);
    if (next == nullptr && node->is_list()) {
      return fmt::format("there is no '{}': the list has {} elements, named by numbers from 0 or by their names",
                         words[i], node->items.size());
    }
    if (next == nullptr && !last) return fmt::format("there is no '{}' here; there is {}", words[i], names_of(node));
    if (next == nullptr) {
      if (!node->is_map()) return fmt::format("'{}' cannot be set within {}", words[i], describe(*node));
      node->members.push_back({words[i], setting.mark, std::move(setting.value)});
      return {};
    }
    node = next;
  }
  *node = std::move(setting.value);
  return {};
}

// Values of a setting have no place in a file.
void mark_all(Node& node, const Mark& mark) {
  node.mark = mark;
  for (auto& item : node.items) mark_all(item, mark);
  for (auto& member : node.members) {
    member.mark = mark;
    mark_all(member.value, mark);
  }
}

void apply_setting(Node& document, const std::string& text, std::vector<Problem>& problems) {
  const Mark mark{std::make_shared<const std::string>("--set " + text)};
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return problems.push_back({mark, "", "must be key=value, such as n=100 or steps.pi.retries=3"});
  }
  Setting setting{text.substr(0, equals), {}, mark};
  const auto value = text.substr(equals + 1);
  if (!value.empty()) {
    auto read = read_document(value, *mark.source);
    if (auto* problem = std::get_if<Problem>(&read)) return problems.push_back({mark, "", problem->message});
    setting.value = std::move(std::get<Node>(read));
  }
  mark_all(setting.value, mark);
  Node* parameters = document.find("parameters");
  if (Node* declared = parameters == nullptr ? nullptr : parameters->find(setting.key)) {
    *declared = std::move(setting.value);
    return;
  }
  const bool is_path = setting.key.find('.') != std::string::npos || document.find(setting.key) != nullptr;
  auto error = is_path
                   ? set_by_path(document, std::move(setting))
                   : fmt::format(
                         "the job declares no parameter '{}' (it declares: {}) and has no such key; a path is such as "
                         "steps.0.retries",
                         setting.key, names_of(parameters));
  if (!error.empty()) problems.push_back({mark, "", std::move(error)});
}

// ---- parameters ----

class Replacer {
 public:
  Replacer(const Node* parameters, std::vector<Problem>& problems) : parameters_(parameters), problems_(problems) {}

  void replace(Node& node, const std::string& key, bool in_arguments) {
    for (std::size_t i = 0; i < node.items.size(); ++i)
      replace(node.items[i], key + "." + name_of_item(node, i), in_arguments);
    for (auto& [name, mark, value] : node.members) {
      replace(value, key.empty() ? name : key + "." + name, in_arguments || name == "arguments");
    }
    if (node.is_scalar() && node.text.find("${") != std::string::npos) replace_text(node, key, in_arguments);
  }

 private:
  void replace_text(Node& node, const std::string& key, bool in_arguments) {
    const auto pieces = split_references(node.text);
    if (!pieces) return wrong(node, key, "a reference begins with ${ and ends with }; $${ stands for a plain ${");
    std::string text;
    for (const auto& piece : *pieces) {
      if (text.size() > kLongestDocument) return too_much(node, key);
      if (!piece.reference) {
        text += in_arguments ? escaped(piece.text) : piece.text;
      } else if (in_arguments && is_input_reference(piece.text)) {
        text += "${" + piece.text + (piece.as_text ? ":text}" : "}");
      } else {
        const Node* value = find(node, key, piece.text);
        if (value == nullptr) return;
        if (pieces->size() == 1 && !piece.as_text) return put_whole(node, key, *value, in_arguments);
        if (!value->is_scalar())
          return wrong(node, key,
                       fmt::format("${{{}}} is {} and cannot be part of a text", piece.text, describe(*value)));
        text += in_arguments ? escaped(value->text) : value->text;
      }
    }
    bytes_ += text.size();
    if (bytes_ > kLongestDocument) return too_much(node, key);
    node.text = std::move(text);
    node.quoted = true;
  }

  const Node* find(const Node& node, const std::string& key, const std::string& name) {
    const Node* value = parameters_ == nullptr ? nullptr : parameters_->find(name);
    if (value != nullptr) return value;
    if (is_input_reference(name)) {
      wrong(node, key, fmt::format("${{{}}} has a meaning only in the arguments of a map", name));
    } else {
      wrong(node, key,
            fmt::format("no parameter '{}' is declared (declared: {}); in the arguments of a map there are also input, "
                        "input.FIELD and index; $${{ stands for a plain ${{",
                        name, names_of(parameters_)));
    }
    return nullptr;
  }
  void put_whole(Node& node, const std::string& key, const Node& value, bool in_arguments) {
    nodes_ += count_nodes(value);
    if (nodes_ > kMostNodes) return too_much(node, key);
    // What is wrong with the value is to be looked for where the value stands.
    node = value;
    if (in_arguments) escape_all(node);
  }
  // A small document could otherwise name a large parameter many times.
  void too_much(const Node& node, const std::string& key) {
    if (!std::exchange(full_, true)) wrong(node, key, "with its parameters filled in the job becomes too large");
  }
  // Values of parameters are taken as they are: a ${ in them is no reference.
  static std::string escaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 2, "${") == 0) out += '$';
      out += text[i];
    }
    return out;
  }
  static void escape_all(Node& node) {
    node.text = escaped(node.text);
    for (auto& item : node.items) escape_all(item);
    for (auto& member : node.members) escape_all(member.value);
  }
  void wrong(const Node& node, const std::string& key, std::string message) {
    problems_.push_back({node.mark, key, std::move(message)});
  }

  const Node* parameters_;
  std::vector<Problem>& problems_;
  std::size_t nodes_ = 0, bytes_ = 0;
  bool full_ = false;
};

}  // namespace

void apply_settings(Node& document, const std::vector<std::string>& settings, std::vector<Problem>& problems) {
  for (const auto& setting : settings) apply_setting(document, setting, problems);
}

void replace_parameters(Node& document, std::vector<Problem>& problems) {
  const Node* found = document.find("parameters");
  const Node parameters = found == nullptr ? Node() : *found;
  Replacer replacer(&parameters, problems);
  for (auto& [name, mark, value] : document.members) {
    if (name != "parameters") replacer.replace(value, name, false);
  }
}

}  // namespace covey::jobs

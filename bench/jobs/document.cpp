#include "bench/jobs/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>

#include "bench/jobs/json_text.hpp"

namespace covey::jobs {

namespace {

constexpr std::size_t kLongestExcerpt = 60, kLongestName = 100;

std::size_t depth_of(const Node& node) {
  std::size_t deepest = 0;
  for (const auto& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const auto& member : node.members) deepest = std::max(deepest, depth_of(member.value));
  return deepest + 1;
}

// Builds the tree from yaml-cpp's events rather than from its nodes: events have a place for keys too, and aliases are
// counted as what they stand for.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::shared_ptr<const std::string> source) : source_(std::move(source)) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(Node::Kind::null, mark, anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = make(Node::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag != "?";  // "!" or an explicit tag
    put(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (anchor > anchors_.size()) throw Problem{place(mark), "", "an alias of a value that is not complete yet"};
    Node copy = anchors_[anchor - 1];
    count(count_nodes(copy), mark);
    if (open_.size() + depth_of(copy) > kDeepestNode) throw too_deep(mark);
    copy.mark = place(mark);
    put(std::move(copy), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(Node::Kind::list, mark, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(Node::Kind::map, mark, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

  Node take() { return std::move(root_); }
  Mark place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<std::pair<std::string, Mark>> key;  // of a map, while its value is awaited
  };

  Node make(Node::Kind kind, const YAML::Mark& mark) {
    count(1, mark);
    Node node;
    node.kind = kind;
    node.mark = place(mark);
    return node;
  }
  void count(std::size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > kMostNodes) {
      throw Problem{place(mark), "",
                    fmt::format("more than {} values; long inputs belong into a file of their own", kMostNodes)};
    }
  }
  Problem too_deep(const YAML::Mark& mark) const {
    return {place(mark), "", fmt::format("nested deeper than {} levels", kDeepestNode)};
  }
  void leaf(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) { put(make(kind, mark), anchor); }
  void begin(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kDeepestNode) throw too_deep(mark);
    open_.push_back({make(kind, mark), anchor, {}});
  }
  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    put(std::move(done.node), done.anchor);
  }
  // yaml-cpp numbers anchors from 1, in the order in which they begin.
  void remember(const Node& node, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    if (anchors_.size() < anchor) anchors_.resize(anchor);
    anchors_[anchor - 1] = node;
  }
  void put(Node node, YAML::anchor_t anchor) {
    remember(node, anchor);
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().node.is_list()) {
      open_.back().node.items.push_back(std::move(node));
    } else if (!open_.back().key) {
      set_key(std::move(node));
    } else {
      auto& [name, mark] = *open_.back().key;
      open_.back().node.members.push_back({std::move(name), std::move(mark), std::move(node)});
      open_.back().key.reset();
    }
  }
  void set_key(Node key) {
    if (!key.is_scalar()) throw Problem{key.mark, "", "a key must be a word, got " + describe(key)};
    if (const Node* other = open_.back().node.find(key.text)) {
      throw Problem{key.mark, key.text,
                    fmt::format("this key stands here twice; the first is at line {}", other->mark.line)};
    }
    open_.back().key.emplace(std::move(key.text), std::move(key.mark));
  }

  std::shared_ptr<const std::string> source_;
  std::vector<Open> open_;
  std::vector<Node> anchors_;
  std::size_t nodes_ = 0;
  Node root_;
};

// The document has to be the only one.
class NoMore : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    throw YAML::ParserException(mark, "a file holds one job, and a second document begins here");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

void append_json(std::string& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      out += "null";
      break;
    case Node::Kind::scalar:
      out += !node.quoted && is_json_literal(node.text) ? node.text : quote(node.text);
      break;
    case Node::Kind::list:
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        out += i == 0 ? "[" : ",";
        append_json(out, node.items[i]);
      }
      out += node.items.empty() ? "[]" : "]";
      break;
    case Node::Kind::map:
      for (std::size_t i = 0; i < node.members.size(); ++i) {
        out += (i == 0 ? "{" : ",") + quote(node.members[i].name) + ":";
        append_json(out, node.members[i].value);
      }
      out += node.members.empty() ? "{}" : "}";
  }
}

}  // namespace

std::string name_of_item(const Node& list, std::size_t index) {
  const Node* name = list.items[index].find("name");
  const bool named = name != nullptr && name->is_scalar() && !name->text.empty() && name->text.size() <= kLongestName;
  return named ? name->text : std::to_string(index);
}

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const auto& item : node.items) count += count_nodes(item);
  for (const auto& member : node.members) count += count_nodes(member.value);
  return count;
}

const Node* Node::find(std::string_view name) const {
  for (const auto& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

Node* Node::find(std::string_view name) { return const_cast<Node*>(std::as_const(*this).find(name)); }

std::variant<Node, Problem> read_document(std::string_view text, const std::string& source) {
  auto name = std::make_shared<const std::string>(source);
  Problem problem;
  problem.mark.source = name;
  if (text.size() > kLongestDocument) {
    problem.message = fmt::format("{} bytes; a job may have {}", text.size(), kLongestDocument);
    return problem;
  }
  Builder builder(name);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    NoMore no_more;
    if (!parser.HandleNextDocument(builder)) {
      problem.message = "the file is empty; a job has a name and steps";
      return problem;
    }
    parser.HandleNextDocument(no_more);
    return builder.take();
  } catch (const Problem& found) {
    return found;
  } catch (const YAML::Exception& error) {
    problem.mark = builder.place(error.mark);
    problem.message = "not YAML: " + error.msg;
  } catch (const std::exception& error) {
    problem.message = fmt::format("not YAML: {}", error.what());
  }
  return problem;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
    default:
      break;
  }
  const bool longer = node.text.size() > kLongestExcerpt;
  return fmt::format("'{}{}'", std::string_view(node.text).substr(0, kLongestExcerpt), longer ? "…" : "");
}

std::string to_json(const Node& node) {
  std::string out;
  append_json(out, node);
  return out;
}

}  // namespace covey::jobs

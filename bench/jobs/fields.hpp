// Reads the maps and scalars of a job's document, and notes what is wrong with them. Pure; used by the parser alone.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/jobs/job.hpp"

namespace covey::jobs {

// The keys that one kind of map in a job may have.
struct KnownKeys {
  std::string_view object;
  std::vector<std::string_view> keys;
};

// A value and its dotted path, and where to note problems.
class Field {
 public:
  Field(const Node& node, std::string key, std::vector<Problem>& problems)
      : node_(&node), key_(std::move(key)), problems_(&problems) {}

  const Node& node() const { return *node_; }
  const std::string& key() const { return key_; }
  std::vector<Problem>& problems() const { return *problems_; }
  void wrong(const std::string& message) const { problems_->push_back({node_->mark, key_, message}); }
  void wanted(const std::string& what) const { wrong("must be " + what + ", got " + describe(*node_)); }

  // A map whose keys are all known; false: it is none, which has been noted.
  bool is_map(const KnownKeys& known) const;
  bool is_list(const std::string& of_what) const;
  // A member; nullopt: not there. required() notes that as a problem.
  std::optional<Field> find(std::string_view name) const;
  std::optional<Field> required(std::string_view name, const std::string& what) const;
  std::vector<Field> items() const;

  std::optional<std::int64_t> whole(std::int64_t least, std::int64_t most) const;
  std::optional<double> number(double least, double most) const;
  std::optional<bool> flag() const;
  std::optional<std::string> text(const std::string& what) const;  // not empty
  std::optional<std::string> word() const;                         // a name: letters, digits, . _ -
  std::optional<std::string> one_of(std::initializer_list<std::string_view> words) const;
  std::optional<Milliseconds> duration() const;

 private:
  const Node* node_;
  std::string key_;
  std::vector<Problem>* problems_;
};

// A duration with its unit (ms, s, m, h; none: seconds), such as 1.5s; nullopt: none.
std::optional<Milliseconds> parse_duration(std::string_view text);

// The word most like `word`, if one is alike enough to be meant.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> words);

}  // namespace covey::jobs

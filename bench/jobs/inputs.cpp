#include "bench/jobs/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "bench/jobs/csv.hpp"
#include "bench/jobs/digest.hpp"
#include "bench/jobs/json_text.hpp"
#include "bench/jobs/problem.hpp"

namespace covey::jobs {

namespace {

constexpr std::size_t kShownArguments = 3;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// An object of fields on one line.
std::string object_of(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string json = "{";
  for (const auto& [name, value] : fields) {
    if (json.size() > 1) json += ',';
    append_quoted(json, name);
    json += ':';
    json += value;
  }
  return json + "}";
}

class ValuesReader : public InputReader {
 public:
  explicit ValuesReader(const Values& values) : values_(values) {}
  bool next(Input& into) override {
    if (at_ == values_.json.size()) return false;
    into = {at_, values_.json[at_], {}};
    ++at_;
    return true;
  }
  std::string place() const override { return fmt::format("value {}", at_ - 1); }

 private:
  const Values& values_;
  std::size_t at_ = 0;
};

class RangeReader : public InputReader {
 public:
  explicit RangeReader(const Range& range) : range_(range), count_(range.count()) {}
  bool next(Input& into) override {
    if (at_ == count_) return false;
    into = {at_, std::to_string(range_.at(at_)), {}};
    ++at_;
    return true;
  }
  std::string place() const override { return fmt::format("number {} of the range", at_ - 1); }

 private:
  const Range& range_;
  std::uint64_t count_, at_ = 0;
};

class GridReader : public InputReader {
 public:
  explicit GridReader(const Grid& grid) : grid_(grid), positions_(grid.axes.size(), 0) {
    done_ = std::any_of(grid.axes.begin(), grid.axes.end(), [](const Axis& axis) { return axis.size() == 0; });
  }
  bool next(Input& into) override {
    if (done_) return false;
    into.index = at_++;
    into.fields.clear();
    for (std::size_t i = 0; i < positions_.size(); ++i) {
      into.fields.emplace_back(grid_.axes[i].name, grid_.axes[i].at(positions_[i]));
    }
    into.json = object_of(into.fields);
    step();
    return true;
  }
  std::vector<std::string> columns() const override {
    std::vector<std::string> names;
    for (const auto& axis : grid_.axes) names.push_back(axis.name);
    return names;
  }
  std::string place() const override { return fmt::format("combination {} of the grid", at_ - 1); }

 private:
  // As an odometer: the last turns fastest.
  void step() {
    for (std::size_t i = positions_.size(); i-- > 0;) {
      if (++positions_[i] < grid_.axes[i].size()) return;
      positions_[i] = 0;
    }
    done_ = true;
  }

  const Grid& grid_;
  std::vector<std::uint64_t> positions_;
  std::uint64_t at_ = 0;
  bool done_ = false;
};

// ---- files ----

class FileReader : public InputReader {
 public:
  explicit FileReader(const std::filesystem::path& file) : name_(file.string()) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
      throw BadJob(
          fmt::format("{}: the inputs' file is {}", name_,
                      std::filesystem::exists(file, error) ? "no regular file; it is read twice" : "not there"));
    }
    in_.open(file, std::ios::binary);
    if (!in_) throw BadJob(fmt::format("{}: the inputs' file cannot be read", name_));
    for (const char c : kByteOrderMark) {
      if (in_.peek() == static_cast<unsigned char>(c)) in_.get();
    }
  }
  std::string place() const override { return fmt::format("{}:{}", name_, line_); }

 protected:
  [[noreturn]] void wrong(const std::string& message) const { throw BadJob(place() + ": " + message); }
  // False: the file is at its end.
  bool get(char& c) {
    const int got = in_.rdbuf()->sbumpc();
    if (got == std::char_traits<char>::eof()) return false;
    c = static_cast<char>(got);
    return true;
  }
  bool get_line(std::string& line) {
    line.clear();
    char c = 0;
    bool any = false;
    while (get(c)) {
      any = true;
      if (c == '\n') break;
      line += c;
      if (line.size() > kLongestInput) wrong(fmt::format("a line of more than {} bytes", kLongestInput));
    }
    if (any) ++line_;
    if (line.ends_with('\r')) line.pop_back();
    return any;
  }

  std::string name_;
  std::ifstream in_;
  std::uint64_t line_ = 0, index_ = 0;
};

class LinesReader : public FileReader {
 public:
  using FileReader::FileReader;
  bool next(Input& into) override {
    if (!get_line(text_)) return false;
    if (!is_utf8(text_)) wrong("this line is not UTF-8");
    into = {index_++, quote(text_), {}};
    return true;
  }

 private:
  std::string text_;
};

class NdjsonReader : public FileReader {
 public:
  using FileReader::FileReader;
  bool next(Input& into) override {
    do {
      if (!get_line(text_)) return false;
    } while (trimmed(text_).empty());
    const auto json = trimmed(text_);
    if (!is_json(json)) wrong("this line is not a JSON value");
    into = {index_++, std::string(json), {}};
    return true;
  }

 private:
  std::string text_;
};

class CsvReader : public FileReader {
 public:
  CsvReader(const std::filesystem::path& file, const Csv& csv) : FileReader(file), splitter_(csv.delimiter) {
    if (!get_record()) wrong("the file is empty; its first line names the columns");
    for (std::size_t i = 0; i < splitter_.fields().size(); ++i) {
      names_.push_back(csv.header ? splitter_.fields()[i].text : std::to_string(i + 1));
    }
    check_names();
    held_ = !csv.header;
  }
  bool next(Input& into) override {
    if (!std::exchange(held_, false) && !get_record()) return false;
    const auto& fields = splitter_.fields();
    if (fields.size() != names_.size())
      wrong(fmt::format("{} fields, and there are {} columns", fields.size(), names_.size()));
    into.index = index_++;
    into.fields.clear();
    for (std::size_t i = 0; i < fields.size(); ++i) into.fields.emplace_back(names_[i], json_of(fields[i]));
    into.json = object_of(into.fields);
    return true;
  }
  std::vector<std::string> columns() const override { return names_; }

 private:
  // What looks like a number and is not in quotation marks is one.
  std::string json_of(const CsvField& field) const {
    if (!field.quoted && is_json_number(field.text)) return field.text;
    if (!is_utf8(field.text)) wrong("a field is not UTF-8");
    return quote(field.text);
  }
  // False: there are no more. Blank lines are none, unless there is but one column.
  bool get_record() {
    do {
      line_ += lines_;
      lines_ = 1;
      if (!split_record()) return false;
    } while (splitter_.fields().size() == 1 && names_.size() != 1 && splitter_.fields()[0].text.empty() &&
             !splitter_.fields()[0].quoted);
    return true;
  }
  bool split_record() {
    std::size_t bytes = 0;
    char c = 0;
    while (get(c)) {
      const auto event = splitter_.feed(c);
      if (event == CsvSplitter::Event::error) wrong(splitter_.error());
      if (event == CsvSplitter::Event::record) return true;
      lines_ += c == '\n' ? 1 : 0;
      if (++bytes > kLongestInput)
        wrong(fmt::format("a record of more than {} bytes; is a quotation mark missing?", kLongestInput));
    }
    const auto event = splitter_.finish();
    if (event == CsvSplitter::Event::error) wrong(splitter_.error());
    return event == CsvSplitter::Event::record;
  }
  void check_names() const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i].empty()) wrong(fmt::format("column {} has no name", i + 1));
      if (!is_utf8(names_[i])) wrong(fmt::format("the name of column {} is not UTF-8", i + 1));
      if (std::find(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(i), names_[i]) !=
          names_.begin() + static_cast<std::ptrdiff_t>(i)) {
        wrong(fmt::format("there are two columns named '{}'", names_[i]));
      }
    }
  }

  CsvSplitter splitter_;
  std::vector<std::string> names_;
  std::uint64_t lines_ = 1;  // of the last record
  bool held_ = false;        // the splitter holds the first record
};

struct Open {
  const std::filesystem::path& base;
  using Reader = std::unique_ptr<InputReader>;
  Reader operator()(const Values& values) const { return std::make_unique<ValuesReader>(values); }
  Reader operator()(const Range& range) const { return std::make_unique<RangeReader>(range); }
  Reader operator()(const Grid& grid) const { return std::make_unique<GridReader>(grid); }
  Reader operator()(const Lines& lines) const { return std::make_unique<LinesReader>(base / lines.file); }
  Reader operator()(const Ndjson& ndjson) const { return std::make_unique<NdjsonReader>(base / ndjson.file); }
  Reader operator()(const Csv& csv) const { return std::make_unique<CsvReader>(base / csv.file, csv); }
};

// ---- digest ----

void add_file(Digest& digest, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, 1 << 16> buffer;
  while (in) {
    in.read(buffer.data(), buffer.size());
    digest.add({buffer.data(), static_cast<std::size_t>(in.gcount())});
  }
}

struct AddTo {
  Digest& digest;
  const std::filesystem::path& base;
  void operator()(const Values& values) const {
    for (const auto& value : values.json) digest.field(value);
  }
  void operator()(const Range& range) const { digest.field(fmt::format("{} {} {}", range.from, range.to, range.step)); }
  void operator()(const Grid& grid) const {
    for (const auto& axis : grid.axes) {
      digest.field(axis.name).field(std::to_string(axis.values.index())).field(std::to_string(axis.size()));
      std::visit(*this, axis.values);
    }
  }
  void operator()(const Lines& lines) const { add_file(digest, base / lines.file); }
  void operator()(const Ndjson& ndjson) const { add_file(digest, base / ndjson.file); }
  void operator()(const Csv& csv) const {
    digest.field(fmt::format("{} {}", csv.delimiter, csv.header));
    add_file(digest, base / csv.file);
  }
};

}  // namespace

std::unique_ptr<InputReader> open_inputs(const Inputs& inputs, const std::filesystem::path& base) {
  return std::visit(Open{base}, inputs);
}

std::string file_of(const Inputs& inputs) {
  if (const auto* lines = std::get_if<Lines>(&inputs)) return lines->file;
  if (const auto* ndjson = std::get_if<Ndjson>(&inputs)) return ndjson->file;
  if (const auto* csv = std::get_if<Csv>(&inputs)) return csv->file;
  return {};
}

// The numbers of a range look alike: the first few speak for all.
Survey survey(const Inputs& inputs, const std::filesystem::path& base, const Template& arguments) {
  Survey result;
  const bool alike = std::holds_alternative<Range>(inputs);
  const auto reader = open_inputs(inputs, base);
  result.columns = reader->columns();
  Input input;
  std::string filled;
  while (reader->next(input)) {
    if (!arguments.fill(input, filled)) throw BadJob(reader->place() + ": " + filled);
    if (result.first_arguments.size() < kShownArguments) result.first_arguments.push_back(filled);
    ++result.count;
    if (alike && result.count == kShownArguments) {
      result.count = std::get<Range>(inputs).count();
      break;
    }
  }
  Digest digest;
  digest.field(std::to_string(inputs.index()));
  std::visit(AddTo{digest, base}, inputs);
  result.digest = digest.hex();
  return result;
}

}  // namespace covey::jobs

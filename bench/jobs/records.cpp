#include "bench/jobs/records.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <optional>

#include "bench/jobs/csv.hpp"
#include "bench/jobs/json_text.hpp"

namespace covey::jobs {

namespace json = boost::json;

// Reads an output record by record, whole or not.
class RecordScanner {
 public:
  RecordScanner(std::istream& in, const RecordFormat& format) : in_(*in.rdbuf()), format_(format) {}

  struct Entry {
    std::uint64_t index = 0;
    bool ok = false;
  };
  // False: the end. Afterwards text() is what stands there, and entry() what it says if it is a whole record.
  bool next() {
    text_.clear();
    entry_.reset();
    ++line_;
    if (format_.format_ == Format::csv) return next_csv();
    while (get() && text_.back() != '\n') {
    }
    if (text_.ends_with('\n')) entry_ = parse_ndjson(std::string_view(text_).substr(0, text_.size() - 1));
    return !text_.empty();
  }
  const std::string& text() const { return text_; }
  const std::optional<Entry>& entry() const { return entry_; }
  std::uint64_t line() const { return line_; }

 private:
  bool get() {
    const int got = in_.sbumpc();
    if (got == std::char_traits<char>::eof()) return false;
    text_ += static_cast<char>(got);
    return true;
  }
  bool next_csv() {
    CsvSplitter splitter;
    while (get()) {
      const auto event = splitter.feed(text_.back());
      if (event == CsvSplitter::Event::none) continue;
      if (event == CsvSplitter::Event::record) {
        entry_ = parse_csv(splitter.fields());
      } else {
        while (text_.back() != '\n' && get()) {
        }
      }
      return true;
    }
    return !text_.empty();
  }
  static std::optional<Entry> parse_ndjson(std::string_view line) {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = kDeepestJson + 4;
    const auto value = json::parse(json::string_view(line.data(), line.size()), error, {}, options);
    if (error || !value.is_object()) return std::nullopt;
    const auto* index = value.get_object().if_contains("index");
    const auto* status = value.get_object().if_contains("status");
    if (index == nullptr || status == nullptr || !index->is_int64() || index->get_int64() < 0 || !status->is_string())
      return std::nullopt;
    return Entry{static_cast<std::uint64_t>(index->get_int64()), status->get_string() == "ok"};
  }
  std::optional<Entry> parse_csv(const std::vector<CsvField>& fields) const {
    const std::size_t before = format_.tasks_ || format_.columns_.empty() ? 2 : 1 + format_.columns_.size();
    if (fields.size() != before + 3) return std::nullopt;
    Entry entry;
    const auto& index = fields[0].text;
    const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), entry.index);
    if (error != std::errc() || end != index.data() + index.size()) return std::nullopt;
    entry.ok = fields[before].text == "ok";
    return entry;
  }

  std::streambuf& in_;
  const RecordFormat& format_;
  std::string text_;
  std::optional<Entry> entry_;
  std::uint64_t line_ = 0;
};

RecordFormat RecordFormat::of_map(Format format, std::vector<std::string> columns) {
  RecordFormat result;
  result.format_ = format;
  result.columns_ = std::move(columns);
  return result;
}

RecordFormat RecordFormat::of_tasks(Format format) {
  RecordFormat result;
  result.format_ = format;
  result.tasks_ = true;
  return result;
}

std::string RecordFormat::header() const {
  if (format_ != Format::csv) return {};
  std::string line = tasks_ ? "index,task" : "index";
  if (!tasks_ && columns_.empty()) line += ",input";
  for (const auto& column : columns_) {
    line += ',';
    append_csv(line, "input." + column);
  }
  return line + ",status,value,error\n";
}

void RecordFormat::append(std::string& out, const Record& record) const {
  return format_ == Format::csv ? append_csv_record(out, record) : append_ndjson(out, record);
}

void RecordFormat::append_ndjson(std::string& out, const Record& record) const {
  out += fmt::format(R"({{"index":{},)", record.index);
  if (tasks_) {
    out += "\"task\":";
    append_quoted(out, record.task);
  } else {
    out += "\"input\":";
    out += record.input->json;
  }
  out += fmt::format(R"(,"status":"{}")", record.status);
  if (record.status == "ok") {
    out += ",\"value\":";
    out += record.value;
  } else {
    out += ",\"error\":";
    append_quoted(out, record.error);
  }
  out += "}\n";
}

void RecordFormat::append_csv_record(std::string& out, const Record& record) const {
  out += std::to_string(record.index) + ",";
  if (tasks_) {
    append_csv(out, record.task);
  } else if (columns_.empty()) {
    append_csv(out, plain_text(record.input->json));
  } else {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out += ',';
      append_csv(out, plain_text(record.input->fields[i].second));
    }
  }
  out += fmt::format(",{},", record.status);
  if (record.status == "ok") append_csv(out, plain_text(record.value));
  out += ',';
  append_csv(out, record.error);
  out += '\n';
}

std::variant<Recovered, std::string> RecordFormat::recover(std::istream& in, std::uint64_t total) const {
  Recovered result;
  result.ended.resize(total);
  result.succeeded.resize(total);
  RecordScanner scanner(in, *this);
  const auto first_line = header();
  std::uint64_t broken = 0;  // the first line that is no whole record
  for (bool at_header = !first_line.empty(); scanner.next(); at_header = false) {
    if (at_header) {
      if (scanner.text() == first_line) {
        result.bytes = first_line.size();
        continue;
      }
      if (first_line.starts_with(scanner.text())) continue;
      return "line 1 does not name the columns that this job writes";
    }
    const auto& entry = scanner.entry();
    if (!entry) {
      broken = broken == 0 ? scanner.line() : broken;
      continue;
    }
    // A torn end has nothing behind it.
    if (broken != 0) return fmt::format("record {} is not one of this job's, though whole ones follow", broken);
    if (entry->index >= total)
      return fmt::format("record {} is for input {}, and there are {}", scanner.line(), entry->index, total);
    if (result.ended[entry->index])
      return fmt::format("record {} is a second one for input {}", scanner.line(), entry->index);
    result.ended[entry->index] = true;
    result.succeeded[entry->index] = entry->ok;
    ++(entry->ok ? result.ok : result.failed);
    result.bytes += scanner.text().size();
  }
  return result;
}

void RecordFormat::copy_succeeded(std::istream& in, std::uint64_t bytes, std::ostream& out) const {
  RecordScanner scanner(in, *this);
  std::uint64_t read = 0;
  for (bool at_header = !header().empty(); read < bytes && scanner.next(); at_header = false) {
    read += scanner.text().size();
    if (at_header || (scanner.entry() && scanner.entry()->ok)) out << scanner.text();
  }
}

}  // namespace covey::jobs

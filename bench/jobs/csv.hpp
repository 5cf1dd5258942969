// CSV as RFC 4180 has it, read one character at a time, so that neither a large file nor a record with line breaks
// needs to be in memory as a whole. Pure; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace covey::jobs {

struct CsvField {
  std::string text;
  bool quoted = false;
};

class CsvSplitter {
 public:
  enum class Event { none, record, error };

  explicit CsvSplitter(char delimiter = ',') : delimiter_(delimiter) {}

  // One more character. After `record`, fields() is that record until the next call; after `error` comes nothing more.
  Event feed(char c);
  // The end of the text: a last line without its line break is a record too.
  Event finish();
  const std::vector<CsvField>& fields() const { return fields_; }
  const std::string& error() const { return error_; }
  // Nothing of a record has been seen.
  bool at_start() const { return state_ == State::record_start || state_ == State::complete; }

 private:
  // record_start: nothing yet; complete: the same, and the record before is still in fields_.
  enum class State { record_start, complete, field_start, plain, quoted, quote_in_quoted, after_return };
  Event fail(std::string message);
  Event end_field(char c);

  char delimiter_;
  State state_ = State::record_start;
  std::vector<CsvField> fields_;
  std::string error_;
};

// A field as it is to be written, in quotation marks where it needs them.
void append_csv(std::string& out, std::string_view field);

}  // namespace covey::jobs

#include "bench/jobs/csv.hpp"

#include <utility>

namespace covey::jobs {

CsvSplitter::Event CsvSplitter::fail(std::string message) {
  error_ = std::move(message);
  return Event::error;
}

// `c` stands where the field may end.
CsvSplitter::Event CsvSplitter::end_field(char c) {
  if (c == delimiter_) {
    fields_.emplace_back();
    state_ = State::field_start;
  } else if (c == '\n') {
    state_ = State::complete;
    return Event::record;
  } else if (c == '\r') {
    state_ = State::after_return;
  } else {
    return fail("text stands after a closing quotation mark; within quotation marks one is written twice");
  }
  return Event::none;
}

CsvSplitter::Event CsvSplitter::feed(char c) {
  const bool ends = c == delimiter_ || c == '\n' || c == '\r';
  switch (state_) {
    case State::record_start:
    case State::complete:
      fields_.assign(1, {});
      [[fallthrough]];
    case State::field_start:
      if (c == '"') {
        fields_.back().quoted = true;
        state_ = State::quoted;
        return Event::none;
      }
      state_ = State::plain;
      [[fallthrough]];
    case State::plain:
      if (ends) return end_field(c);
      if (c == '"')
        return fail("a quotation mark stands in the middle of a field; the whole field must be in quotation marks");
      fields_.back().text += c;
      return Event::none;
    case State::quoted:
      if (c == '"') {
        state_ = State::quote_in_quoted;
      } else {
        fields_.back().text += c;
      }
      return Event::none;
    case State::quote_in_quoted:
      if (c != '"') return end_field(c);
      fields_.back().text += '"';
      state_ = State::quoted;
      return Event::none;
    case State::after_return:
      break;
  }
  return c == '\n' ? end_field(c) : fail("a carriage return without a line feed");
}

CsvSplitter::Event CsvSplitter::finish() {
  if (at_start()) return Event::none;
  if (state_ == State::quoted) return fail("the text ends within quotation marks");
  state_ = State::complete;
  return Event::record;
}

void append_csv(std::string& out, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace covey::jobs

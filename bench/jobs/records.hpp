// The lines of an output: one record for each input, appended as inputs end. The output is its own journal: what stands
// there whole is done, and a line that was torn off at the end is cut away. Pure: text in and out; one thread.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bench/jobs/job.hpp"

namespace covey::jobs {

struct Record {
  std::uint64_t index = 0;
  std::string_view task;         // of a graph: its name
  const Input* input = nullptr;  // of a map
  std::string_view status = "ok";
  std::string_view value;  // JSON on one line, where ok
  std::string_view error;  // UTF-8, where not
};

// What stands in an output already.
struct Recovered {
  std::uint64_t bytes = 0;  // that stay; what follows is to be cut off
  std::uint64_t ok = 0, failed = 0;
  std::vector<bool> ended, succeeded;  // by index
};

class RecordFormat {
 public:
  // `columns`: fields that all inputs of a map have, for CSV.
  static RecordFormat of_map(Format format, std::vector<std::string> columns);
  static RecordFormat of_tasks(Format format);

  std::string header() const;  // the first line, of CSV
  void append(std::string& out, const Record& record) const;

  // Reads an output of `total` records as far as it is whole. A text: what is wrong with it, where that is more than a
  // torn end.
  std::variant<Recovered, std::string> recover(std::istream& in, std::uint64_t total) const;
  // Copies the records that succeeded.
  void copy_succeeded(std::istream& in, std::uint64_t bytes, std::ostream& out) const;

 private:
  friend class RecordScanner;
  void append_ndjson(std::string& out, const Record& record) const;
  void append_csv_record(std::string& out, const Record& record) const;

  Format format_ = Format::ndjson;
  bool tasks_ = false;
  std::vector<std::string> columns_;
};

}  // namespace covey::jobs

// Reading and writing CSV, as RFC 4180 has it.
#include "bench/jobs/csv.hpp"

#include <gtest/gtest.h>

namespace covey::jobs {
namespace {

using Record = std::vector<std::string>;

struct Split {
  std::vector<Record> records;
  std::string error;
};

Split split(std::string_view text, char delimiter = ',') {
  Split result;
  CsvSplitter splitter(delimiter);
  const auto take = [&](CsvSplitter::Event event) {
    if (event == CsvSplitter::Event::error) result.error = splitter.error();
    if (event != CsvSplitter::Event::record) return;
    result.records.emplace_back();
    for (const auto& field : splitter.fields()) result.records.back().push_back(field.text);
  };
  for (const char c : text) {
    take(splitter.feed(c));
    if (!result.error.empty()) return result;
  }
  take(splitter.finish());
  return result;
}

TEST(CsvTest, FieldsAreSplitAtDelimitersAndRecordsAtLineBreaks) {
  EXPECT_EQ(split("a,b\nc,d\n").records, (std::vector<Record>{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(split("a;b\r\nc,;\r\n", ';').records, (std::vector<Record>{{"a", "b"}, {"c,", ""}}));
}

TEST(CsvTest, TheLastLineNeedsNoLineBreak) {
  EXPECT_EQ(split("a,b").records, (std::vector<Record>{{"a", "b"}}));
  EXPECT_EQ(split("a,").records, (std::vector<Record>{{"a", ""}}));
  EXPECT_EQ(split("a\n").records.size(), 1u);
  EXPECT_TRUE(split("").records.empty());
}

TEST(CsvTest, QuotedFieldsHoldDelimitersLineBreaksAndQuotationMarks) {
  EXPECT_EQ(split("\"a,b\",\"c\nd\",\"e\"\"f\",\"\"\n").records, (std::vector<Record>{{"a,b", "c\nd", "e\"f", ""}}));
}

TEST(CsvTest, WhatIsNotCsvIsAnErrorThatSaysWhatWouldBeRight) {
  EXPECT_NE(split("a\"b\n").error.find("whole field"), std::string::npos);
  EXPECT_NE(split("\"a\"b\n").error.find("written twice"), std::string::npos);
  EXPECT_NE(split("\"a\n").error.find("ends within"), std::string::npos);
  EXPECT_NE(split("a\rb\n").error.find("carriage return"), std::string::npos);
}

TEST(CsvTest, WhatIsWrittenIsReadBackAsItWas) {
  const Record fields{"plain", "a,b", "line\nbreak", "quote\"d", "\r", "", " spaces ", "käse"};
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) text += ',';
    append_csv(text, fields[i]);
  }
  EXPECT_EQ(split(text + "\n").records, std::vector<Record>{fields});
}

}  // namespace
}  // namespace covey::jobs

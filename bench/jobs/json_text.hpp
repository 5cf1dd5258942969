// JSON as text: what goes from a job, its inputs and its results into arguments and output is copied as it was written,
// so that no number loses a digit. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace covey::jobs {

inline constexpr std::size_t kDeepestJson = 64;  // levels of nesting, as engines have it

// Text as a JSON string. Control characters are escaped, so that it never has a line break.
std::string quote(std::string_view text);
void append_quoted(std::string& out, std::string_view text);

// A JSON number, true, false or null, and nothing else.
bool is_json_literal(std::string_view text);
bool is_json_number(std::string_view text);
// One whole JSON value in UTF-8.
bool is_json(std::string_view text);
bool is_utf8(std::string_view text);

// The same value on one line; `json` is valid.
std::string one_line(std::string_view json);
// Without the white space around it.
std::string_view trimmed(std::string_view text);

// The members of a valid JSON object, their values as they stand in the text; empty where it is no object.
std::vector<std::pair<std::string, std::string>> members_of(std::string_view json);
// The text of a valid JSON string; other values as they stand.
std::string plain_text(std::string_view json);

}  // namespace covey::jobs

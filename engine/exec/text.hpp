// Bytes as text: what JSON may hold, and base64 (RFC 4648) for what it may not.
#pragma once

#include <string>
#include <string_view>

namespace covey::engine {

// Well-formed UTF-8 as the Unicode standard has it (table 3-7): no overlong forms, no surrogates.
bool is_utf8(std::string_view bytes);
// Without the last character where that was cut off in its middle.
std::string_view without_cut_character(std::string_view bytes);
std::string base64(std::string_view bytes);
// The last line that is not blank, without control characters and no longer than `most` bytes; empty: there is none.
std::string last_line(std::string_view text, std::size_t most);

}  // namespace covey::engine

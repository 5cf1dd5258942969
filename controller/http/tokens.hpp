// Who may do what: bearer tokens from a file, a line each, `TOKEN SCOPES [NAME]`; read again when the file changes.
// Lives on the API's loop; parsing is pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace covey::api {

// When a file last changed, as far as that can be seen from outside.
struct FileStamp {
  std::int64_t changed_ns = 0;
  std::uint64_t size = 0, inode = 0;
  bool operator==(const FileStamp&) const = default;
  static FileStamp of(const std::string& file);
};

class Tokens {
 public:
  struct Holder {
    std::uint8_t scopes = 0;  // bits of Scope
    std::string name;
    bool known = false;
  };
  // Every token's digest is compared, however early one fits, and in constant time.
  Holder find(std::string_view token) const;
  std::size_t size() const { return entries_.size(); }

  // Empty: it is well; else what is wrong with the text, and where. Then nothing has changed.
  std::string parse(std::string_view text);
  std::string load(const std::string& file);

  static constexpr std::size_t kShortest = 16, kLongest = 512, kMost = 10'000;

 private:
  struct Entry {
    std::array<unsigned char, 32> digest;  // SHA-256
    std::uint8_t scopes = 0;
    std::string name;
  };
  std::vector<Entry> entries_;
};

}  // namespace covey::api

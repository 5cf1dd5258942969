// Cuts a watch's body into lines. An event is neither a chunk nor a read: what has no newline yet is carried over. Pure; one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace covey::kube {

// An event holds one object, and etcd takes none above 1.5 MiB.
inline constexpr std::size_t kMaxLine = 4 * 1024 * 1024;

class LineSplitter {
 public:
  explicit LineSplitter(std::size_t limit = kMaxLine) : limit_(limit) {}

  // Takes the next bytes. Call next() until it is empty before the next feed().
  void feed(std::string_view bytes);
  // The next whole line, without its newline, valid until feed(); empty lines are passed over.
  std::optional<std::string_view> next();
  // A line is longer than the limit; it is not given out. Nothing more can be had from this body.
  bool overflowed() const { return overflowed_ || buffer_.size() - begin_ > limit_; }
  // The body may not end here: a line has begun.
  bool inside_line() const { return begin_ < buffer_.size(); }

 private:
  std::size_t limit_;
  std::string buffer_;
  std::size_t begin_ = 0;    // of the line that is being read
  bool overflowed_ = false;
  std::size_t scanned_ = 0;  // no newline in [begin_, scanned_)
};

}  // namespace covey::kube

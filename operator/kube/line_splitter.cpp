#include "operator/kube/line_splitter.hpp"

#include <algorithm>

namespace covey::kube {

void LineSplitter::feed(std::string_view bytes) {
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  buffer_ += bytes;
}

std::optional<std::string_view> LineSplitter::next() {
  for (;;) {
    const auto end = buffer_.find('\n', std::max(begin_, scanned_));
    if (end == std::string::npos) {
      scanned_ = buffer_.size();
      return std::nullopt;
    }
    overflowed_ = overflowed_ || end - begin_ > limit_;
    if (overflowed_) return std::nullopt;
    const std::string_view line = std::string_view(buffer_).substr(begin_, end - begin_);
    begin_ = scanned_ = end + 1;
    if (!line.empty() && line != "\r") return line;
  }
}

}  // namespace covey::kube

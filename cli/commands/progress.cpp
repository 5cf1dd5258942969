#include "cli/commands/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

namespace covey::cli {

namespace {
constexpr std::size_t kBarWidth = 30;
}

Progress::Progress(std::string what, std::uint64_t total, bool quiet, std::uint64_t already)
    : what_(std::move(what)), total_(total), already_(already), quiet_(quiet), terminal_(::isatty(2) == 1), started_(std::chrono::steady_clock::now()) {
  next_ = started_ + (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000));
}

Progress::~Progress() {
  if (terminal_ && drawn_) fmt::print(stderr, "\r\033[K");
}

void Progress::update(std::uint64_t done, std::uint64_t failed) {
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || now < next_) return;
  next_ = now + (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000));
  draw(done, failed);
}

void Progress::draw(std::uint64_t done, std::uint64_t failed) {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  const double rate = elapsed > 0 ? static_cast<double>(done - already_) / elapsed : 0;
  const double left = rate > 0 ? static_cast<double>(total_ - done) / rate : 0;
  const auto failures = failed > 0 ? fmt::format(", {} failed", failed) : std::string();
  if (terminal_) {
    const std::size_t full = total_ == 0 ? kBarWidth : kBarWidth * done / total_;
    fmt::print(stderr, "\r\033[K{} [{:#<{}}{:.<{}}] {}/{}{}  {:.0f}/s  {:.0f} s left", what_, "", full, "", kBarWidth - full, done, total_,
               failures, rate, left);
    drawn_ = true;
  } else {
    fmt::print(stderr, "{}: {} of {}{}, {:.0f}/s, {:.0f} s left\n", what_, done, total_, failures, rate, left);
  }
  std::fflush(stderr);
}

}  // namespace covey::cli

// An output file that only grows, and the checkpoint beside it. Does I/O; one thread.
//
// Lines go to the kernel at the end of every turn, so that a killed process loses none that were written; at most once
// a second, and at the end, they are forced to the disk, so that a machine that loses its power loses about a second. A
// torn last line is cut off when the file is opened again, whoever tore it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace covey::jobs {

class Journal {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kSyncEvery{1000};

  // Opens or makes the file and locks it. Throws std::runtime_error that names the file and what is wrong, BadJob where
  // another run holds it.
  explicit Journal(const std::filesystem::path& file);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Keeps the first `bytes`; what is appended comes behind them.
  void cut(std::uint64_t bytes);
  std::string& pending() { return pending_; }  // append here
  // Hands what is pending to the kernel, and to the disk if it is time.
  void flush(Clock::time_point now);
  void sync();

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::string pending_;
  bool unsynced_ = false;
  Clock::time_point next_sync_{};
};

// What an output was made from: digests of its parts by name ("function", "inputs" …). A changed job has other digests.
struct Checkpoint {
  std::string job, step, kind;
  std::map<std::string, std::string> parts;
  bool complete = false;  // of a benchmark, whose output is no journal

  std::string content() const;  // the hash of all parts
};

std::filesystem::path checkpoint_file(const std::filesystem::path& output);
// nullopt: there is none. Throws BadJob where the file is something else.
std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& file);
// Whole or not at all, and on the disk.
void write_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint);
// The parts that differ, in words; empty: the same content.
std::string difference(const Checkpoint& before, const Checkpoint& now);

// Writes a file whole or not at all: beside its place, to the disk, and then into it.
void replace_file(const std::filesystem::path& file, std::string_view text);
void move_into_place(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace covey::jobs

#include "bench/jobs/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "bench/jobs/digest.hpp"
#include "bench/jobs/problem.hpp"

namespace covey::jobs {

namespace json = boost::json;

namespace {

[[noreturn]] void fail_at(const std::filesystem::path& file, const std::string& what) {
  throw std::runtime_error(fmt::format("{}: {}: {}", file.string(), what, std::strerror(errno)));
}

void sync_path(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) fail_at(path, "cannot be opened");
  const int status = ::fsync(descriptor);
  ::close(descriptor);
  if (status != 0) fail_at(path, "cannot be written to the disk");
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

}  // namespace

Journal::Journal(const std::filesystem::path& file) : file_(file) {
  const bool is_new = !std::filesystem::exists(file);
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot be written");
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    throw BadJob(fmt::format("{}: another `covey run` is writing it at this moment", file.string()));
  }
  if (is_new) sync_path(folder_of(file), O_RDONLY | O_DIRECTORY);
}

Journal::~Journal() { ::close(descriptor_); }

void Journal::fail(const std::string& what) const { fail_at(file_, what); }

void Journal::cut(std::uint64_t bytes) {
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) fail("cannot be cut to length");
  if (::lseek(descriptor_, 0, SEEK_END) < 0) fail("cannot be written at its end");
  unsynced_ = true;
}

void Journal::flush(Clock::time_point now) {
  for (std::size_t written = 0; written < pending_.size();) {
    const auto count = ::write(descriptor_, pending_.data() + written, pending_.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot be written");
    written += static_cast<std::size_t>(count);
    unsynced_ = true;
  }
  pending_.clear();
  if (unsynced_ && now >= next_sync_) {
    sync();
    next_sync_ = now + kSyncEvery;
  }
}

void Journal::sync() {
  if (!unsynced_) return;
  if (::fdatasync(descriptor_) != 0) fail("cannot be written to the disk");
  unsynced_ = false;
}

// ---- checkpoints ----

std::string Checkpoint::content() const {
  Digest digest;
  digest.field(kind);
  for (const auto& [name, part] : parts) digest.field(name).field(part);
  return digest.hex();
}

std::filesystem::path checkpoint_file(const std::filesystem::path& output) { return output.string() + ".checkpoint"; }

std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  try {
    const auto object = json::parse(text).as_object();
    if (object.at("covey_checkpoint").to_number<int>() != 1) throw std::invalid_argument("of another version");
    Checkpoint checkpoint;
    checkpoint.job = object.at("job").as_string();
    checkpoint.step = object.at("step").as_string();
    checkpoint.kind = object.at("kind").as_string();
    checkpoint.complete = object.at("complete").as_bool();
    for (const auto& [name, part] : object.at("parts").as_object()) checkpoint.parts[name] = part.as_string();
    if (object.at("content").as_string() != checkpoint.content())
      throw std::invalid_argument("its parts do not fit its hash");
    return checkpoint;
  } catch (const std::exception& error) {
    throw BadJob(
        fmt::format("{}: not a checkpoint ({}); remove it, or begin anew with --restart", file.string(), error.what()));
  }
}

void write_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  json::object parts;
  for (const auto& [name, part] : checkpoint.parts) parts[name] = part;
  replace_file(file, json::serialize(json::object{{"covey_checkpoint", 1},
                                                  {"job", checkpoint.job},
                                                  {"step", checkpoint.step},
                                                  {"kind", checkpoint.kind},
                                                  {"content", checkpoint.content()},
                                                  {"parts", parts},
                                                  {"complete", checkpoint.complete}}) +
                         "\n");
}

std::string difference(const Checkpoint& before, const Checkpoint& now) {
  if (before.kind != now.kind) return fmt::format("a {} then, a {} now", before.kind, now.kind);
  std::string names;
  for (const auto& [name, part] : now.parts) {
    const auto found = before.parts.find(name);
    if (found == before.parts.end() || found->second != part) names += (names.empty() ? "" : " and ") + name;
  }
  if (names.empty() && before.content() != now.content()) names = "content";
  return names.empty() ? names : "its " + names + " changed";
}

void replace_file(const std::filesystem::path& file, std::string_view text) {
  const std::filesystem::path fresh = file.string() + ".new";
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) fail_at(fresh, "cannot be written");
  move_into_place(fresh, file);
}

void move_into_place(const std::filesystem::path& from, const std::filesystem::path& to) {
  sync_path(from, O_RDONLY);
  std::filesystem::rename(from, to);
  sync_path(folder_of(to), O_RDONLY | O_DIRECTORY);
}

}  // namespace covey::jobs

#include "cli/local/own_folder.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "common/process/ending_signals.hpp"

namespace covey::local {

namespace {

// What the handler reads: fixed memory, since it may not ask for any. A slot is in use once its flag is set.
constexpr std::size_t kSlots = 8, kLongestPath = 1024;
std::array<std::array<char, kLongestPath>, kSlots> paths;
std::array<std::atomic<bool>, kSlots> in_use;

// Once our parent has gone, its children are being killed, and write no more a moment later, on a busy machine some moments:
// hence again and again.
[[noreturn]] void remove_after(pid_t parent) {
  ::setsid();
  const timespec pause{0, 5'000'000};
  while (::getppid() == parent) ::nanosleep(&pause, nullptr);
  static char shell[] = "sh", option[] = "-c", name[] = "covey";
  static char script[] = "for pause in 0 1 2 4 8; do sleep $pause; rm -rf -- \"$@\"; done";
  std::array<char*, kSlots + 5> argv{shell, option, script, name};
  std::size_t count = 4;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (in_use[slot].load()) argv[count++] = paths[slot].data();
  }
  ::execv("/bin/sh", argv.data());
  ::_exit(127);
}

bool any_in_use() {
  for (const auto& flag : in_use) {
    if (flag.load()) return true;
  }
  return false;
}

void watch_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (process::is_unhandled(number)) ::signal(number, end_with_folders);
  }
}

std::size_t take_slot(const std::string& path) {
  for (std::size_t slot = 0; slot < kSlots && path.size() < kLongestPath; ++slot) {
    if (in_use[slot].load()) continue;
    std::memcpy(paths[slot].data(), path.c_str(), path.size() + 1);
    in_use[slot].store(true);
    break;
  }
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (in_use[slot].load() && path == paths[slot].data()) return slot;
  }
  return kSlots;  // none is free, or the path is too long: then it goes with its object only
}

}  // namespace

OwnFolder::OwnFolder(const std::string& prefix) {
  auto name = (std::filesystem::temp_directory_path() / (prefix + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(fmt::format("cannot make the folder {}", name));
  path_ = name;
  slot_ = take_slot(name);
  watch_signals();
}

OwnFolder::~OwnFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  if (slot_ < kSlots) in_use[slot_].store(false);
}

// Only what is safe in a signal handler: fork() takes locks that the interrupted thread may hold, _Fork() does not.
void end_with_folders(int signal) {
  const pid_t self = ::getpid();
  if (any_in_use() && ::_Fork() == 0) remove_after(self);
  process::end_by(signal);
}

}  // namespace covey::local

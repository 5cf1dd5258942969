#include "engine/exec/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

namespace covey::engine {

namespace {

using Clock = CallContext::Clock;

constexpr std::size_t kReadBytes = 64 * 1024;  // what a pipe holds
constexpr std::size_t kLastBytes = 1024;       // of dropped output
constexpr auto kPollWithoutPidfd = std::chrono::milliseconds(5);

// A descriptor that is closed on exec. Owns it.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

std::system_error failed_to(const char* what) { return {errno, std::generic_category(), what}; }

// Never 0, 1 or 2, even in an engine that was started with these closed: the child's are made of it with dup2.
Fd high(int fd, const char* what) {
  if (fd < 0) throw failed_to(what);
  if (fd > STDERR_FILENO) return Fd(fd);
  const Fd low(fd);
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (copy < 0) throw failed_to(what);
  return Fd(copy);
}

struct Pipe {
  Fd read, write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw failed_to("pipe");
  Fd write(ends[1]);  // closed should the next line throw
  Pipe pipe{high(ends[0], "pipe"), {}};
  pipe.write = write.get() > STDERR_FILENO ? std::move(write) : high(::fcntl(write.get(), F_DUPFD_CLOEXEC, 3), "pipe");
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

int null_input() {
  static const Fd fd = high(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null");
  return fd.get();
}

// A file in memory: unlike a pipe it needs no feeding while the child runs, and nobody gets SIGPIPE.
Fd text_input(std::string_view text) {
  Fd fd = high(::memfd_create("covey-stdin", MFD_CLOEXEC), "memfd_create");
  while (!text.empty()) {
    const auto written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw failed_to("write stdin");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// ---- starting ----

// Default handling of what an engine may ignore, nothing blocked, a process group of its own.
const posix_spawnattr_t& spawn_attributes() {
  static const posix_spawnattr_t attributes = [] {
    posix_spawnattr_t made;
    ::posix_spawnattr_init(&made);
    sigset_t none, defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    for (const int signal : {SIGPIPE, SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2})
      ::sigaddset(&defaults, signal);
    ::posix_spawnattr_setsigmask(&made, &none);
    ::posix_spawnattr_setsigdefault(&made, &defaults);
    ::posix_spawnattr_setpgroup(&made, 0);
    ::posix_spawnattr_setflags(&made, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return made;
  }();
  return attributes;
}

class FileActions {
 public:
  FileActions(int in, int out, int err, const std::string& cwd) {
    ::posix_spawn_file_actions_init(&actions_);
    if (!cwd.empty()) ::posix_spawn_file_actions_addchdir_np(&actions_, cwd.c_str());
    ::posix_spawn_file_actions_adddup2(&actions_, in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    // Libraries open descriptors, sockets to NATS among them, that are not closed on exec.
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  // exec's signature lacks a const that it keeps to.
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

// The engine's environment with the additions. An engine does not change its environment once it runs.
std::vector<std::string> merged_environment(const std::vector<std::string>& additions) {
  std::vector<std::string> merged = additions;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    const auto same = [&](const std::string& one) { return name_of(one) == name_of(*variable); };
    if (std::none_of(additions.begin(), additions.end(), same)) merged.emplace_back(*variable);
  }
  return merged;
}

// 0, or what errno would say.
int spawn(const Command& command, const FileActions& actions, pid_t& pid) {
  const auto argv = pointers_to(command.argv);
  if (command.environment.empty()) {
    return ::posix_spawnp(&pid, argv[0], actions.get(), &spawn_attributes(), argv.data(), ::environ);
  }
  const auto environment = merged_environment(command.environment);
  return ::posix_spawnp(&pid, argv[0], actions.get(), &spawn_attributes(), argv.data(),
                        pointers_to(environment).data());
}

std::string start_error(const Command& command, int error) {
  struct stat about{};
  if (!command.cwd.empty() && (::stat(command.cwd.c_str(), &about) != 0 || !S_ISDIR(about.st_mode))) {
    return fmt::format("cannot start '{}': cwd '{}' is no directory", command.argv[0], command.cwd);
  }
  return fmt::format("cannot start '{}': {}", command.argv[0], std::generic_category().message(error));
}

// ---- watching ----

// Reads until the pipe is empty for now; closes it at its end.
void capture(Fd& pipe, Captured& into, std::size_t most, std::array<char, kReadBytes>& scratch) {
  const auto count = ::read(pipe.get(), scratch.data(), scratch.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return pipe.reset();
  const std::string_view got(scratch.data(), static_cast<std::size_t>(count));
  const auto kept = got.substr(0, most - into.bytes.size());
  into.bytes += kept;
  if (kept.size() == got.size()) return;
  into.truncated = true;
  into.last += got.substr(kept.size());
  if (into.last.size() > kLastBytes) into.last.erase(0, into.last.size() - kLastBytes);
}

// What a thread keeps from one child to the next.
struct Bench {
  Fd wake = high(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  std::array<char, kReadBytes> scratch;
};

Bench& bench_of_this_thread() {
  thread_local const std::unique_ptr<Bench> bench = std::make_unique<Bench>();
  return *bench;
}

// Makes the bench's descriptor readable once the run is to stop, for as long as this lives.
class StopWatch {
 public:
  StopWatch(CallContext& context, int wake) : context_(context), wake_(wake) {
    context.on_cancel([wake] {
      const std::uint64_t one = 1;
      static_cast<void>(!::write(wake, &one, sizeof one));
    });
  }
  ~StopWatch() {
    context_.on_cancel({});
    std::uint64_t count = 0;
    if (context_.cancelled()) static_cast<void>(!::read(wake_, &count, sizeof count));
  }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

 private:
  CallContext& context_;
  int wake_;
};

// A child that runs. It is not reaped before the end, so that neither its id nor its group's can become another's.
class Watch {
 public:
  Watch(CallContext& context, pid_t pid, Fd out, Fd err, const ChildLimits& limits)
      : context_(context),
        limits_(limits),
        pid_(pid),
        pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
        out_(std::move(out)),
        err_(std::move(err)) {}

  ChildEnd to_the_end() {
    Bench& bench = bench_of_this_thread();
    const StopWatch stop_watch(context_, bench.wake.get());
    while (!over()) turn(bench);
    ::kill(-pid_, SIGKILL);  // whom it left behind
    reap();
    reap_orphans();
    return std::move(end_);
  }

 private:
  bool over() const {
    if (!exited_at_) return false;
    return (out_.get() < 0 && err_.get() < 0) || Clock::now() >= *exited_at_ + kLinger;
  }

  void turn(Bench& bench) {
    // A negative descriptor is one that poll leaves alone; a readable eventfd stays so, and has been seen.
    const int wake = end_.stopped == Stopped::no ? bench.wake.get() : -1;
    std::array<pollfd, 4> polled{{{exited_at_ ? -1 : pidfd_.get(), POLLIN, 0},
                                  {out_.get(), POLLIN, 0},
                                  {err_.get(), POLLIN, 0},
                                  {wake, POLLIN, 0}}};
    wait(polled);
    if (polled[1].revents != 0) capture(out_, end_.out, limits_.most_output_bytes, bench.scratch);
    if (polled[2].revents != 0) capture(err_, end_.err, limits_.most_output_bytes, bench.scratch);
    if (!exited_at_ && (pidfd_.get() < 0 ? has_exited() : polled[0].revents != 0)) exited_at_ = Clock::now();
    if (!exited_at_) stop_if_due();
  }

  void wait(std::array<pollfd, 4>& polled) const {
    auto until = next_moment();
    if (pidfd_.get() < 0 && !exited_at_) until = std::min(until, Clock::now() + kPollWithoutPidfd);
    if (until == Clock::time_point::max()) {
      ::ppoll(polled.data(), polled.size(), nullptr, nullptr);
      return;
    }
    const std::int64_t left = std::max<std::int64_t>(0, std::chrono::nanoseconds(until - Clock::now()).count());
    const timespec timeout{static_cast<std::time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    ::ppoll(polled.data(), polled.size(), &timeout, nullptr);
  }

  Clock::time_point next_moment() const {
    if (exited_at_) return *exited_at_ + kLinger;
    if (end_.stopped == Stopped::by_term) return kill_at_;
    if (end_.stopped == Stopped::no && context_.deadline()) return *context_.deadline();
    return Clock::time_point::max();
  }

  void stop_if_due() {
    const auto now = Clock::now();
    if (end_.stopped == Stopped::no && context_.deadline() && now >= *context_.deadline()) context_.cancel(true);
    if (end_.stopped == Stopped::no && context_.cancelled()) {
      end_.stopped = Stopped::by_term;
      kill_at_ = now + limits_.kill_grace;
      ::kill(-pid_, SIGTERM);
    }
    if (end_.stopped == Stopped::by_term && now >= kill_at_) {
      end_.stopped = Stopped::by_kill;
      ::kill(-pid_, SIGKILL);
    }
  }

  bool has_exited() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
  }

  void reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
    if (WIFEXITED(status)) end_.exit_code = WEXITSTATUS(status);
  }

  // Whom it left behind became our children where we are the first process of a container, and would stay as zombies. Ids are given
  // in turn, so that the group's is not yet another's.
  void reap_orphans() const {
    while (::waitpid(-pid_, nullptr, 0) > 0 || errno == EINTR) {
    }
  }

  CallContext& context_;
  const ChildLimits& limits_;
  pid_t pid_;
  Fd pidfd_;  // none on kernels before 5.3
  Fd out_, err_;
  std::optional<Clock::time_point> exited_at_;
  Clock::time_point kill_at_{};
  ChildEnd end_;
};

}  // namespace

ChildEnd run_child(CallContext& context, const Command& command, const ChildLimits& limits) {
  Fd text;
  if (command.stdin_text) text = text_input(*command.stdin_text);
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  static_cast<void>(bench_of_this_thread());  // it may throw, which must not happen once there is a child
  pid_t pid = -1;
  {
    const FileActions actions(command.stdin_text ? text.get() : null_input(), out.write.get(), err.write.get(),
                              command.cwd);
    if (const int error = spawn(command, actions, pid); error != 0) {
      ChildEnd end;
      end.start_error = start_error(command, error);
      return end;
    }
  }
  out.write.reset();
  err.write.reset();
  return Watch(context, pid, std::move(out.read), std::move(err.read), limits).to_the_end();
}

}  // namespace covey::engine

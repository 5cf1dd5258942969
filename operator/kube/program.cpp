#include "operator/kube/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <memory>

extern char** environ;

namespace covey::kube {

namespace asio = boost::asio;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr auto kReapInterval = std::chrono::milliseconds(5);
constexpr std::size_t kQuoted = 500;  // of what it says on its standard error

// A child that does not outlive this object.
struct Child {
  pid_t pid = -1;
  ~Child() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
};

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) == 0) std::tie(read, write) = std::pair(both[0], both[1]);
  }
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

std::vector<std::string> merged_environment(const Program& program) {
  std::vector<std::string> all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view line(*at);
    const auto name = line.substr(0, line.find('='));
    bool replaced = false;
    for (const auto& [own, value] : program.environment) replaced = replaced || own == name;
    if (!replaced) all.emplace_back(line);
  }
  for (const auto& [name, value] : program.environment) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// 0, or what errno would say.
int spawn(Program& program, const Pipe& output, const Pipe& errors, Child& child) {
  auto environment = merged_environment(program);
  const auto argv = pointers(program.argv), envp = pointers(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write, 1);
  posix_spawn_file_actions_adddup2(&actions, errors.write, 2);
  const int error = ::posix_spawnp(&child.pid, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) child.pid = -1;
  return error;
}

struct Running {
  Running(const asio::any_io_executor& executor, Pipe& out, Pipe& err)
      : deadline(executor), pause(executor), output(executor, std::exchange(out.read, -1)), errors(executor, std::exchange(err.read, -1)) {}
  Child child;
  asio::steady_timer deadline, pause;
  asio::readable_pipe output, errors;
  bool late = false;
};

// To the end of the pipe; false past the limit.
asio::awaitable<bool> read_all(asio::readable_pipe* pipe, std::string* into, std::size_t limit) {
  std::string piece(8192, '\0');
  for (;;) {
    const auto [error, got] = co_await pipe->async_read_some(asio::buffer(piece), kAwait);
    if (error) co_return true;
    if (into->size() + got > limit) co_return false;
    into->append(piece, 0, got);
  }
}

// Its status once it has ended; nothing at the deadline.
asio::awaitable<std::optional<int>> await_end(Running* running) {
  for (;;) {
    int status = 0;
    const auto ended = ::waitpid(running->child.pid, &status, WNOHANG);
    if (ended == running->child.pid) {
      running->child.pid = -1;
      co_return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (running->late) co_return std::nullopt;
    running->pause.expires_after(kReapInterval);
    co_await running->pause.async_wait(kAwait);
  }
}

}  // namespace

asio::awaitable<Result<std::string>> run_program(asio::any_io_executor executor, Program program) {
  std::shared_ptr<Running> running;
  {
    Pipe output, errors;
    if (output.read < 0 || errors.read < 0) co_return local_error("no more file descriptors");
    Child child;
    const int failed = spawn(program, output, errors, child);
    if (failed != 0) co_return local_error(fmt::format("{}: {}", program.argv[0], std::strerror(failed)));
    running = std::make_shared<Running>(executor, output, errors);
    running->child.pid = std::exchange(child.pid, -1);
  }
  running->deadline.expires_after(program.timeout);
  running->deadline.async_wait([weak = std::weak_ptr(running)](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->late = true;
    boost::system::error_code ignored;
    self->output.close(ignored);
    self->errors.close(ignored);
  });
  std::string output, errors;
  // A pipe holds 64 KiB, so that what a program says on the other one meanwhile does not stop it.
  const bool fits = co_await read_all(&running->output, &output, program.max_output);
  if (!fits) co_return local_error(fmt::format("{} writes more than {} bytes", program.argv[0], program.max_output));
  co_await read_all(&running->errors, &errors, kQuoted);
  const auto status = co_await await_end(running.get());
  if (!status || running->late) co_return local_error(fmt::format("{} did not end within {} s", program.argv[0], program.timeout.count() / 1000));
  if (*status != 0) co_return local_error(fmt::format("{} ended with status {}: {}", program.argv[0], *status, errors));
  co_return output;
}

}  // namespace covey::kube

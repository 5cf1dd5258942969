#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "engine/exec/process.hpp"
#include "tests/engine/exec/run.hpp"

namespace covey::engine {
namespace {

class ExecTest : public testing::Test {
 protected:
  ExecTest() { add_exec(table_, {.allowed = true, .kill_grace = std::chrono::milliseconds(1)}); }
  std::string call(std::string_view args) const { return text_of(run(table_, "exec", args)); }
  // A line of shell that needs no escaping in JSON.
  Outcome shell(std::string_view line) const {
    return run(table_, "exec", fmt::format(R"([["sh", "-c", "{}"]])", line));
  }
  FunctionTable table_;
};

// A pipe with a name, by which a program and a test tell each other how far they are.
class Fifo {
 public:
  Fifo() {
    std::string folder = (std::filesystem::temp_directory_path() / "covey_exec_XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    folder_ = folder;
    path_ = folder + "/fifo";
    ::mkfifo(path_.c_str(), 0600);
    fd_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  ~Fifo() {
    ::close(fd_);
    std::filesystem::remove_all(folder_);
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  const std::string& path() const { return path_; }
  // Until somebody has written to it (POLLIN), or nobody has it open any more (POLLHUP).
  short wait() const {
    pollfd polled{fd_, POLLIN, 0};
    ::poll(&polled, 1, -1);
    return polled.revents;
  }
  void read_all() const {
    char scratch[64];
    while (::read(fd_, scratch, sizeof scratch) > 0) {
    }
  }

 private:
  std::string folder_, path_;
  int fd_ = -1;
};

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

TEST_F(ExecTest, ReturnsTheExitCodeAndWhatWasPrinted) {
  EXPECT_EQ(call(R"([["echo", "hello"]])"), R"(ok {"exit_code":0,"stdout":"hello\n","stderr":""})");
  const auto outcome = shell("echo out; echo err >&2");
  EXPECT_EQ(text_of(outcome), R"(ok {"exit_code":0,"stdout":"out\n","stderr":"err\n"})");
  EXPECT_EQ(outcome.stdout_text, "out\n");
  EXPECT_EQ(outcome.stderr_text, "err\n");
}

TEST_F(ExecTest, AnExitCodeIsAFailureThatKeepsTheResult) {
  EXPECT_EQ(text_of(shell("echo so far; echo first >&2; echo went wrong >&2; exit 3")),
            R"(failed {"exit_code":3,"stdout":"so far\n","stderr":"first\nwent wrong\n"}: exit code 3: went wrong)");
  EXPECT_EQ(text_of(shell("exit 7")), R"(failed {"exit_code":7,"stdout":"","stderr":""}: exit code 7)");
}

TEST_F(ExecTest, ASignalIsAFailureWithItsName) {
  EXPECT_EQ(text_of(shell("kill -KILL $$")),
            R"(failed {"exit_code":null,"signal":"SIGKILL","stdout":"","stderr":""}: killed by SIGKILL)");
}

TEST_F(ExecTest, StdinIsFedAndOtherwiseEmpty) {
  EXPECT_EQ(call(R"([{"argv": ["cat"], "stdin": "a\nb"}])"), R"(ok {"exit_code":0,"stdout":"a\nb","stderr":""})");
  EXPECT_EQ(call(R"([{"argv": ["cat"], "stdin": ""}])"), R"(ok {"exit_code":0,"stdout":"","stderr":""})");
  EXPECT_EQ(call(R"([["cat"]])"), R"(ok {"exit_code":0,"stdout":"","stderr":""})");
}

TEST_F(ExecTest, AProgramNeedNotReadItsStdin) {
  const std::string text(300'000, 'x');
  EXPECT_EQ(call(fmt::format(R"([{{"argv": ["true"], "stdin": "{}"}}])", text)),
            R"(ok {"exit_code":0,"stdout":"","stderr":""})");
  EXPECT_EQ(call(fmt::format(R"([{{"argv": ["wc", "-c"], "stdin": "{}"}}])", text)),
            R"(ok {"exit_code":0,"stdout":"300000\n","stderr":""})");
}

TEST_F(ExecTest, TheEnvironmentIsTheEnginesWithAdditions) {
  ::setenv("COVEY_TEST_KEPT", "kept", 1);
  ::setenv("COVEY_TEST_CHANGED", "old", 1);
  EXPECT_EQ(call(R"([{"argv": ["sh", "-c", "echo $COVEY_TEST_KEPT $COVEY_TEST_CHANGED $COVEY_TEST_NEW"],
                      "env": {"COVEY_TEST_CHANGED": "changed", "COVEY_TEST_NEW": "a=b"}}])"),
            R"(ok {"exit_code":0,"stdout":"kept changed a=b\n","stderr":""})");
}

TEST_F(ExecTest, TheWorkingDirectoryCanBeChosen) {
  EXPECT_EQ(call(R"([{"argv": ["pwd", "-P"], "cwd": "/usr"}])"), R"(ok {"exit_code":0,"stdout":"/usr\n","stderr":""})");
  EXPECT_EQ(call(R"([{"argv": ["pwd"], "cwd": "/no/such/place"}])"),
            "failed: exec: cannot start 'pwd': cwd '/no/such/place' is no directory");
}

TEST_F(ExecTest, AMissingProgramIsNamed) {
  EXPECT_EQ(call(R"([["covey-no-such-program"]])"),
            "failed: exec: cannot start 'covey-no-such-program': No such file or directory");
  EXPECT_EQ(call(R"([["/"]])"), "failed: exec: cannot start '/': Permission denied");
}

TEST_F(ExecTest, OutputBeyondTheLimitIsDroppedAndSaidToBe) {
  const auto outcome = shell("head -c 3000000 /dev/zero | tr '\\\\0' x; head -c 1048576 /dev/zero | tr '\\\\0' y >&2");
  ASSERT_EQ(outcome.status, wire::TaskStatus::ok) << outcome.error;
  EXPECT_EQ(outcome.stdout_text, std::string(std::size_t{1} << 20, 'x'));
  EXPECT_EQ(outcome.stderr_text, std::string(std::size_t{1} << 20, 'y'));
  EXPECT_NE(outcome.value.buffer.view().find(R"("stdout_truncated":true)"), std::string_view::npos);
  EXPECT_EQ(outcome.value.buffer.view().find("stderr_truncated"), std::string_view::npos);
}

TEST_F(ExecTest, TheLastLineOfStderrIsKnownEvenWhereItWasDropped) {
  const auto outcome = shell("yes noise | head -c 2000000 >&2; echo >&2; echo the reason >&2; exit 1");
  EXPECT_EQ(outcome.error, "exit code 1: the reason");
}

TEST_F(ExecTest, OutputThatIsNotUtf8IsBase64) {
  EXPECT_EQ(text_of(shell("printf '\\\\377'")),
            R"(ok {"exit_code":0,"stdout":"/w==","stdout_encoding":"base64","stderr":""})");
}

TEST_F(ExecTest, TruncationDoesNotTurnTextIntoBase64) {
  FunctionTable table;
  add_exec(table, {.allowed = true, .most_output_bytes = 4});
  EXPECT_EQ(text_of(run(table, "exec", R"([["printf", "ab€€"]])")),
            R"(ok {"exit_code":0,"stdout":"ab","stdout_truncated":true,"stderr":""})");
}

TEST_F(ExecTest, CancellingSendsSigterm) {
  const Fifo fifo;
  CallContext context;
  std::thread other([&] {
    fifo.wait();
    context.cancel(false);
  });
  const auto line = fmt::format(
      R"([["sh", "-c", "trap 'echo bye; exit 5' TERM; echo > {}; while :; do sleep 0.01; done"]])", fifo.path());
  EXPECT_EQ(text_of(run(table_, "exec", line, context)).substr(0, 9), "cancelled");
  other.join();
}

TEST_F(ExecTest, WhoIgnoresSigtermIsKilledWithItsWholeGroup) {
  const Fifo fifo;
  CallContext context;
  std::thread other([&] {
    fifo.wait();
    context.cancel(false);
  });
  // Both the shell and what it started ignore SIGTERM, and hold the fifo open.
  const auto line =
      fmt::format(R"([["sh", "-c", "trap '' TERM; exec 9> {}; echo >&9; while :; do sleep 1000; done"]])", fifo.path());
  EXPECT_EQ(run(table_, "exec", line, context).error,
            "cancelled while it ran, and was ended with SIGKILL because it ignored SIGTERM");
  other.join();
  fifo.read_all();
  EXPECT_TRUE((fifo.wait() & POLLHUP) != 0);
}

TEST_F(ExecTest, ARunCancelledBeforeItBeganEndsAtOnce) {
  CallContext context;
  context.cancel(false);
  EXPECT_EQ(run(table_, "exec", R"([["sleep", "1000"]])", context).status, wire::TaskStatus::cancelled);
}

TEST_F(ExecTest, TheRunLimitEndsAProgram) {
  CallContext context(CallContext::Clock::now() + std::chrono::milliseconds(1));
  const auto outcome = run(table_, "exec", R"([["sleep", "1000"]])", context);
  EXPECT_EQ(outcome.status, wire::TaskStatus::timed_out);
  EXPECT_TRUE(outcome.error.starts_with("it ran longer than its limit, and was ended with SIG")) << outcome.error;
}

TEST_F(ExecTest, WhatAProgramLeavesBehindStaysNoZombieOfAFirstProcess) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // orphans come to this process, as they come to a container's first one
  EXPECT_EQ(shell("sleep 1000 & (sleep 1000 & sleep 1000) & echo").status, wire::TaskStatus::ok);
  siginfo_t info{};
  EXPECT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1) << "process " << info.si_pid << " is still there";
  EXPECT_EQ(errno, ECHILD);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(ExecTest, WhatAProgramLeavesBehindIsKilled) {
  const Fifo fifo;
  // It keeps stdout open as well, which must not keep the run from ending.
  const auto outcome = shell(fmt::format("exec 9> {}; sleep 1000 & echo started", fifo.path()));
  EXPECT_EQ(text_of(outcome), R"(ok {"exit_code":0,"stdout":"started\n","stderr":""})");
  EXPECT_TRUE((fifo.wait() & POLLHUP) != 0);
}

TEST_F(ExecTest, AProgramGetsNoneOfTheEnginesDescriptors) {
  const int leaky = ::fcntl(STDIN_FILENO, F_DUPFD, 100);
  ASSERT_GE(leaky, 100);
  EXPECT_EQ(shell(fmt::format("test -e /proc/self/fd/{}", leaky)).error, "exit code 1");
  ::close(leaky);
}

TEST_F(ExecTest, AProgramStartsWithDefaultSignalHandling) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(shell("kill -PIPE $$").error, "killed by SIGPIPE");
  ::signal(SIGPIPE, before);
}

TEST_F(ExecTest, NoDescriptorIsLeaked) {
  call(R"([["true"]])");  // what a thread keeps
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    call(R"([{"argv": ["cat"], "stdin": "x"}])");
    call(R"([["covey-no-such-program"]])");
    call(R"([["false"]])");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ExecTest, ManyThreadsRunProgramsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int k = 0; k < 10; ++k)
        EXPECT_EQ(call(R"([["echo", "x"]])"), R"(ok {"exit_code":0,"stdout":"x\n","stderr":""})");
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(ExecTest, WrongArgumentsAreExplained) {
  EXPECT_EQ(call("[5]"),
            "bad_arguments: exec: argument 1 (command) must be an array of strings or an object with argv, got 5");
  EXPECT_EQ(call("[[]]"), "bad_arguments: exec: argv must name a program, got an empty array");
  EXPECT_EQ(call(R"([[""]])"), "bad_arguments: exec: argv must name a program, got an empty string");
  EXPECT_EQ(call(R"([["a", 1]])"), "bad_arguments: exec: argument 1 (argv) must be a string, got 1");
  EXPECT_EQ(call(R"([["a", "\u0000"]])"), "bad_arguments: exec: argv must have no NUL characters");
  EXPECT_EQ(call("[{}]"), "bad_arguments: exec: argv is missing");
  EXPECT_EQ(call(R"([{"argv": "ls"}])"),
            "bad_arguments: exec: argument 1 (argv) must be an array of strings, got a string");
  EXPECT_EQ(call(R"([{"argv": ["a"], "env": []}])"),
            "bad_arguments: exec: argument 1 (env) must be an object of strings, got an array");
  EXPECT_EQ(call(R"([{"argv": ["a"], "env": {"A=B": ""}}])"),
            "bad_arguments: exec: env: 'A=B' cannot be the name of a variable");
  EXPECT_EQ(call(R"([{"argv": ["a"], "shell": true}])"),
            "bad_arguments: exec: knows argv, env, cwd and stdin, got 'shell'");
}

TEST(ExecNotAllowedTest, IsRefusedWithTheWayToAllowIt) {
  FunctionTable table;
  add_exec(table, {});
  EXPECT_EQ(text_of(run(table, "exec", R"([["true"]])")),
            "not_allowed: exec is not allowed on this engine; start the engine with --allow-exec");
}

}  // namespace
}  // namespace covey::engine

// The executable as a person meets it, for a test: run it, and look at what it says. COVEY_HOME is a folder of the test's own.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/integration/cluster_fixture.hpp"

namespace covey::integration {

struct Ended {
  int status = 0;
  std::string output;  // stdout and stderr
};

struct CliFixture : ClusterFixture {
  CliFixture() { ::setenv("COVEY_HOME", folder.c_str(), 1); }
  Ended run(const std::string& arguments) { return run_with("", arguments); }
  // `environment`: assignments as the shell takes them.
  Ended run_with(const std::string& environment, const std::string& arguments) {
    return run_command(environment + " " + std::string(COVEY_EXECUTABLE) + " " + arguments);
  }
  static Ended run_command(const std::string& command) {
    Ended ended;
    FILE* pipe = ::popen((command + " 2>&1 </dev/null").c_str(), "r");
    std::array<char, 4096> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe)) ended.output.append(buffer.data(), size);
    const int status = ::pclose(pipe);
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
  }
  static void expect_says(const Ended& ended, const std::string& text) {
    EXPECT_NE(ended.output.find(text), std::string::npos) << "wanted: " << text << "\ngot: " << ended.output;
  }
};

}  // namespace covey::integration

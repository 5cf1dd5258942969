// The one executable: its commands are Covey's parts and tools.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands/command.hpp"
#include "cli/commands/yaml_config.hpp"
#include "common/process/ending_signals.hpp"

int main(int argc, char** argv) {
  covey::process::heed_ending_signals();
  CLI::App app("Covey runs many tasks on many engines.\n");
  app.name("covey");
  app.set_version_flag("--version", std::string("covey ") + COVEY_VERSION);
  app.require_subcommand(1);
  app.footer(
      "A first session:\n"
      "  covey up -n 4 --detach             start NATS, a controller and 4 engines\n"
      "  covey map sleep --range 0:3        run sleep(0), sleep(1), sleep(2)\n"
      "  covey status                       what is there and how busy it is\n"
      "  covey down                         stop it all\n\n"
      "`covey COMMAND --help` tells more about each.");
  covey::cli::add_up_commands(app);
  covey::cli::add_task_commands(app);
  covey::cli::add_status_command(app);
  covey::cli::add_run_command(app);
  covey::cli::add_bench_commands(app);
  covey::cli::add_part_commands(app);
  covey::cli::add_operator_command(app);
  try {
    auto words = covey::cli::with_config(app, {argv + 1, argv + argc});
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    app.parse(std::move(words));
  } catch (const CLI::RuntimeError& end) {
    return end.get_exit_code();
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : covey::cli::kBadUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "covey: {}\n", error.what());
    return covey::cli::kUnreachable;
  }
  return 0;
}

// covey controller, covey engine: the parts, for any machine.
#include <unistd.h>

#include "cli/commands/command.hpp"
#include "cli/commands/http_options.hpp"
#include "cli/commands/yaml_config.hpp"
#include "controller/app/controller_node.hpp"
#include "engine/app/engine_node.hpp"

#include <fmt/format.h>

namespace covey::cli {

namespace {

std::string host_and_process() {
  char host[256] = "host";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}/{}", host, ::getpid());
}

void add_patience(CLI::App& command, int& seconds) {
  command.add_option("--wait-for-nats", seconds, "seconds to go on trying while no NATS server answers")
      ->check(CLI::Range(0, 86400))
      ->envname("COVEY_WAIT_FOR_NATS");
}

void add_controller(CLI::App& app) {
  struct State {
    Where where;
    controller::NodeOptions options;
    int wait_for_nats_s = 0;
    double result_ttl_s = 3600;
    std::uint64_t max_result_mb = 256;
    std::string http_address;
  };
  auto state = std::make_shared<State>();
  auto* command = app.add_subcommand("controller", "Run a controller: it takes tasks from clients and gives them to engines.");
  command->footer("Example:\n  covey controller --nats nats://127.0.0.1:4222 --policy lru");
  state->where.add_to(*command);
  add_patience(*command, state->wait_for_nats_s);
  const std::map<std::string, controller::Policy> policies{{"leastload", controller::Policy::leastload},
                                                           {"lru", controller::Policy::lru},
                                                           {"weighted", controller::Policy::weighted},
                                                           {"twobin", controller::Policy::twobin},
                                                           {"plainrandom", controller::Policy::plainrandom}};
  const auto choose = [state, policies](const std::string& name) { state->options.core.policy = policies.at(name); };
  command->add_option_function<std::string>("--policy", choose, "how an engine is chosen (leastload)")
      ->check(CLI::IsMember(policies))
      ->envname("COVEY_POLICY");
  command->add_option("--max-tasks", state->options.core.max_tasks, "unfinished tasks of all clients")->check(CLI::Range(1024, 100'000'000));
  command->add_option("--history-tasks", state->options.core.history, "ended tasks of all clients that are still known, without their values")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000'000));
  command->add_option("--max-result-mb", state->max_result_mb, "memory for results that nobody has taken yet");
  command->add_option("--result-ttl", state->result_ttl_s, "seconds that such results wait")->check(CLI::PositiveNumber);
  add_http_options(*command, state->options.http, state->http_address);
  add_config_option(*command);
  command->callback([state] {
    const auto info = state->where.resolve(wire::Role::controller);
    finish_http_options(state->options.http, state->http_address, state->where.insecure);
    state->options.nats = info.options("covey controller");
    state->options.nats.patience = std::chrono::seconds(state->wait_for_nats_s);
    state->options.cluster = info.cluster;
    state->options.core.max_result_bytes = state->max_result_mb << 20;
    state->options.core.result_ttl = std::chrono::milliseconds(static_cast<std::int64_t>(state->result_ttl_s * 1000));
    throw CLI::RuntimeError(controller::run_controller(state->options));
  });
}

void add_engine(CLI::App& app) {
  struct State {
    Where where;
    engine::NodeOptions options;
    bool no_inline = false;
    int wait_for_nats_s = 0;
    int drain_timeout_s = 30, stuck_grace_s = 10;
    std::uint64_t variable_mb = engine::kDefaultVariableBytes >> 20;
  };
  auto state = std::make_shared<State>();
  auto* command = app.add_subcommand("engine", "Run an engine: it runs tasks, one per slot at a time.");
  command->footer("Example:\n  covey engine --slots 2 --label gpu=a100 --plugin ./pi.so");
  state->where.add_to(*command);
  add_patience(*command, state->wait_for_nats_s);
  command->add_option("--slots", state->options.core.slots, "tasks to run at a time")->check(CLI::Range(1, 4096))->envname("COVEY_SLOTS");
  command->add_option("--label", state->options.core.labels, "name=value that tasks may require; may be repeated")
      ->check([](const std::string& label) {
        return label.find('=') == std::string::npos ? "a label is name=value, got '" + label + "'" : std::string();
      });
  command->add_option("--name", state->options.core.name, "name for people; host/process unless given");
  command->add_option("--plugin", state->options.plugins, "shared library with functions (covey/plugin.h); may be repeated");
  command->add_flag("--allow-exec", state->options.allow_exec, "let tasks run programs through the function exec");
  command->add_option("--variable-mb", state->variable_mb, "memory for variables that clients push")->capture_default_str()->check(CLI::Range(0, 1 << 20));
  command->add_flag("--no-inline", state->no_inline, "run even the quickest functions on a slot's thread");
  command->add_option("--drain-timeout", state->drain_timeout_s, "seconds that running tasks get on SIGTERM")->capture_default_str()->check(CLI::Range(0, 86400));
  command->add_option("--stuck-grace", state->stuck_grace_s, "seconds that a cancelled task may go on; then the engine ends without it")
      ->capture_default_str()
      ->check(CLI::Range(0, 86400));
  add_config_option(*command);
  command->callback([state] {
    const auto info = state->where.resolve(wire::Role::engine);
    state->options.nats = info.options("covey engine");
    state->options.nats.patience = std::chrono::seconds(state->wait_for_nats_s);
    state->options.cluster = info.cluster;
    state->options.inline_functions = !state->no_inline;
    state->options.variable_bytes = state->variable_mb << 20;
    state->options.drain_timeout = std::chrono::seconds(state->drain_timeout_s);
    state->options.stuck_grace = std::chrono::seconds(state->stuck_grace_s);
    if (state->options.core.name.empty()) state->options.core.name = host_and_process();
    throw CLI::RuntimeError(engine::run_engine(state->options));
  });
}

}  // namespace

void add_part_commands(CLI::App& app) {
  add_controller(app);
  add_engine(app);
}

}  // namespace covey::cli

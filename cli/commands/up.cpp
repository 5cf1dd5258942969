// covey up, covey down: a whole cluster on this machine.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <fstream>
#include <thread>

#include "cli/commands/command.hpp"
#include "cli/commands/http_access.hpp"
#include "cli/local/local_cluster.hpp"

namespace covey::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

constexpr auto kTendPause = std::chrono::milliseconds(100);
constexpr auto kUpTimeout = std::chrono::seconds(20);

struct UpOptions {
  local::LocalCluster::Options cluster;
  bool detach = false, json = false, no_http = false;
  std::uint16_t http_port = 0;
};

std::filesystem::path pid_file() { return local::home_folder() / "up.pid"; }

// The running `covey up`'s process id, or 0.
pid_t running_up() {
  std::ifstream in(pid_file());
  pid_t pid = 0;
  if (!(in >> pid) || pid <= 0 || ::kill(pid, 0) != 0) return 0;
  std::ifstream name(fmt::format("/proc/{}/comm", pid));
  std::string command;
  std::getline(name, command);
  return command == "covey" ? pid : 0;
}

void announce(const UpOptions& options, const local::LocalCluster& cluster, const HttpAccess& http) {
  const auto connect = (cluster.folder() / "client.json").string();
  if (options.json) {
    boost::json::object line{{"nats", cluster.client().nats_url},
                             {"controller", cluster.client().cluster},
                             {"connect", connect},
                             {"engines", options.cluster.engines}};
    if (!options.no_http) {
      line["http"] = http.url;
      line["token"] = http.token;
    }
    fmt::print("{}\n", boost::json::serialize(line));
  } else {
    fmt::print("Covey is up: {} engines of {} slot{}, NATS at {}\n", options.cluster.engines, options.cluster.slots,
               options.cluster.slots == 1 ? "" : "s", cluster.client().nats_url);
    fmt::print("Clients on this machine find it by themselves; elsewhere: --connect {}\n", connect);
    if (!options.no_http) fmt::print("HTTP API at {}\n", http.url_with_token());
  }
  std::fflush(stdout);
}

void wait_until_registered(const UpOptions& options, const local::LocalCluster& cluster) {
  Where where;
  where.connect_file = (cluster.folder() / "client.json").string();
  where.insecure = true;
  const auto client = connect_client(where);
  if (!client->wait_for_engines(options.cluster.engines, kUpTimeout)) {
    throw std::runtime_error(fmt::format("not all engines have registered; the logs are in {}", cluster.folder().string()));
  }
}

// Runs until a signal; `ready` is told once everything is up.
int run_up(const UpOptions& options, int ready) {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  HttpAccess http;
  auto wanted = options.cluster;
  if (!options.no_http) {
    http = make_http_access(wanted.folder, options.http_port);
    for (auto& argument : http.controller_arguments()) wanted.controller_arguments.push_back(std::move(argument));
  }
  local::LocalCluster cluster(wanted);
  wait_until_registered(options, cluster);
  std::ofstream(pid_file()) << ::getpid() << "\n";
  announce(options, cluster, http);
  if (ready >= 0) {
    const int devnull = ::open("/dev/null", O_RDWR);
    for (const int descriptor : {0, 1, 2}) ::dup2(devnull, descriptor);
    ::close(ready);
  } else if (!options.json) {
    fmt::print("Ctrl-C stops it.\n");
    std::fflush(stdout);
  }
  while (interrupted == 0) {
    std::this_thread::sleep_for(kTendPause);
    for (const auto& line : cluster.tend()) fmt::print(stderr, "covey up: {}\n", line);
  }
  cluster.stop();
  if (!options.no_http) remove_http_access(http);
  std::filesystem::remove(pid_file());
  return kOk;
}

// The child keeps the cluster; the parent leaves once it is up, or with the child's error.
int run_detached(const UpOptions& options) {
  int ready[2];
  if (::pipe(ready) != 0) throw std::runtime_error("no pipe");
  ::fcntl(ready[1], F_SETFD, FD_CLOEXEC);
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ready[0]);
    ::setsid();
    try {
      ::_exit(run_up(options, ready[1]));
    } catch (const std::exception& error) {
      fmt::print(stderr, "covey up: {}\n", error.what());
      ::_exit(kUnreachable);
    }
  }
  ::close(ready[1]);
  char nothing = 0;
  while (::read(ready[0], &nothing, 1) > 0) {
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) ? WEXITSTATUS(status) : kUnreachable;
  return kOk;
}

}  // namespace

void add_up_commands(CLI::App& app) {
  auto options = std::make_shared<UpOptions>();
  options->cluster.engines = 4;
  auto* up = app.add_subcommand("up", "Start a cluster on this machine: NATS, a controller and engines.");
  up->footer("Examples:\n  covey up -n 8                  until Ctrl-C\n  covey up -n 8 --detach; covey down");
  up->add_option("-n,--engines", options->cluster.engines, "engines")->capture_default_str()->check(CLI::Range(0, 4096));
  up->add_option("--slots", options->cluster.slots, "tasks that each engine runs at a time")->capture_default_str()->check(CLI::Range(1, 4096));
  up->add_flag("--detach", options->detach, "leave it running in the background; `covey down` stops it");
  up->add_option("--nats", options->cluster.nats_url, "a NATS server to use instead of starting one")->type_name("URL");
  up->add_option("--user", options->cluster.user, "user for that server");
  up->add_option("--password", options->cluster.password, "password for that server");
  up->add_option("--nats-port", options->cluster.nats_port, "port for the NATS server that is started; a free one unless given");
  up->add_option("--http-port", options->http_port, "port for the HTTP API; a free one unless given");
  up->add_flag("--no-http", options->no_http, "without the HTTP API");
  up->add_option("--engine-arg", options->cluster.engine_arguments, "argument for each engine, such as --engine-arg=--allow-exec")->take_all();
  up->add_option("--controller-arg", options->cluster.controller_arguments, "argument for the controller, such as --controller-arg=--http-wait=60")->take_all();
  up->add_flag("--json", options->json, "one line of JSON that says how to reach it");
  up->callback([options] {
    if (const pid_t pid = running_up()) {
      throw std::runtime_error(fmt::format("a cluster is up already (process {}): `covey down` stops it, COVEY_HOME=FOLDER keeps two apart", pid));
    }
    options->cluster.folder = local::home_folder();
    throw CLI::RuntimeError(options->detach ? run_detached(*options) : run_up(*options, -1));
  });

  auto* down = app.add_subcommand("down", "Stop the cluster that `covey up` started.");
  down->footer("Example:\n  covey down");
  down->callback([] {
    const pid_t pid = running_up();
    if (pid == 0) throw std::runtime_error("no cluster of yours is up");
    ::kill(pid, SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (::kill(pid, 0) == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (::kill(pid, 0) == 0) throw std::runtime_error(fmt::format("process {} does not end", pid));
    fmt::print("Covey is down.\n");
  });
}

}  // namespace covey::cli

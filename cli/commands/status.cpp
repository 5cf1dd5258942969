// covey status: queues, engines, rates.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <thread>

#include "cli/commands/command.hpp"

namespace covey::cli {

namespace json = boost::json;

namespace {

json::object ask(client::Client& client, std::string_view request) {
  const auto answer = client.request(request);
  if (!answer) throw std::runtime_error("the controller does not answer");
  return json::parse(*answer).get_object();
}

std::uint64_t number(const json::value& value) { return value.to_number<std::uint64_t>(); }

void print(const json::object& status, const json::object& engines, double rate) {
  const auto& tasks = status.at("tasks");
  fmt::print("controller {}, up {:.0f} s, {} clients\n", status.at("controller").as_string().c_str(),
             status.at("uptime_s").to_number<double>(), number(status.at("clients")));
  fmt::print("tasks      {} ready, {} with engines, {} unfinished; {} completed, {} failed; {:.0f} completed/s\n", number(tasks.at("ready")),
             number(tasks.at("assigned")), number(tasks.at("unfinished")), number(tasks.at("completed")), number(tasks.at("failed")), rate);
  fmt::print("engines    {} live, {} of {} slots busy, {} lost so far\n\n", number(status.at("engines").at("live")),
             number(status.at("engines").at("busy_slots")), number(status.at("engines").at("slots")), number(status.at("engines").at("lost")));
  fmt::print("{:<18}{:<28}{:<10}{:>6}{:>8}{:>8}{:>12}{:>12}\n", "engine", "name", "state", "slots", "tasks", "credit", "completed", "mean");
  for (const auto& engine : engines.at("engines").as_array()) {
    fmt::print("{:<18}{:<28}{:<10}{:>6}{:>8}{:>8}{:>12}{:>9} us\n", engine.at("id").as_string().c_str(), engine.at("name").as_string().c_str(),
               engine.at("state").as_string().c_str(), number(engine.at("slots")), number(engine.at("tasks")), number(engine.at("credit")),
               number(engine.at("completed")), number(engine.at("mean_run_us")));
  }
  if (const auto left_out = number(engines.at("left_out"))) fmt::print("and {} more\n", left_out);
}

}  // namespace

void add_status_command(CLI::App& app) {
  struct State {
    Where where;
    bool json = false;
  };
  auto state = std::make_shared<State>();
  auto* command = app.add_subcommand("status", "Say what is there and how busy it is: queues, engines, rates.");
  command->footer("Example:\n  covey status --json");
  command->add_flag("--json", state->json, "one line of JSON");
  state->where.add_to(*command);
  command->callback([state] {
    constexpr auto kInterval = std::chrono::milliseconds(250);
    const auto client = connect_client(state->where);
    const auto before = ask(*client, R"({"what":"status"})");
    std::this_thread::sleep_for(kInterval);
    auto status = ask(*client, R"({"what":"status"})");
    const auto engines = ask(*client, R"({"what":"engines"})");
    const auto done = number(status.at("tasks").at("completed")) - number(before.at("tasks").at("completed"));
    const double rate = static_cast<double>(done) / std::chrono::duration<double>(kInterval).count();
    if (state->json) {
      status["completed_per_s"] = rate;
      status["engine_list"] = engines.at("engines");
      fmt::print("{}\n", json::serialize(status));
    } else {
      print(status, engines, rate);
    }
  });
}

}  // namespace covey::cli

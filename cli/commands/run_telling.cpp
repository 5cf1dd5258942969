#include "cli/commands/run_telling.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "bench/jobs/summary.hpp"
#include "operator/app/health_server.hpp"

namespace covey::cli {

namespace json = boost::json;

namespace {

std::pair<std::string, std::uint16_t> parts_of(const std::string& address) {
  const auto colon = address.rfind(':');
  std::uint16_t port = 0;
  const auto* const end = address.data() + address.size();
  const auto read = colon == std::string::npos ? std::from_chars_result{address.data(), std::errc::invalid_argument}
                                               : std::from_chars(address.data() + colon + 1, end, port);
  if (read.ec != std::errc() || read.ptr != end || colon == 0) {
    throw std::runtime_error(fmt::format("--http: {}: HOST:PORT is wanted, such as 127.0.0.1:8080", address));
  }
  return {address.substr(0, colon), port};
}

}  // namespace

struct ProgressPage::Server {
  boost::asio::io_context io{1};
  std::mutex mutex;
  std::string text = "{}\n";  // under the mutex
  std::shared_ptr<operating::HealthServer> pages = std::make_shared<operating::HealthServer>(io.get_executor(), [this](std::string_view path) {
    if (path != "/progress") return operating::HealthPage{404, "there is /progress\n"};
    const std::lock_guard lock(mutex);
    return operating::HealthPage{200, text};
  });
  std::thread thread;
};

ProgressPage::ProgressPage(const std::string& address) : server_(std::make_unique<Server>()) {
  const auto [host, port] = parts_of(address);
  if (const auto problem = server_->pages->listen(host, port); !problem.empty()) throw std::runtime_error("--http: " + problem);
  server_->pages->start();
  server_->thread = std::thread([server = server_.get()] { server->io.run(); });
}

ProgressPage::~ProgressPage() {
  server_->io.stop();
  server_->thread.join();
}

std::uint16_t ProgressPage::port() const { return server_->pages->port(); }

void ProgressPage::update(const jobs::StepReport& report) {
  auto text = json::serialize(json::object{{"step", report.name},
                                           {"number", number_},
                                           {"steps", steps_},
                                           {"total", report.total},
                                           {"ok", report.ok},
                                           {"failed", report.failed}}) +
              "\n";
  const std::lock_guard lock(server_->mutex);
  server_->text = std::move(text);
}

void print_outputs(const jobs::JobReport& report) {
  for (const auto& step : report.steps) {
    std::filesystem::path file = step.output;
    if (std::filesystem::is_directory(file)) file /= "results.json";
    std::ifstream in(file, std::ios::binary);
    if (!step.began || !in) continue;
    fmt::print("==> {} <==\n", step.output);
    std::string line;
    while (std::getline(in, line)) fmt::print("{}\n", line);
  }
}

void write_brief(const std::string& file, const jobs::JobReport& report) {
  // As it is: a file that Kubernetes has put there cannot be replaced by another.
  std::ofstream out(file, std::ios::binary);
  out << jobs::brief_of(report) << "\n" << std::flush;
  if (!out) throw std::runtime_error(fmt::format("--brief: {} cannot be written", file));
}

}  // namespace covey::cli

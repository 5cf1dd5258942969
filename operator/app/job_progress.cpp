#include "operator/app/job_progress.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/resources/job_pod.hpp"

namespace covey::operating {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kTimeout{2'000};
constexpr std::size_t kMostAnswer = 64 * 1024;

}  // namespace

std::optional<reconcile::JobProgress> RunnerProgress::told(const std::string& job, const std::string& pod_uid) const {
  const auto found = known_.find(job);
  return found == known_.end() || found->second->pod_uid != pod_uid ? std::nullopt : found->second->told;
}

void RunnerProgress::ask(const std::string& job, const std::string& pod_uid, const std::string& address) {
  if (address.empty()) return;
  auto& runner = known_[job];
  if (!runner || runner->pod_uid != pod_uid) {
    auto config = std::make_shared<const kube::Config>(kube::plain_config(address, resources::kProgressPort, "the runner of " + job));
    kube::TransportOptions options;
    options.timeout = kTimeout;
    options.max_connections = 1;
    options.max_idle = 1;
    options.max_answer = kMostAnswer;
    runner = std::make_shared<Runner>();
    runner->pod_uid = pod_uid;
    runner->transport = std::make_unique<kube::Transport>(executor_, std::move(config), std::move(options));
  }
  if (runner->asking) return;
  runner->asking = true;
  asio::co_spawn(executor_, fetch(runner), [runner](const std::exception_ptr&) { runner->asking = false; });
}

asio::awaitable<void> RunnerProgress::fetch(std::shared_ptr<Runner> runner) {
  kube::Request request;
  request.target = "/progress";
  const auto answer = co_await runner->transport->send(std::move(request));
  if (!answer) co_return;
  const auto parsed = kube::parse_json(answer->body);
  if (!parsed) co_return;
  if (auto progress = reconcile::read_progress(*parsed)) runner->told = std::move(progress);
}

}  // namespace covey::operating

// One pass over one ParallelJob: look, decide by the pure part, write down, carry out. It reads the job and the Pod of its attempt live, since what is
// decided on an older state could run a job twice; clusters it knows from the caches. One loop; passes over one job do not overlap.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "operator/app/job_progress.hpp"
#include "operator/app/reconciler.hpp"
#include "operator/app/store.hpp"
#include "operator/reconcile/job_plan.hpp"

namespace covey::operating {

class JobReconciler {
 public:
  JobReconciler(boost::asio::any_io_executor executor, kube::Client& client, Store& store, Reconciler::Options options)
      : client_(client), store_(store), options_(std::move(options)), runners_(std::move(executor)) {}

  // `held`: keys of the Pods of jobs of this name that wait for a word of ours before they go.
  boost::asio::awaitable<PassResult> pass(std::string key, std::set<std::string> held);

 private:
  using Object = boost::json::value;
  // Losing it costs a request.
  struct State {
    std::string uid;
    std::optional<reconcile::Trouble> refused;
    std::chrono::steady_clock::time_point make_nothing_before{};
  };
  struct Pass;

  boost::asio::awaitable<kube::Result<bool>> look(Pass* pass);
  boost::asio::awaitable<std::optional<kube::Error>> carry_out(Pass* pass);
  boost::asio::awaitable<std::optional<kube::Error>> write_down(Pass* pass);
  boost::asio::awaitable<std::optional<kube::Error>> make(Pass* pass, const kube::ResourceType* type, Object object);
  boost::asio::awaitable<std::optional<kube::Error>> make_pod(Pass* pass);
  boost::asio::awaitable<std::optional<kube::Error>> remove(const kube::ResourceType* type, std::string ns, std::string name, std::string uid);
  boost::asio::awaitable<std::optional<kube::Error>> release(std::string ns, std::string name, std::string uid);
  boost::asio::awaitable<std::optional<kube::Error>> release_orphans(std::set<std::string> held, std::string job_uid);
  boost::asio::awaitable<void> note(Pass* pass);

  kube::Client& client_;
  Store& store_;
  Reconciler::Options options_;
  RunnerProgress runners_;
  std::map<std::string, State> states_;
};

}  // namespace covey::operating

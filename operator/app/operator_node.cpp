#include "operator/app/operator_node.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>

#include "operator/kube/json.hpp"
#include "operator/resources/names.hpp"

namespace covey::operating {

namespace asio = boost::asio;
namespace types = kube::types;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr auto kLeaveWithin = std::chrono::seconds(2), kImagePause = std::chrono::seconds(2);
constexpr auto kLeavePoll = std::chrono::milliseconds(10);
constexpr std::string_view kOwnContainer = "operator";  // a mesh may have put others beside it

kube::Election::Options election_options(const NodeOptions& options) {
  kube::Election::Options election;
  election.identity = options.identity;
  election.name = options.lease_name;
  election.ns = options.lease_ns;
  election.scope = options.ns.empty() ? std::string(reconcile::Claims::kEverything) : options.ns;
  election.seed = std::hash<std::string>()(options.identity);
  return election;
}

std::string own_image(const boost::json::value& pod) {
  for (const auto& container : kube::array_at(pod, "spec.containers")) {
    if (kube::text_at(container, "name") == kOwnContainer) return std::string(kube::text_at(container, "image"));
  }
  return {};
}

reconcile::Claims::Lease read_lease(const boost::json::value& object) {
  reconcile::Claims::Lease lease{std::string(kube::namespace_of(object)), {}, std::string(kube::text_at(object, "metadata.creationTimestamp"))};
  lease.scope = std::string(kube::member_text(kube::object_at(object, "metadata.annotations"), kube::kScopeAnnotation));
  if (lease.scope.empty()) lease.scope = lease.ns;
  lease.held = !kube::text_at(object, "spec.holderIdentity").empty();
  return lease;
}

}  // namespace

OperatorNode::OperatorNode(asio::io_context& io, NodeOptions options)
    : io_(io),
      options_(std::move(options)),
      config_(std::make_shared<const kube::Config>(options_.config)),
      leadership_(io.get_executor(), config_, election_options(options_), {[this] { on_won(); }, [this] { on_lost(); }}),
      client_(io.get_executor(), config_,
              [this] {
                kube::TransportOptions transport;
                transport.max_connections = 32;
                transport.max_idle = 32;
                transport.write_fence = [this] { return leadership_.write_fence(); };
                return transport;
              }()),
      claims_(options_.lease_ns),
      store_([this](const std::string& key) { workers_.add(key); }),
      controllers_(io.get_executor(), leadership_, [this](const std::string& key) { workers_.add(key); }),
      workers_(io, metrics_,
               {"cluster", options_.workers, [this] { return reconciler_ && synced(); },
                [this](const std::string& ns) { return claims_.claimed(ns, Clock::now()); }, [this](const std::string& key) { return reconciler_->pass(key); },
                [this](const std::string& key) { return store_.find(types::kParallelClusters, key) ? Workers::Interest::lasting : Workers::Interest::gone; }}),
      health_(std::make_shared<HealthServer>(io.get_executor(), [this](std::string_view path) { return answer(path); })) {}

std::string OperatorNode::start() {
  if (auto problem = health_->listen(options_.http_host, options_.http_port); !problem.empty()) return problem;
  health_->start();
  asio::co_spawn(io_, begin(this), rethrow);
  return {};
}

asio::awaitable<void> OperatorNode::begin(OperatorNode* self) {
  co_await self->find_own_image();
  if (self->stopping_) co_return;
  self->reconciler_.emplace(self->client_, self->store_, self->controllers_, self->metrics_, Reconciler::Options{self->options_.image, self->options_.identity});
  self->prepare_jobs();
  self->follow_all();
  co_await self->leadership_.run();
}

void OperatorNode::prepare_jobs() {
  Jobs::Surroundings surroundings{[this] { return synced(); }, [this](const std::string& ns) { return claims_.claimed(ns, Clock::now()); }};
  jobs_.emplace(io_, client_, store_, metrics_, std::move(surroundings), Reconciler::Options{options_.image, options_.identity});
  store_.tell([this](const kube::ResourceType& type, const kube::ListWatch::Change& change) { jobs_->saw(type, change); });
}

// So that NATS, controllers and engines are of the operator's version unless their spec says otherwise. Inside a Pod it does nothing else before it knows: with
// another image it would replace the parts of every cluster.
asio::awaitable<void> OperatorNode::find_own_image() {
  asio::steady_timer pause(io_);
  while (options_.image.empty() && !options_.pod_name.empty() && !stopping_) {
    const kube::Place place{types::kPods, options_.pod_ns, options_.pod_name};
    const auto pod = co_await client_.get(place);
    if (pod) options_.image = own_image(*pod);
    if (!options_.image.empty()) break;
    spdlog::warn("this Pod, {}, does not say its image yet: {}", options_.pod_name,
                 pod ? fmt::format("it has no container called {}; --image names one", kOwnContainer) : kube::to_string(pod.error()));
    pause.expires_after(kImagePause);
    co_await pause.async_wait(kAwait);
  }
  if (options_.image.empty()) options_.image = "covey";
  spdlog::info("image where specs name none: {}", options_.image);
}

// Whoever does not lead follows too, so as to take over without a pause.
void OperatorNode::follow_all() {
  for (const auto& each : store_.collections()) {
    const kube::Selector selector{each.labelled ? std::string(resources::kEverything) : std::string(), {}};
    const auto* collection = &each;
    asio::co_spawn(io_, client_.follow({*each.type, options_.ns, {}}, selector, each.watch, [this, collection] {
      store_.take_changes(*collection);
      pump();
    }), rethrow);
  }
  jobs_->follow(options_.ns);
  if (options_.ns.empty()) follow_leases();
}

// Those of other operators.
void OperatorNode::follow_leases() {
  leases_ = std::make_shared<kube::ListWatch>();
  const kube::Selector selector{{}, "metadata.name=" + options_.lease_name};
  asio::co_spawn(io_, client_.follow({types::kLeases, {}, {}}, selector, leases_, [this] {
    for (const auto& change : leases_->take_changes()) {
      if (change.kind == kube::ListWatch::Change::Kind::put) claims_.seen(read_lease(change.object), Clock::now());
      if (change.kind == kube::ListWatch::Change::Kind::remove) claims_.gone(std::string(kube::namespace_of(change.object)));
    }
    tell_of_rival();
    pump();
  }), rethrow);
}

// Once for each: it is an installation that somebody should mend.
void OperatorNode::tell_of_rival() {
  auto rival = std::string(claims_.first(Clock::now()));
  if (rival == rival_) return;
  if (!rival.empty()) spdlog::warn("an older operator in namespace {} looks after all namespaces: everything is left to it; remove one, or limit this one with --namespace", rival);
  rival_ = std::move(rival);
}

// ---- leading ----

void OperatorNode::on_won() {
  spdlog::info("leading, as {}", options_.identity);
  leading_ = true;
  metrics_.leading.Set(1);
  workers_.lead();
  for (const auto& key : store_.clusters()) workers_.add(key);
  jobs_->lead();
}

// Others may lead already: nothing more may be written, and what is known may be old.
void OperatorNode::on_lost() {
  spdlog::error("no longer leading; ending, to begin anew");
  status_ = 1;
  io_.stop();
}

// Something that work waits for may have come.
void OperatorNode::pump() {
  workers_.pump();
  jobs_->pump();
}

// ---- the end ----

void OperatorNode::stop() {
  if (stopping_) return;
  stopping_ = true;
  workers_.stop();
  if (jobs_) jobs_->stop();
  health_->stop();
  asio::co_spawn(io_, leave(this), rethrow);
}

asio::awaitable<void> OperatorNode::leave(OperatorNode* self) {
  asio::steady_timer pause(self->io_);
  const auto deadline = Clock::now() + kLeaveWithin;
  const auto busy = [self] { return self->workers_.under_way() > 0 || (self->jobs_ && self->jobs_->under_way() > 0); };
  while (busy() && Clock::now() < deadline) {
    pause.expires_after(kLeavePoll);
    co_await pause.async_wait(kAwait);
  }
  // Whoever leads next may begin at once: not while something of ours is still on its way. The Lease runs out by itself.
  if (!busy()) co_await self->leadership_.release();
  self->io_.stop();
}

// ---- health ----

HealthPage OperatorNode::answer(std::string_view path) {
  // The loop that answers is the loop that works.
  if (path == "/livez") return {200, "ok\n"};
  if (path == "/readyz") {
    if (stopping_) return {503, "it is leaving\n"};
    if (!synced()) return {503, "the caches are being filled\n"};
    if (!rival_.empty()) return {200, fmt::format("ok, leaving everything to the operator in namespace {}\n", rival_)};
    return {200, leading_ ? "ok, leading\n" : "ok, standing by\n"};
  }
  if (path == "/metrics") {
    measure();
    return {200, metrics_.text()};
  }
  return {404, "there are /livez, /readyz and /metrics\n"};
}

void OperatorNode::measure() {
  metrics_.queue_depth.Set(static_cast<double>(workers_.depth() + (jobs_ ? jobs_->depth() : 0)));
  metrics_.clusters.Set(static_cast<double>(store_.all(types::kParallelClusters).size()));
  metrics_.pods.Set(static_cast<double>(store_.all(types::kPods).size()));
  metrics_.jobs.Set(jobs_ ? static_cast<double>(jobs_->count()) : 0);
  std::uint64_t lists = 0, watches = 0;
  const auto count = [&](const kube::ListWatch& watch) {
    lists += watch.counters().lists;
    watches += watch.counters().watches;
  };
  for (const auto& each : store_.collections()) count(*each.watch);
  if (leases_) count(*leases_);
  if (jobs_) count(jobs_->watch());
  // What others count: the counter follows.
  const auto follow = [](prometheus::Counter& counter, std::uint64_t now) { counter.Increment(static_cast<double>(now) - counter.Value()); };
  const auto& requests = client_.transport().counters();
  follow(metrics_.api_requests, requests.requests);
  follow(metrics_.api_failures, requests.failures);
  follow(metrics_.watch_lists, lists);
  follow(metrics_.watch_restarts, watches);
}

int run_operator(NodeOptions options) {
  asio::io_context io(1);
  OperatorNode node(io, std::move(options));
  if (const auto problem = node.start(); !problem.empty()) {
    fmt::print(stderr, "covey operator: {}\n", problem);
    return 1;
  }
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) node.stop();
  });
  io.run();
  // What still waits on the loop refers to the node, which goes first: nothing of it is wanted any more.
  spdlog::shutdown();
  std::fflush(nullptr);
  std::_Exit(node.status());
}

}  // namespace covey::operating

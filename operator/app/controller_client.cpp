#include "operator/app/controller_client.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"

namespace covey::operating {

namespace asio = boost::asio;
using boost::beast::http::verb;

namespace {

constexpr std::chrono::milliseconds kTimeout{3'000};
// A view is of use that much longer where a later one could not be had: a busy machine is not a dead controller.
constexpr std::chrono::seconds kStale{4};
constexpr int kMostPages = 200;
constexpr std::size_t kMostWhy = 400;  // the API takes 500 characters

kube::Request request_for(verb method, std::string target) {
  kube::Request request;
  request.method = method;
  request.target = std::move(target);
  return request;
}

asio::awaitable<kube::Result<boost::json::value>> get(kube::Transport* transport, std::string target) {
  auto request = request_for(verb::get, std::move(target));
  auto answer = co_await transport->send(std::move(request));
  if (!answer) co_return answer.error();
  co_return kube::parse_json(answer->body);
}

asio::awaitable<kube::Result<reconcile::ControllerView>> fetch_view(kube::Transport* transport) {
  reconcile::ControllerView view;
  const auto demand = co_await get(transport, "/v1/demand");
  if (!demand) co_return demand.error();
  view.reachable = true;
  view.backlog = kube::integer_at(*demand, "backlog").value_or(0);
  const auto* uptime = kube::find_at(*demand, "uptime_s");
  view.steady_s = uptime != nullptr && uptime->is_number() ? uptime->to_number<double>() : 0;
  std::optional<std::string> cursor;
  for (int page = 0; page < kMostPages; ++page) {
    std::string target = "/v1/engines?limit=1000";
    if (cursor) target += "&cursor=" + kube::percent_encoded(*cursor);
    auto answer = co_await get(transport, std::move(target));
    if (!answer) co_return answer.error();
    cursor = reconcile::read_engines(*answer, view.engines);
    if (!cursor) break;
  }
  const auto ready = co_await get(transport, "/readyz");
  view.on_nats = ready.has_value();
  co_return view;
}

}  // namespace

void ControllerClients::set(const std::string& cluster, const std::string& address, std::uint16_t port, const std::string& token) {
  auto& known = known_[cluster];
  if (known && known->address == address && known->token == token) return;
  known = std::make_shared<Known>();
  known->address = address;
  known->token = token;
  known->view.trouble = "it has not been asked yet";
  auto config = kube::plain_config(address, port, "the controller of " + cluster);
  config.token = token;
  kube::TransportOptions options;
  options.timeout = kTimeout;
  options.max_connections = 8;
  options.max_idle = 1;
  options.write_fence = [this] { return leadership_.write_fence(); };
  known->transport = std::make_shared<kube::Transport>(executor_, std::make_shared<const kube::Config>(std::move(config)), std::move(options));
}

const reconcile::ControllerView& ControllerClients::view(const std::string& cluster, std::chrono::milliseconds most) {
  static const reconcile::ControllerView nobody{false, false, "it has no address yet", 0, {}};
  const auto found = known_.find(cluster);
  if (found == known_.end() || found->second->address.empty()) return nobody;
  const auto known = found->second;
  const auto now = std::chrono::steady_clock::now();
  if (!known->asking && now - known->asked_at >= most) {
    known->asking = true;
    known->asked_at = now;
    asio::co_spawn(executor_, fetch(known), [this, known, cluster](const std::exception_ptr&) {
      known->asking = false;
      on_view_(cluster);
    });
  }
  return known->view;
}

std::chrono::steady_clock::duration ControllerClients::age(const std::string& cluster) const {
  const auto found = known_.find(cluster);
  return found == known_.end() ? std::chrono::hours(1) : std::chrono::steady_clock::now() - found->second->good_at;
}

asio::awaitable<void> ControllerClients::fetch(std::shared_ptr<Known> known) {
  auto view = co_await fetch_view(known->transport.get());
  const auto now = std::chrono::steady_clock::now();
  if (view) {
    if (!view->on_nats || !known->view.on_nats) known->on_nats_since = now;
    view->steady_s = std::min(view->steady_s, std::chrono::duration<double>(now - known->on_nats_since).count());
    known->view = std::move(*view);
    known->good_at = now;
  } else if (now - known->good_at > kStale) {
    known->view = {};
    known->view.trouble = view.error().message;
  }
}

asio::awaitable<kube::Result<bool>> ControllerClients::drain(std::string cluster, std::string engine) {
  return tell(std::move(cluster), std::move(engine), "drain", {});
}

asio::awaitable<kube::Result<bool>> ControllerClients::give_up(std::string cluster, std::string engine, std::string why) {
  return tell(std::move(cluster), std::move(engine), "lost", boost::json::serialize(boost::json::object{{"why", kube::cut(std::move(why), kMostWhy)}}));
}

// False: it has gone meanwhile.
asio::awaitable<kube::Result<bool>> ControllerClients::tell(std::string cluster, std::string engine, std::string what, std::string body) {
  const auto found = known_.find(cluster);
  if (found == known_.end()) co_return kube::Error{kube::Errc::transient, 0, {}, "the controller's address is not known"};
  const auto transport = found->second->transport;
  auto request = request_for(verb::post, "/v1/engines/" + kube::percent_encoded(engine) + "/" + what);
  request.fencing_token = leadership_.fencing_token();
  if (!body.empty()) request.content_type = "application/json";
  request.body = std::move(body);
  const auto answer = co_await transport->send(std::move(request));
  if (answer) co_return true;
  if (answer.error().code == kube::Errc::not_found) co_return false;
  co_return answer.error();
}

}  // namespace covey::operating

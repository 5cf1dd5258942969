#include "operator/kube/client.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/line_splitter.hpp"

namespace covey::kube {

namespace asio = boost::asio;
namespace json = boost::json;
using boost::beast::http::verb;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kJson = "application/json", kApply = "application/apply-patch+yaml", kMerge = "application/merge-patch+json";
constexpr std::size_t kMaxNote = 1024;

Request request_of(verb method, std::string target, std::string_view content_type = {}, const json::value* body = nullptr) {
  Request request;
  request.method = method;
  request.target = std::move(target);
  request.content_type = std::string(content_type);
  if (body != nullptr) request.body = json::serialize(*body);
  return request;
}

std::string apply_query() { return Query().add("fieldManager", kFieldManager).add("force", "true").text(); }

Query& add_selector(Query& query, const Selector& selector) {
  if (!selector.labels.empty()) query.add("labelSelector", selector.labels);
  if (!selector.fields.empty()) query.add("fieldSelector", selector.fields);
  return query;
}

std::string_view name(Propagation propagation) {
  switch (propagation) {
    case Propagation::background: return "Background";
    case Propagation::foreground: return "Foreground";
    case Propagation::orphan: return "Orphan";
  }
  return "";
}

json::value body_of(const DeleteOptions& options) {
  const auto propagation = name(options.propagation);
  json::object body{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", json::string_view(propagation.data(), propagation.size())}};
  json::object only_if;
  if (!options.only_if.uid.empty()) only_if["uid"] = options.only_if.uid;
  if (!options.only_if.version.empty()) only_if["resourceVersion"] = options.only_if.version;
  if (!only_if.empty()) body["preconditions"] = std::move(only_if);
  if (options.grace_seconds) body["gracePeriodSeconds"] = *options.grace_seconds;
  return body;
}

}  // namespace

Client::Async<json::value> Client::send(Request request) {
  auto answer = co_await transport_.send(std::move(request));
  if (!answer) co_return answer.error();
  auto parsed = parse_json(answer->body);
  if (!parsed) {
    auto error = parsed.error();
    error.http = answer->status;
    co_return error;
  }
  strip_managed_fields(*parsed);
  co_return std::move(*parsed);
}

Client::Async<json::value> Client::get(Place place) { return send(request_of(verb::get, path_of(place))); }

Client::Async<Page> Client::list_page(Place collection, Selector selector, std::size_t limit, std::string token) {
  Query query;
  query.add("limit", std::to_string(limit));
  if (!token.empty()) query.add("continue", token);
  auto request = request_of(verb::get, path_of(collection) + add_selector(query, selector).text());
  auto answer = co_await send(std::move(request));
  if (!answer) co_return answer.error();
  co_return parse_page(std::move(*answer));
}

Client::Async<Page> Client::list(Place collection, Selector selector) {
  Error last;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    Page all;
    bool expired = false;
    do {
      auto page = co_await list_page(collection, selector, kListPage, all.next);
      if (!page) {
        last = page.error();
        expired = last.code == Errc::gone;
        if (!expired) co_return last;
        break;
      }
      for (auto& item : page->items) all.items.push_back(std::move(item));
      all.version = std::move(page->version);
      all.next = std::move(page->next);
    } while (!all.next.empty());
    if (!expired) co_return std::move(all);
  }
  co_return last;
}

Client::Async<json::value> Client::create(Place collection, json::value object) {
  const auto query = Query().add("fieldManager", kFieldManager).text();
  return send(request_of(verb::post, path_of(collection) + query, kJson, &object));
}

Client::Async<json::value> Client::replace(Place place, json::value object) {
  const auto query = Query().add("fieldManager", kFieldManager).text();
  return send(request_of(verb::put, path_of(place) + query, kJson, &object));
}

Client::Async<json::value> Client::apply(json::value object, Place place) {
  return send(request_of(verb::patch, path_of(place) + apply_query(), kApply, &object));
}

Client::Async<json::value> Client::apply_status(Place place, json::value status, std::string uid) {
  json::value body{{"apiVersion", place.type.api_version()},
                         {"kind", json::string_view(place.type.kind.data(), place.type.kind.size())},
                         {"metadata", {{"name", place.name}, {"namespace", place.ns}}},
                         {"status", std::move(status)}};
  if (!uid.empty()) body.at("metadata").as_object()["uid"] = uid;
  return send(request_of(verb::patch, path_of(place, "status") + apply_query(), kApply, &body));
}

Client::Async<json::value> Client::patch_scale(Place place, std::int64_t replicas) {
  const json::value body{{"spec", {{"replicas", replicas}}}};
  return send(request_of(verb::patch, path_of(place, "scale") + Query().add("fieldManager", kFieldManager).text(), kMerge, &body));
}

Client::Async<json::value> Client::get_scale(Place place) { return send(request_of(verb::get, path_of(place, "scale"))); }

Client::Async<bool> Client::remove(Place place, DeleteOptions options) {
  const auto body = body_of(options);
  auto request = request_of(verb::delete_, path_of(place), kJson, &body);
  const auto answer = co_await transport_.send(std::move(request));
  if (answer) co_return true;
  if (answer.error().code == Errc::not_found) co_return false;
  co_return answer.error();
}

Client::Async<json::value> Client::note(json::value about, EventNote event) {
  const auto now = std::chrono::system_clock::now();
  const std::string ns(namespace_of(about)), named(name_of(about));
  const auto stamp = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  json::value body{{"apiVersion", "events.k8s.io/v1"},
                   {"kind", "Event"},
                   {"metadata", {{"name", fmt::format("{}.{:x}", cut(named, 200), stamp)}, {"namespace", ns}}},
                   {"eventTime", to_rfc3339_micro(now)},
                   {"reportingController", "covey.dev/operator"},
                   {"reportingInstance", cut(std::move(event.instance), 128)},
                   {"action", std::move(event.action)},
                   {"reason", std::move(event.reason)},
                   {"regarding",
                    {{"apiVersion", std::string(text_at(about, "apiVersion"))},
                     {"kind", std::string(text_at(about, "kind"))},
                     {"namespace", ns},
                     {"name", named},
                     {"uid", std::string(uid_of(about))}}},
                   {"note", cut(std::move(event.note), kMaxNote)},
                   {"type", event.kind == EventNote::Kind::warning ? "Warning" : "Normal"}};
  return create({types::kEvents, ns, {}}, std::move(body));
}

// ---- following a collection ----

asio::awaitable<void> Client::follow(Place collection, Selector selector, std::shared_ptr<ListWatch> list_watch, std::function<void()> on_change) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  bool told_synced = false;
  for (;;) {
    auto step = list_watch->next(std::chrono::steady_clock::now());
    if (step.wait.count() > 0) {
      pause.expires_after(step.wait);
      co_await pause.async_wait(kAwait);
    }
    const auto before = list_watch->pending_changes();
    if (step.what == ListWatch::Step::Do::list) {
      co_await follow_list(collection, selector, list_watch.get(), step.token, list_watch->page_limit());
    } else {
      co_await follow_watch(collection, selector, list_watch.get(), std::move(step), &on_change);
    }
    const bool first = list_watch->synced() && !told_synced;
    told_synced = told_synced || first;
    if (first || list_watch->pending_changes() != before) on_change();
  }
}

asio::awaitable<void> Client::follow_list(Place collection, Selector selector, ListWatch* list_watch, std::string token, std::size_t limit) {
  auto page = co_await list_page(collection, std::move(selector), limit, std::move(token));
  if (page) {
    list_watch->on_page(std::move(*page));
  } else {
    list_watch->on_list_failed(page.error());
  }
}

asio::awaitable<void> Client::follow_watch(Place collection, Selector selector, ListWatch* list_watch, ListWatch::Step step,
                                           const std::function<void()>* on_change) {
  Query query;
  query.add("watch", "true").add("allowWatchBookmarks", "true").add("resourceVersion", step.token);
  query.add("timeoutSeconds", std::to_string(step.timeout.count() / 1000));
  auto request = request_of(verb::get, path_of(collection) + add_selector(query, selector).text());
  LineSplitter lines;
  Transport::OnBytes take = [&lines, list_watch, on_change](std::string_view bytes) {
    lines.feed(bytes);
    bool more = true;
    while (const auto line = more ? lines.next() : std::nullopt) {
      auto event = parse_watch_line(*line);
      if (!event) list_watch->on_unreadable_watch();
      more = event && list_watch->on_event(std::move(*event));
    }
    if (more && lines.overflowed()) {
      list_watch->on_unreadable_watch();
      more = false;
    }
    if (list_watch->pending_changes() > 0) (*on_change)();
    return more;
  };
  const auto error = co_await transport_.stream(std::move(request), step.timeout, std::move(take));
  list_watch->on_watch_end(error, std::chrono::steady_clock::now());
}

}  // namespace covey::kube

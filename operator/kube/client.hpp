// The requests that the operator makes, in the terms of Kubernetes objects. What fails is an Error, and trying again is up to the caller, who is
// level-triggered: transient errors with a Backoff, conflicts after reading live. One loop; outlives the requests under way.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "operator/kube/list_watch.hpp"
#include "operator/kube/resource.hpp"
#include "operator/kube/transport.hpp"

namespace covey::kube {

// Who owns the fields that the operator applies.
inline constexpr std::string_view kFieldManager = "covey-operator";

struct Selector {
  std::string labels, fields;  // as in kubectl's -l and --field-selector; empty: everything
};

// A deletion only of the very object that was looked at. Empty members do not count.
struct Preconditions {
  std::string uid, version;
};
enum class Propagation { background, foreground, orphan };
struct DeleteOptions {
  Preconditions only_if{};
  Propagation propagation = Propagation::background;
  std::optional<int> grace_seconds{};
};

// What a person may want to know about an object.
struct EventNote {
  enum class Kind { normal, warning };
  Kind kind = Kind::normal;
  std::string reason;   // "ScaledDown"
  std::string action;   // "Scale"
  std::string note;     // a sentence, cut at 1,024 bytes as Kubernetes asks
  std::string instance;  // which process says so
};

class Client {
 public:
  using Object = boost::json::value;
  template <class T>
  using Async = boost::asio::awaitable<Result<T>>;

  Client(boost::asio::any_io_executor executor, std::shared_ptr<const Config> config, TransportOptions options = {})
      : transport_(std::move(executor), std::move(config), std::move(options)) {}

  Async<Object> get(Place place);
  // One page; `token` is the continue token of the page before.
  Async<Page> list_page(Place collection, Selector selector, std::size_t limit, std::string token);
  // All pages. A token that expires begins the list again, up to kListAttempts times.
  Async<Page> list(Place collection, Selector selector);
  Async<Object> create(Place collection, Object object);
  // As PUT: fails with Errc::conflict unless the object's resourceVersion is the current one.
  Async<Object> replace(Place place, Object object);
  // Server-side apply of the full intent, with force: the operator's children are the operator's.
  Async<Object> apply(Object object, Place place);
  // The same for /status, with the fields of `status` alone; only to the object of that uid, where one is given.
  Async<Object> apply_status(Place place, Object status, std::string uid = {});
  Async<Object> patch_scale(Place place, std::int64_t replicas);
  Async<Object> get_scale(Place place);
  // True if it was there.
  Async<bool> remove(Place place, DeleteOptions options);
  Async<Object> note(Object about, EventNote event);

  // Follows a collection until it is cancelled: does what `list_watch` says, and calls on_change after each step that changed something, and
  // once more when the first list is complete.
  boost::asio::awaitable<void> follow(Place collection, Selector selector, std::shared_ptr<ListWatch> list_watch, std::function<void()> on_change);

  Transport& transport() { return transport_; }

 private:
  Async<Object> send(Request request);
  boost::asio::awaitable<void> follow_list(Place collection, Selector selector, ListWatch* list_watch, std::string token, std::size_t limit);
  boost::asio::awaitable<void> follow_watch(Place collection, Selector selector, ListWatch* list_watch, ListWatch::Step step,
                                            const std::function<void()>* on_change);

  Transport transport_;
};

inline constexpr int kListAttempts = 3;
inline constexpr std::size_t kListPage = 500;

}  // namespace covey::kube

// Follows one collection: lists it in pages, watches it from the list's version, and lists anew where that is needed. A pure state machine:
// results and `now` go in, the next step and what changed come out. It holds the cache. One thread; time is passed in.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/kube/backoff.hpp"
#include "operator/kube/error.hpp"
#include "operator/kube/watch_event.hpp"

namespace covey::kube {

struct Page {
  std::vector<boost::json::value> items;
  std::string version;   // of the list, and never of an item
  std::string next;      // the continue token; empty on the last page
};

class ListWatch {
 public:
  using Time = std::chrono::milliseconds;
  using Now = std::chrono::steady_clock::time_point;
  struct Options {
    std::size_t page = 500;
    Time watch_timeout{300'000};        // a watch is asked to end after that and up to a half longer, so that none hangs for ever
    Time short_watch{1'000};            // one that ended sooner and brought nothing is a failure
    unsigned server_error_retries = 3;  // ERROR events of 5xx in a row, before a list is made anew
    std::uint64_t seed = 1;
  };
  struct Step {
    enum class Do { list, watch };
    Do what = Do::list;
    Time wait{0};         // first
    std::string token;    // list: the continue token, or empty; watch: the version to go on from
    Time timeout{0};      // watch: the server's
    bool operator==(const Step&) const = default;
  };
  struct Change {
    enum class Kind { put, remove };
    Kind kind = Kind::put;
    std::string key;               // namespace/name
    boost::json::value object;     // as it is now, or as it was last seen
  };
  struct Counters {
    std::uint64_t lists = 0, watches = 0, events = 0, bookmarks = 0, expired = 0, failures = 0;
  };

  ListWatch() : ListWatch(Options{}) {}
  explicit ListWatch(const Options& options) : options_(options), backoff_(options.seed), seed_(options.seed) {}

  // What to do next. To be called once for each step that was carried out.
  Step next(Now now);

  // How it went. After a list:
  void on_page(Page page);
  void on_list_failed(const Error& error);
  // During a watch; false: end it and ask for the next step.
  bool on_event(WatchEvent event);
  // A watch is over. Its end is normal (nullopt) or a failure of the connection; what was half read does not count.
  void on_watch_end(const std::optional<Error>& error, Now now);
  // A line of the watch that is too long, or that is none of Kubernetes': only a list says how things are.
  void on_unreadable_watch();

  // All objects, by key; complete once synced.
  const std::map<std::string, boost::json::value>& objects() const { return objects_; }
  bool synced() const { return synced_; }
  // What changed since the last call, in order.
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
  std::size_t pending_changes() const { return changes_.size(); }
  std::size_t page_limit() const { return options_.page; }
  const Counters& counters() const { return counters_; }
  const std::string& version() const { return version_; }

 private:
  void relist();
  void fail(const Error& error);
  void replace_all();
  void put(boost::json::value object);
  void remove(const std::string& key, boost::json::value last);
  Time jittered_timeout();

  Options options_;
  Backoff backoff_;
  std::uint64_t seed_;
  bool watching_ = false;
  Time wait_{0};
  std::string version_, next_page_;
  std::map<std::string, boost::json::value> arriving_;  // the pages of a list that is not complete
  std::map<std::string, boost::json::value> objects_;
  std::vector<Change> changes_;
  bool synced_ = false;
  bool watch_failed_ = false;  // the watch said by an ERROR event why it ends
  bool watch_brought_something_ = false;
  unsigned server_errors_ = 0;
  Now watch_began_{};
  Counters counters_;
};

// Reads an answer to a list. Errc::protocol where it is none.
Result<Page> parse_page(boost::json::value answer);

}  // namespace covey::kube

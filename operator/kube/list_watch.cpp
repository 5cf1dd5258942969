#include "operator/kube/list_watch.hpp"

#include <boost/json.hpp>
#include <utility>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"

namespace covey::kube {

namespace json = boost::json;

ListWatch::Step ListWatch::next(Now now) {
  const auto wait = std::exchange(wait_, Time(0));
  if (!watching_) {
    ++counters_.lists;
    return {Step::Do::list, wait, next_page_, Time(0)};
  }
  ++counters_.watches;
  watch_failed_ = watch_brought_something_ = false;
  watch_began_ = now + wait;
  return {Step::Do::watch, wait, version_, jittered_timeout()};
}

void ListWatch::on_page(Page page) {
  for (auto& item : page.items) {
    auto key = key_of(item);
    arriving_.insert_or_assign(std::move(key), std::move(item));
  }
  next_page_ = std::move(page.next);
  if (!next_page_.empty()) return;
  version_ = std::move(page.version);
  replace_all();
  synced_ = watching_ = true;
  // A list that succeeds does not excuse watches that keep failing: the time is reset by a watch that lives.
}

void ListWatch::on_list_failed(const Error& error) {
  // A token that has expired, or whatever else: begin at the first page, since pages of different versions do not belong together. Only
  // what the network has done to one page leaves the token good.
  if (!error.transient()) relist();
  fail(error);
}

bool ListWatch::on_event(WatchEvent event) {
  ++counters_.events;
  if (event.type == WatchEvent::Type::error) {
    watch_failed_ = true;
    if (event.error.code == Errc::gone) {
      ++counters_.expired;
      relist();
    } else if (!event.error.transient() || (event.error.code == Errc::transient && ++server_errors_ > options_.server_error_retries)) {
      relist();
    }
    fail(event.error);
    return false;
  }
  watch_brought_something_ = true;
  server_errors_ = 0;
  backoff_.reset();
  version_ = std::string(version_of(event.object));
  if (event.type == WatchEvent::Type::bookmark) {
    ++counters_.bookmarks;
  } else if (event.type == WatchEvent::Type::deleted) {
    const auto key = key_of(event.object);
    const auto known = objects_.find(key);
    // Another of the same name may be there already, after a list.
    if (known != objects_.end() && uid_of(known->second) == uid_of(event.object)) remove(key, std::move(event.object));
  } else {
    put(std::move(event.object));
  }
  return true;
}

void ListWatch::on_watch_end(const std::optional<Error>& error, Now now) {
  if (watch_failed_) return;
  if (error && error->code == Errc::gone) {
    ++counters_.expired;
    relist();
    fail(*error);
  } else if (error) {
    fail(*error);
  } else if (!watch_brought_something_ && now - watch_began_ < options_.short_watch) {
    fail({Errc::transient, 200, {}, "a watch ended at once"});
  } else {
    backoff_.reset();
  }
}

void ListWatch::on_unreadable_watch() {
  watch_failed_ = true;
  relist();
  fail({Errc::protocol, 200, {}, "a watch could not be read"});
}

void ListWatch::relist() {
  watching_ = false;
  next_page_.clear();
  arriving_.clear();
}

void ListWatch::fail(const Error& error) {
  ++counters_.failures;
  wait_ = backoff_.after(error);
}

// A list replaces: what it does not name is gone, and what it names under another uid is another object.
void ListWatch::replace_all() {
  const auto before = std::exchange(objects_, {});
  const auto now = std::exchange(arriving_, {});
  for (const auto& [key, object] : before) {
    const auto same = now.find(key);
    if (same == now.end() || uid_of(same->second) != uid_of(object)) changes_.push_back({Change::Kind::remove, key, object});
  }
  for (const auto& [key, object] : now) {
    const auto old = before.find(key);
    const bool unchanged = old != before.end() && uid_of(old->second) == uid_of(object) && version_of(old->second) == version_of(object);
    if (!unchanged) changes_.push_back({Change::Kind::put, key, object});
  }
  objects_ = now;
}

void ListWatch::put(json::value object) {
  const auto key = key_of(object);
  const auto known = objects_.find(key);
  if (known != objects_.end() && uid_of(known->second) != uid_of(object)) {
    auto last = known->second;
    remove(key, std::move(last));
  }
  changes_.push_back({Change::Kind::put, key, object});
  objects_.insert_or_assign(key, std::move(object));
}

void ListWatch::remove(const std::string& key, json::value last) {
  objects_.erase(key);
  changes_.push_back({Change::Kind::remove, key, std::move(last)});
}

ListWatch::Time ListWatch::jittered_timeout() {
  seed_ = seed_ * 6364136223846793005ULL + 1442695040888963407ULL;
  const auto half = static_cast<std::uint64_t>(options_.watch_timeout.count() / 2);
  return options_.watch_timeout + Time(static_cast<std::int64_t>(half == 0 ? 0 : (seed_ >> 33) % half));
}

Result<Page> parse_page(json::value answer) {
  const auto* items = find_at(answer, "items");
  if (items == nullptr || !(items->is_array() || items->is_null()) || text_at(answer, "metadata.resourceVersion").empty()) {
    return Error{Errc::protocol, 200, {}, "an answer to a list has no items or no resourceVersion"};
  }
  Page page;
  page.version = std::string(version_of(answer));
  page.next = std::string(text_at(answer, "metadata.continue"));
  // Items of a list do not say their kind; the list does, as "PodList".
  const std::string version(text_at(answer, "apiVersion"));
  std::string kind(text_at(answer, "kind"));
  if (kind.ends_with("List")) kind.resize(kind.size() - 4);
  auto* list = answer.as_object().at("items").if_array();
  if (list == nullptr) return page;
  for (auto& item : *list) {
    if (!item.is_object() || name_of(item).empty()) return Error{Errc::protocol, 200, {}, "an item of a list has no name"};
    strip_managed_fields(item);
    item.as_object().insert({{"apiVersion", version}, {"kind", kind}});  // keeps those that are there
    page.items.push_back(std::move(item));
  }
  return page;
}

}  // namespace covey::kube

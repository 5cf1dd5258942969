#include "controller/http/map_store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace covey::api {

std::string MapStore::fresh_id() {
  std::string id;
  do {
    id = fmt::format("map-{}", ++made_);
  } while (by_id_.contains(id));
  return id;
}

std::shared_ptr<Map> MapStore::make(Map::Plan plan) {
  while (order_.size() >= limits_.maps) {
    const auto ended = std::find_if(order_.begin(), order_.end(), [](const Kept& kept) { return kept.map->done(); });
    if (ended == order_.end()) return nullptr;
    ++dropped_;
    remove(std::string(ended->map->plan().id));
  }
  auto map = std::make_shared<Map>(io_, gateway_, blobs_, limits_, budget_, std::move(plan));
  order_.push_back({map, false, false, 0});
  by_id_[map->plan().id] = std::prev(order_.end());
  return map;
}

std::shared_ptr<Map> MapStore::find(const std::string& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second->map;
}

void MapStore::remove(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  const auto map = found->second->map;
  order_.erase(found->second);
  by_id_.erase(found);
  map->cancel();
  if (!map->done()) leaving_.push_back(map);
}

void MapStore::stop() {
  for (const Kept& kept : order_) kept.map->stop_feeding();
}

void MapStore::tick(const std::function<void(const Map&)>& news) {
  const auto now = Map::Clock::now();
  for (Kept& kept : order_) {
    if (kept.told_ended) continue;
    kept.map->sample(now);
    kept.told_ended = kept.map->done();
    const bool got_on = std::exchange(kept.told, kept.map->ended()) != kept.map->ended();
    if (!std::exchange(kept.announced, true) || got_on || kept.told_ended) news(*kept.map);
  }
  leaving_.remove_if([](const auto& map) { return map->done(); });
  // A map's log is held to the limit as it grows; what other maps keep makes room here.
  for (Kept& kept : order_) {
    while (budget_.used > budget_.limit && kept.map->drop_oldest()) {
    }
  }
}

std::vector<std::shared_ptr<Map>> MapStore::all() const {
  std::vector<std::shared_ptr<Map>> maps;
  for (const Kept& kept : order_) maps.push_back(kept.map);
  std::reverse(maps.begin(), maps.end());
  return maps;
}

}  // namespace covey::api

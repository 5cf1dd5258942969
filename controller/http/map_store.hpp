// All maps, by id. Bounded: the oldest that have ended go first. Lives on the API's loop.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/http/map.hpp"

namespace covey::api {

class MapStore {
 public:
  MapStore(boost::asio::io_context& io, Gateway& gateway, BlobStore& blobs, const Limits& limits)
      : io_(io), gateway_(gateway), blobs_(blobs), limits_(limits), budget_{limits.result_bytes, 0} {}

  // Null: there are too many maps, and none has ended.
  std::shared_ptr<Map> make(Map::Plan plan);
  std::shared_ptr<Map> find(const std::string& id) const;
  std::string fresh_id();
  // It is known no more; what is unfinished is cancelled, and the map stays in memory until that has ended.
  void remove(const std::string& id);
  // Nobody feeds them any more.
  void stop();
  // Calls back for each map that has begun, got on or ended since, and takes the rates' samples. Twice a second.
  void tick(const std::function<void(const Map&)>& news);
  std::vector<std::shared_ptr<Map>> all() const;  // the latest first
  std::uint64_t dropped() const { return dropped_; }
  const ResultBudget& budget() const { return budget_; }

 private:
  struct Kept {
    std::shared_ptr<Map> map;
    bool announced = false, told_ended = false;
    std::uint64_t told = 0;  // how many had ended when it was last told of
  };
  boost::asio::io_context& io_;
  Gateway& gateway_;
  BlobStore& blobs_;
  const Limits& limits_;
  ResultBudget budget_;
  std::list<Kept> order_;  // the oldest first
  std::map<std::string, std::list<Kept>::iterator> by_id_;
  std::list<std::shared_ptr<Map>> leaving_;
  std::uint64_t made_ = 0, dropped_ = 0;
};

}  // namespace covey::api

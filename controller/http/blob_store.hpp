// Binary payloads by id: those that were uploaded for tasks to name, and values of results that are too large to stand in an
// answer. Bounded in number and bytes: values go, the oldest first; uploads stay until they are deleted, and are refused
// beyond the limit. Values of maps' results are only lent, and do not count here. Lives on the API's loop.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/wire/payload.hpp"
#include "controller/http/options.hpp"

namespace covey::api {

// Ids of uploads have no dot, so that none can be taken for a value's.
bool is_upload_id(std::string_view id);
// The id of the value of a task's result.
std::string value_id(std::string_view task);

class BlobStore {
 public:
  explicit BlobStore(const Limits& limits) : limits_(limits) {}

  // Room for an upload that is on its way. What it has not become a blob of is given back.
  class Upload {
   public:
    explicit Upload(BlobStore& store) : store_(store) {}
    ~Upload() { store_.arriving_ -= bytes_; }
    Upload(const Upload&) = delete;
    Upload& operator=(const Upload&) = delete;
    // So that it may have `bytes` in all; false: there is no room even without values.
    bool grow_to(std::uint64_t bytes);
    enum class Put : std::uint8_t { made, replaced, full };
    Put finish(const std::string& id, std::string&& content);

   private:
    BlobStore& store_;
    std::uint64_t bytes_ = 0;
  };

  // False: uploads leave no room for it.
  bool keep_value(const std::string& id, const wire::Buffer& value);
  // A value of a map's result, which the map keeps and counts, until it is taken back.
  void lend(const std::string& id, const wire::Buffer& value) { lent_[id] = value; }
  void take_back(const std::string& id) { lent_.erase(id); }
  // Null: there is none. Copies share the bytes, also after the blob is gone from here.
  const wire::Buffer* find(const std::string& id) const;
  bool remove(const std::string& id);

  std::uint64_t bytes() const { return bytes_; }
  std::size_t size() const { return blobs_.size(); }
  std::uint64_t dropped() const { return dropped_; }  // values that had to go

 private:
  struct Blob {
    wire::Buffer content;
    bool value = false;
    std::list<std::string>::iterator place{};  // in values_, where it is one
  };
  bool make_room(std::uint64_t bytes, std::size_t blobs);

  const Limits& limits_;
  std::unordered_map<std::string, Blob> blobs_;
  std::unordered_map<std::string, wire::Buffer> lent_;
  std::list<std::string> values_;  // the oldest first
  std::uint64_t bytes_ = 0, arriving_ = 0, dropped_ = 0;
};

}  // namespace covey::api

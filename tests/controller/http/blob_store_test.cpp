// What the store of blobs keeps, refuses and lets go of.
#include "controller/http/blob_store.hpp"

#include <gtest/gtest.h>

namespace covey::api {
namespace {

using Put = BlobStore::Upload::Put;

Limits small() {
  Limits limits;
  limits.blobs_bytes = 10;
  limits.blobs = 3;
  return limits;
}

Put put(BlobStore& store, const std::string& id, std::string content) {
  BlobStore::Upload upload(store);
  if (!upload.grow_to(content.size())) return Put::full;
  return upload.finish(id, std::move(content));
}

wire::Buffer value(std::size_t size) { return wire::Buffer(std::string(size, 'v')); }

TEST(BlobStoreTest, AnUploadIsThereUntilItIsDeleted) {
  const Limits limits = small();
  BlobStore store(limits);
  EXPECT_EQ(put(store, "a", "12345"), Put::made);
  EXPECT_EQ(put(store, "a", "123"), Put::replaced);
  EXPECT_EQ(store.find("a")->view(), "123");
  EXPECT_EQ(store.bytes(), 3u);
  EXPECT_TRUE(store.remove("a"));
  EXPECT_FALSE(store.remove("a"));
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(BlobStoreTest, UploadsBeyondTheLimitsAreRefused) {
  const Limits limits = small();
  BlobStore store(limits);
  EXPECT_EQ(put(store, "a", std::string(10, 'x')), Put::made);
  EXPECT_EQ(put(store, "b", "x"), Put::full);
  EXPECT_EQ(put(store, "b", ""), Put::made);
  EXPECT_EQ(put(store, "c", ""), Put::made);
  EXPECT_EQ(put(store, "d", ""), Put::full);
}

TEST(BlobStoreTest, WhatIsArrivingCountsUntilItIsGivenUp) {
  const Limits limits = small();
  BlobStore store(limits);
  {
    BlobStore::Upload arriving(store);
    EXPECT_TRUE(arriving.grow_to(8));
    EXPECT_EQ(put(store, "a", "123"), Put::full);
    EXPECT_FALSE(arriving.grow_to(11));
  }
  EXPECT_EQ(put(store, "a", "123"), Put::made);
}

TEST(BlobStoreTest, TheOldestValuesMakeRoomAndUploadsDoNot) {
  const Limits limits = small();
  BlobStore store(limits);
  EXPECT_TRUE(store.keep_value("1.value", value(4)));
  EXPECT_TRUE(store.keep_value("2.value", value(4)));
  const wire::Buffer taken = *store.find("1.value");
  EXPECT_EQ(put(store, "a", "12345"), Put::made);
  EXPECT_EQ(store.find("1.value"), nullptr);
  EXPECT_EQ(taken.view(), "vvvv") << "whoever took it still has it";
  EXPECT_NE(store.find("2.value"), nullptr);
  EXPECT_FALSE(store.keep_value("3.value", value(6)));
  EXPECT_EQ(store.find("a")->view(), "12345");
  EXPECT_EQ(store.dropped(), 2u);
}

TEST(BlobStoreTest, AnUploadCannotHaveTheIdOfAValue) {
  EXPECT_TRUE(is_upload_id("my-blob_1"));
  EXPECT_FALSE(is_upload_id(value_id("00c0ffee00c0ffee-17")));
  EXPECT_FALSE(is_upload_id(""));
  EXPECT_TRUE(is_upload_id(std::string(64, 'a')));
  EXPECT_FALSE(is_upload_id(std::string(65, 'a')));
}

TEST(BlobStoreTest, WhatIsLentTakesNoRoomAndIsThereUntilItIsTakenBack) {
  const Limits limits = small();
  BlobStore store(limits);
  store.lend("map.value", value(50));
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_EQ(put(store, "a", std::string(10, 'x')), Put::made);
  EXPECT_EQ(store.find("map.value")->size(), 50u);
  store.take_back("map.value");
  EXPECT_EQ(store.find("map.value"), nullptr);
  store.lend("map.value", value(50));
  EXPECT_TRUE(store.remove("map.value"));
  EXPECT_EQ(store.find("map.value"), nullptr);
}

}  // namespace
}  // namespace covey::api

// The tasks that came over HTTP: what they carried, and how they ended, for as long as the history's limits let them.
// Lives on the API's loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "controller/http/blob_store.hpp"
#include "controller/http/gateway.hpp"
#include "controller/http/options.hpp"
#include "controller/http/task_json.hpp"

namespace covey::api {

struct TaskRecord {
  std::uint64_t sequence = 0;
  std::uint32_t spec = 0;     // the gateway's number
  wire::SmallBytes content;   // for a retry: encoded, of small arguments
  wire::Payload large;        // or large ones
  wire::SmallBytes extras;
  std::int64_t submitted_us = 0;  // Unix time
  bool ended = false;
  wire::SmallBytes report;    // once ended
  ValueBlob value;            // once ended, where the value is too large for the report
  std::uint32_t attempts = 0;
  wire::Incarnation engine = wire::Incarnation::none;
  std::vector<boost::asio::steady_timer*> waiting;  // cancelled when it ends

  std::size_t bytes() const { return sizeof *this + content.heap_bytes() + large.buffer.size() + extras.heap_bytes() + report.heap_bytes(); }
};

class TaskStore : private Taker {
 public:
  TaskStore(boost::asio::io_context& io, Gateway& gateway, BlobStore& blobs, const Limits& limits);

  // Submits them in order; their numbers follow one another. The caller keeps within Gateway::room().
  std::uint64_t submit(const std::vector<TaskRequest>& requests);
  // Submits a copy, with the same dependencies.
  std::uint64_t submit_again(const TaskRecord& record);
  TaskRecord* find(std::uint64_t sequence);
  // Drops one that has ended.
  void forget(std::uint64_t sequence);
  // Waits until the task has ended or the time has passed; it may be gone then.
  boost::asio::awaitable<void> wait(std::uint64_t sequence, std::chrono::steady_clock::time_point until);

  const wire::TaskSpec& spec_of(const TaskRecord& record) const { return gateway_.spec(record.spec); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  void on_result(std::uint64_t index, const client::ResultView& result) override;
  void hold_to_limits();
  std::uint64_t add(std::uint32_t spec, const wire::Payload& args, wire::ByteSpan extras);

  boost::asio::io_context& io_;
  Gateway& gateway_;
  BlobStore& blobs_;
  const Limits& limits_;
  Gateway::TakerId taker_;
  std::unordered_map<std::uint64_t, TaskRecord> records_;
  std::deque<std::uint64_t> ended_;  // in the order in which they ended; some may be forgotten already
  std::size_t ended_count_ = 0, ended_bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace covey::api

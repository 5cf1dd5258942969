// One map: a function over many inputs, as tasks, and their results in a log that is dropped from its beginning where it
// grows beyond its limits. Lives on the API's loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "controller/http/blob_store.hpp"
#include "controller/http/gateway.hpp"
#include "controller/http/options.hpp"
#include "controller/http/signal.hpp"

namespace covey::api {

// How many bytes of results all maps keep together.
struct ResultBudget {
  std::uint64_t limit = 0;
  std::uint64_t used = 0;
};

class Map : public Taker {
 public:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { feeding, running, completed, broken, cancelled };

  struct Plan {
    std::string id;
    wire::TaskSpec spec;
    bool spread = false;  // an input is a list of arguments, and not the only one
  };
  Map(boost::asio::io_context& io, Gateway& gateway, BlobStore& blobs, const Limits& limits, ResultBudget& budget, Plan plan);
  ~Map() override;

  // ---- inputs ----
  // `json` is one valid JSON value. The caller keeps within may_feed().
  void feed(std::string_view json);
  // Whether another input may come now: so many are unfinished, and results that a reader waits for are not too many.
  bool may_feed() const;
  // Wakes when may_feed() may have become true.
  const std::shared_ptr<Signal>& hungry() const { return hungry_; }
  void end_of_inputs();
  // The inputs ended before they should; what came runs.
  void break_off(std::string why);
  void cancel();
  // The service ends: whoever feeds it gives up.
  void stop_feeding();

  // ---- results ----
  struct Telling {
    bool by_input = true;        // or by completion
    bool inline_values = false;  // however large; or as blobs, where they are larger than Limits::value_bytes
  };
  // Lines of NDJSON from position `after` on, up to about `most` bytes; moves `after`. Positions count from 0, in the order
  // that is wanted.
  std::string lines(std::uint64_t& after, Telling how, std::size_t most) const;
  // Nothing follows position `after`, ever.
  bool ended_at(std::uint64_t after) const { return done() && after >= ended(); }
  const std::shared_ptr<Signal>& news() const { return news_; }
  // A reader that is there keeps what it has not read from being dropped, and holds up the inputs instead.
  class Reader;
  // Drops the oldest part of the log that nobody is about to read. False: there is none.
  bool drop_oldest();

  // ---- what is known of it ----
  const Plan& plan() const { return plan_; }
  State state() const;
  bool done() const { return !feeding_ && unfinished() == 0; }
  std::uint64_t inputs() const { return inputs_; }
  std::uint64_t ended() const { return ended_; }
  std::uint64_t failed() const { return failed_; }
  std::uint64_t unfinished() const { return inputs_ - ended_; }
  std::uint64_t results_dropped() const { return dropped_; }
  std::uint64_t results_bytes() const { return bytes_; }
  std::string describe() const;
  // Once a second or so: what the rate is taken from.
  void sample(Clock::time_point now);

 private:
  struct LargeValue {
    std::string blob;
    wire::Payload value;
  };
  struct Segment {
    wire::Writer bytes;
    std::vector<LargeValue> values;  // those that are not in `bytes`, and are lent to the blobs
    std::uint64_t value_bytes = 0;
    std::uint64_t first = 0, count = 0;  // positions in the order of completion
    std::uint64_t highest_index = 0;     // of its inputs
    std::uint64_t size() const { return bytes.size() + value_bytes; }
  };
  // Where a result is: its segment's place among all there ever were, and its offset there.
  static constexpr unsigned kOffsetBits = 24;
  static constexpr std::size_t kSegmentBytes = 128 * 1024;

  void on_result(std::uint64_t index, const client::ResultView& result) override;
  void append_line(std::string& out, std::uint64_t position, const Segment& segment, std::size_t& offset, bool inline_values) const;
  std::string lines_by_completion(std::uint64_t& after, bool inline_values, std::size_t most) const;
  std::string lines_by_input(std::uint64_t& after, bool inline_values, std::size_t most) const;
  void keep_value(Segment& segment, std::uint64_t sequence, wire::Payload value);
  void take_back_values(const Segment& segment);
  bool is_needed(const Segment& segment) const;

  Gateway& gateway_;
  BlobStore& blobs_;
  const Limits& limits_;
  ResultBudget& budget_;
  const Plan plan_;
  const std::uint32_t spec_;
  const Gateway::TakerId taker_;
  std::shared_ptr<Signal> hungry_, news_;

  bool feeding_ = true, cancelled_ = false;
  std::string broken_;  // why the inputs ended early
  std::uint64_t inputs_ = 0, ended_ = 0, failed_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> large_;  // unfinished inputs that are large, and how large
  std::uint64_t large_bytes_ = 0;

  std::deque<Segment> log_;
  std::uint64_t segments_dropped_ = 0;
  std::uint64_t dropped_ = 0;  // results in them
  std::uint64_t bytes_ = 0;
  std::deque<std::uint64_t> by_input_;  // where the result of each input is; kNowhere where it is not yet
  std::uint64_t inputs_forgotten_ = 0;  // the first inputs, whose results have been dropped: they are not in by_input_
  // The positions of those that read now.
  std::multiset<std::uint64_t> completion_readers_, input_readers_;

  Clock::time_point created_ = Clock::now(), finished_{};
  std::int64_t created_us_ = 0;
  Clock::time_point sampled_at_ = created_;
  std::uint64_t sampled_ended_ = 0;
  double rate_ = 0;
};

class Map::Reader {
 public:
  Reader(std::shared_ptr<Map> map, std::uint64_t after, Telling how);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  // The next lines; empty: there are none now.
  std::string next(std::size_t most);
  bool at_end() const { return map_->ended_at(after_); }
  const std::shared_ptr<Signal>& news() const { return map_->news_; }

 private:
  std::shared_ptr<Map> map_;
  std::uint64_t after_;
  Telling how_;
  std::multiset<std::uint64_t>& places_;
  std::multiset<std::uint64_t>::iterator place_;
};

std::string_view to_string(Map::State state);

}  // namespace covey::api

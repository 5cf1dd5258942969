#include "controller/http/map.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "controller/http/task_json.hpp"

namespace covey::api {

namespace {

constexpr std::uint64_t kNowhere = UINT64_MAX;

// One result in the log.
struct LoggedResult {
  std::uint64_t index = 0, sequence = 0;
  std::uint32_t attempts = 0;
  wire::Incarnation engine = wire::Incarnation::none;
  wire::ByteSpan report;
  std::uint64_t value = 0;  // where it is among the segment's large values, from 1 on; 0: in the report
};

void write(wire::Writer& out, const LoggedResult& result) {
  out.varint(result.index);
  out.varint(result.sequence);
  out.varint(result.attempts);
  out.fixed(static_cast<std::uint64_t>(result.engine));
  out.bytes(result.report);
  out.varint(result.value);
}

LoggedResult read(wire::Reader& in) {
  LoggedResult result;
  result.index = in.varint();
  result.sequence = in.varint();
  result.attempts = static_cast<std::uint32_t>(in.varint());
  result.engine = static_cast<wire::Incarnation>(in.fixed<std::uint64_t>());
  result.report = in.bytes();
  result.value = in.varint();
  return result;
}

// The report with its value in it again.
wire::Writer with_value(wire::ByteSpan encoded, const wire::Payload& value) {
  wire::RunReport report = *wire::decode_report(encoded);
  wire::Writer content, whole;
  wire::encode_content(content, value.codec, value.buffer.span());
  report.content = content.span();
  wire::encode_report(whole, report);
  return whole;
}

}  // namespace

Map::Map(boost::asio::io_context& io, Gateway& gateway, BlobStore& blobs, const Limits& limits, ResultBudget& budget, Plan plan)
    : gateway_(gateway),
      blobs_(blobs),
      limits_(limits),
      budget_(budget),
      plan_(std::move(plan)),
      spec_(gateway.acquire_spec(plan_.spec)),
      taker_(gateway.enroll(*this)),
      hungry_(std::make_shared<Signal>(io)),
      news_(std::make_shared<Signal>(io)),
      created_us_(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count()) {}

Map::~Map() {
  budget_.used -= bytes_;
  for (const Segment& segment : log_) take_back_values(segment);
  gateway_.withdraw(taker_);
  gateway_.release_spec(spec_);
}

// ---- inputs ----

void Map::feed(std::string_view json) {
  std::string args;
  args.reserve(json.size() + 2);
  if (!plan_.spread) args += '[';
  args += json;
  if (!plan_.spread) args += ']';
  by_input_.push_back(kNowhere);
  if (args.size() > wire::kInlinePayloadBytes) {
    large_.emplace(inputs_, args.size());
    large_bytes_ += args.size();
    const wire::Payload payload{wire::Codec::json, wire::Buffer(std::move(args))};
    gateway_.submit({spec_, {}, &payload, {}, taker_, inputs_});
  } else {
    wire::Writer content;
    wire::encode_content(content, wire::Codec::json, wire::as_bytes(args));
    gateway_.submit({spec_, content.span(), nullptr, {}, taker_, inputs_});
  }
  ++inputs_;
}

bool Map::may_feed() const {
  if (unfinished() >= limits_.map_unfinished || large_bytes_ >= limits_.map_large_bytes || gateway_.room() == 0) return false;
  // Whoever reads along is not to miss anything: the inputs wait for the reader.
  return budget_.used < budget_.limit || (completion_readers_.empty() && input_readers_.empty());
}

void Map::end_of_inputs() {
  feeding_ = false;
  if (done()) finished_ = Clock::now();
  news_->notify();
}

void Map::break_off(std::string why) {
  broken_ = std::move(why);
  end_of_inputs();
}

void Map::cancel() {
  cancelled_ = true;
  if (unfinished() > 0) gateway_.cancel_all(taker_);
  hungry_->notify();
}

void Map::stop_feeding() {
  cancelled_ = true;
  hungry_->notify();
}

// ---- results ----

void Map::on_result(std::uint64_t index, const client::ResultView& result) {
  if (log_.empty() || log_.back().size() >= kSegmentBytes) {
    Segment segment;
    segment.first = ended_;
    log_.push_back(std::move(segment));
  }
  Segment& segment = log_.back();
  if (const auto large = large_.find(index); large != large_.end()) {
    large_bytes_ -= large->second;
    large_.erase(large);
  }
  const std::uint64_t before = segment.size();
  by_input_[index - inputs_forgotten_] = ((segments_dropped_ + log_.size() - 1) << kOffsetBits) | segment.bytes.size();
  wire::Writer report;
  wire::Payload value = value_beyond(result, limits_.value_bytes);
  const bool large = !value.buffer.empty();
  large ? encode_without_value(report, result) : encode_whole(report, result);
  if (large) keep_value(segment, result.sequence, std::move(value));
  write(segment.bytes, {index, result.sequence, result.attempts, result.engine, report.span(), large ? segment.values.size() : 0});
  ++segment.count;
  segment.highest_index = std::max(segment.highest_index, index);
  const std::uint64_t added = segment.size() - before;
  bytes_ += added;
  budget_.used += added;
  ++ended_;
  if (result.report.status != wire::TaskStatus::ok) ++failed_;
  if (hungry_->awaited() && unfinished() <= limits_.map_unfinished * 3 / 4 && may_feed()) hungry_->notify();
  if (done()) finished_ = Clock::now();
  news_->notify();
  while (budget_.used > budget_.limit && drop_oldest()) {
  }
}

void Map::keep_value(Segment& segment, std::uint64_t sequence, wire::Payload value) {
  segment.value_bytes += value.buffer.size();
  segment.values.push_back({value_id(wire::to_string(gateway_.id_of(sequence))), std::move(value)});
  blobs_.lend(segment.values.back().blob, segment.values.back().value.buffer);
}

void Map::take_back_values(const Segment& segment) {
  for (const LargeValue& large : segment.values) blobs_.take_back(large.blob);
}

// Whether somebody is still going to read of it.
bool Map::is_needed(const Segment& segment) const {
  if (!completion_readers_.empty() && segment.first + segment.count > *completion_readers_.begin()) return true;
  return !input_readers_.empty() && segment.highest_index >= *input_readers_.begin();
}

bool Map::drop_oldest() {
  if (log_.empty() || (log_.size() == 1 && !done())) return false;
  Segment& oldest = log_.front();
  if (is_needed(oldest)) return false;
  bytes_ -= oldest.size();
  budget_.used -= oldest.size();
  take_back_values(oldest);
  dropped_ += oldest.count;
  ++segments_dropped_;
  log_.pop_front();
  while (!by_input_.empty() && by_input_.front() != kNowhere && by_input_.front() >> kOffsetBits < segments_dropped_) {
    by_input_.pop_front();
    ++inputs_forgotten_;
  }
  return true;
}

void Map::append_line(std::string& out, std::uint64_t position, const Segment& segment, std::size_t& offset, bool inline_values) const {
  wire::Reader in(segment.bytes.span().subspan(offset));
  const std::size_t before = in.remaining();
  const LoggedResult result = read(in);
  offset += before - in.remaining();
  fmt::format_to(std::back_inserter(out), R"({{"position":{},"index":{},"task":"{}",)", position + 1, result.index,
                 wire::to_string(gateway_.id_of(result.sequence)));
  const LargeValue* large = result.value > 0 ? &segment.values[result.value - 1] : nullptr;
  if (large != nullptr && inline_values) {
    append_outcome(out, with_value(result.report, large->value).span(), result.attempts, result.engine, Printed::where_it_failed);
  } else {
    ValueBlob blob;
    if (large != nullptr) blob = {large->value.codec, large->value.buffer.size(), blobs_.find(large->blob) != nullptr ? large->blob : std::string()};
    append_outcome(out, result.report, result.attempts, result.engine, Printed::where_it_failed, blob);
  }
  out += "}\n";
}

std::string Map::lines(std::uint64_t& after, Telling how, std::size_t most) const {
  return how.by_input ? lines_by_input(after, how.inline_values, most) : lines_by_completion(after, how.inline_values, most);
}

std::string Map::lines_by_completion(std::uint64_t& after, bool inline_values, std::size_t most) const {
  std::string out;
  if (after < dropped_) {
    out += fmt::format("{{\"dropped\":{}}}\n", dropped_ - after);
    after = dropped_;
  }
  auto segment = std::upper_bound(log_.begin(), log_.end(), after, [](std::uint64_t at, const Segment& one) { return at < one.first; });
  if (segment == log_.begin()) return out;
  --segment;
  for (; segment != log_.end() && out.size() < most; ++segment) {
    std::size_t offset = 0;
    for (std::uint64_t at = segment->first; at < after; ++at) {
      wire::Reader in(segment->bytes.span().subspan(offset));
      const std::size_t before = in.remaining();
      read(in);
      offset += before - in.remaining();
    }
    // A whole segment at a time, so that none is begun again in its middle.
    for (; after < segment->first + segment->count; ++after) append_line(out, after, *segment, offset, inline_values);
  }
  return out;
}

std::string Map::lines_by_input(std::uint64_t& after, bool inline_values, std::size_t most) const {
  std::string out;
  if (after < inputs_forgotten_) {
    out += fmt::format("{{\"dropped\":{}}}\n", inputs_forgotten_ - after);
    after = inputs_forgotten_;
  }
  for (; after - inputs_forgotten_ < by_input_.size() && out.size() < most; ++after) {
    const std::uint64_t where = by_input_[after - inputs_forgotten_];
    if (where == kNowhere) break;
    const std::uint64_t place = where >> kOffsetBits;
    std::size_t offset = where & ((1ULL << kOffsetBits) - 1);
    if (place < segments_dropped_) {
      fmt::format_to(std::back_inserter(out), "{{\"position\":{},\"index\":{},\"status\":\"result_expired\"}}\n", after + 1, after);
    } else {
      append_line(out, after, log_[place - segments_dropped_], offset, inline_values);
    }
  }
  return out;
}

// ---- readers ----

Map::Reader::Reader(std::shared_ptr<Map> map, std::uint64_t after, Telling how)
    : map_(std::move(map)),
      after_(after),
      how_(how),
      places_(how.by_input ? map_->input_readers_ : map_->completion_readers_),
      place_(places_.insert(after_)) {}

Map::Reader::~Reader() {
  places_.erase(place_);
  map_->hungry_->notify();
}

std::string Map::Reader::next(std::size_t most) {
  std::string text = map_->lines(after_, how_, most);
  if (text.empty()) return text;
  places_.erase(place_);
  place_ = places_.insert(after_);
  while (map_->budget_.used > map_->budget_.limit && map_->drop_oldest()) {
  }
  if (map_->hungry_->awaited() && map_->may_feed()) map_->hungry_->notify();
  return text;
}

// ---- what is known of it ----

std::string_view to_string(Map::State state) {
  switch (state) {
    case Map::State::feeding: return "feeding";
    case Map::State::running: return "running";
    case Map::State::completed: return "completed";
    case Map::State::broken: return "broken";
    case Map::State::cancelled: return "cancelled";
  }
  return "";
}

Map::State Map::state() const {
  if (cancelled_) return State::cancelled;
  if (feeding_) return State::feeding;
  if (unfinished() > 0) return State::running;
  return broken_.empty() ? State::completed : State::broken;
}

void Map::sample(Clock::time_point now) {
  const double passed = std::chrono::duration<double>(now - sampled_at_).count();
  if (passed <= 0) return;
  rate_ = static_cast<double>(ended_ - sampled_ended_) / passed;
  sampled_at_ = now;
  sampled_ended_ = ended_;
}

std::string Map::describe() const {
  const auto until = done() ? finished_ : Clock::now();
  const double elapsed = std::chrono::duration<double>(until - created_).count();
  const double mean = elapsed > 0 ? static_cast<double>(ended_) / elapsed : 0;
  std::string out = fmt::format(R"({{"id":"{}","state":"{}","function":)", plan_.id, to_string(state()));
  append_quoted(out, plan_.spec.function);
  if (!plan_.spec.label.empty()) {
    out += R"(,"label":)";
    append_quoted(out, plan_.spec.label);
  }
  fmt::format_to(std::back_inserter(out),
                 R"(,"inputs":{},"completed":{},"failed":{},"unfinished":{},"created":"{}","elapsed_s":{:.3f},"mean_per_s":{:.1f})", inputs_,
                 ended_, failed_, unfinished(), timestamp(created_us_), elapsed, mean);
  if (!done()) fmt::format_to(std::back_inserter(out), R"(,"rate_per_s":{:.1f})", rate_);
  const double rate = rate_ > 0 ? rate_ : mean;
  if (!feeding_ && rate > 0) fmt::format_to(std::back_inserter(out), R"(,"left_s":{:.3f})", static_cast<double>(unfinished()) / rate);
  if (!broken_.empty()) {
    out += R"(,"broken":)";
    append_quoted(out, broken_);
  }
  fmt::format_to(std::back_inserter(out), R"(,"results":{{"kept":{},"dropped":{},"bytes":{}}}}})", ended_ - dropped_, dropped_, bytes_);
  return out;
}

}  // namespace covey::api

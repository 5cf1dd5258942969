#include "controller/http/gateway.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace covey::api {

namespace asio = boost::asio;

namespace {
constexpr std::uint64_t kWindowAtFirst = 65'536;
}

Gateway::Gateway(asio::io_context& io, std::unique_ptr<bus::LocalConnection> connection, const std::string& cluster,
                 Identity identity)
    : io_(io),
      connection_(std::move(connection)),
      subjects_(cluster),
      self_(identity.self),
      core_(identity.self, identity.session, subjects_, "http", *this) {}

Gateway::~Gateway() = default;

void Gateway::start() {
  loop_ = std::make_unique<bus::CoreLoop<client::ClientCore>>(io_, *connection_, subjects_, core_, static_cast<wire::Outlet&>(*this));
  loop_->start({subjects_.client_inbox(self_), subjects_.announce()});
}

void Gateway::log(std::string_view line) { spdlog::warn("http: {}", line); }

// ---- tasks ----

Gateway::TakerId Gateway::enroll(Taker& taker) {
  constexpr TakerId kTakers = 1u << (64 - kIndexBits);
  while (next_taker_ == 0 || takers_.contains(next_taker_)) next_taker_ = (next_taker_ + 1) % kTakers;
  const TakerId id = next_taker_;
  next_taker_ = (next_taker_ + 1) % kTakers;
  takers_.emplace(id, &taker);
  return id;
}

std::uint32_t Gateway::acquire_spec(const wire::TaskSpec& spec) {
  wire::Writer out;
  wire::encode_spec(out, spec);
  std::string encoded(wire::as_text(out.span()));
  if (const auto known = spec_by_bytes_.find(encoded); known != spec_by_bytes_.end()) {
    KeptSpec& kept = specs_[known->second];
    if (kept.uses++ == 0) idle_specs_.erase(kept.idle);
    return known->second;
  }
  std::uint32_t number = 0;
  if (idle_specs_.size() >= kMaxIdleSpecs) {
    number = idle_specs_.front();
    idle_specs_.pop_front();
    spec_by_bytes_.erase(specs_[number].encoded);
    core_.replace_spec(number, spec);
  } else {
    number = core_.add_spec(spec);
    if (number >= specs_.size()) specs_.resize(number + 1);
  }
  spec_by_bytes_.emplace(encoded, number);
  specs_[number] = KeptSpec{spec, std::move(encoded), 1, {}};
  return number;
}

void Gateway::release_spec(std::uint32_t number) {
  KeptSpec& kept = specs_[number];
  if (--kept.uses == 0) kept.idle = idle_specs_.insert(idle_specs_.end(), number);
}

std::uint64_t Gateway::submit(const Submission& submission) {
  const std::uint64_t cookie = (static_cast<std::uint64_t>(submission.taker) << kIndexBits) | submission.index;
  const auto sequence =
      core_.submit({client::Scheme::controller, submission.spec, submission.content, submission.large, submission.extras, cookie});
  loop_->request_turn();
  return sequence;
}

std::uint64_t Gateway::room() const {
  // Before the controller has said, a modest number: the tasks wait here for the link.
  const std::uint64_t window = core_.window() > 0 ? core_.window() : kWindowAtFirst;
  return window > core_.unfinished() ? window - core_.unfinished() : 0;
}

void Gateway::cancel(const wire::TaskId& task) {
  core_.cancel(task);
  loop_->request_turn();
}

void Gateway::cancel_all(TakerId taker) {
  core_.for_each_task([&](std::uint64_t sequence, std::uint64_t cookie) {
    if (cookie >> kIndexBits == taker) core_.cancel(core_.id_of(sequence));
  });
  loop_->request_turn();
}

void encode_whole(wire::Writer& out, const client::ResultView& result) {
  wire::RunReport report = result.report;
  wire::Writer content;
  if (!result.value.buffer.empty()) {
    wire::encode_content(content, result.value.codec, result.value.buffer.span());
    report.content = content.span();
  }
  wire::encode_report(out, report);
}

void encode_without_value(wire::Writer& out, const client::ResultView& result) {
  wire::RunReport report = result.report;
  report.content = {};
  wire::encode_report(out, report);
}

wire::Payload value_beyond(const client::ResultView& result, std::uint64_t bytes) {
  if (!result.value.buffer.empty()) return result.value.buffer.size() > bytes ? result.value : wire::Payload();
  if (result.report.content.size() <= bytes) return {};
  const auto content = wire::decode_content(result.report.content);
  if (!content || content->reference || content->bytes.size() <= bytes) return {};
  return {content->codec, wire::Buffer::copy_of(content->bytes)};
}

void Gateway::on_result(std::uint64_t cookie, const client::ResultView& result) {
  const auto found = takers_.find(static_cast<TakerId>(cookie >> kIndexBits));
  if (found != takers_.end()) found->second->on_result(cookie & ((1ULL << kIndexBits) - 1), result);
}

// ---- questions ----

asio::awaitable<Gateway::Answer> Gateway::ask(boost::json::object request) {
  Answer answer;
  if (questions_.size() >= kMaxQuestions) {
    answer.failure = Failure::busy;
    co_return answer;
  }
  const auto question = std::make_shared<Question>(io_);
  question->request = boost::json::serialize(request);
  question->timer.expires_after(kPatience);
  questions_.push_back(question);
  if (questions_.size() == 1) ask_next();
  while (!question->answered) {
    const auto [error] = co_await question->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!error) break;  // the time has passed
  }
  if (!question->answered) {
    // One that has been asked keeps its place until the answer comes: the controller has it.
    if (questions_.front() != question) std::erase(questions_, question);
    answer.failure = Failure::no_answer;
    co_return answer;
  }
  boost::system::error_code error;
  auto value = boost::json::parse(question->answer, error);
  if (error || !value.is_object()) {
    answer.failure = Failure::no_answer;
  } else {
    answer.object = std::move(value.get_object());
  }
  co_return answer;
}

void Gateway::ask_next() {
  if (questions_.empty()) return;
  asked_ = core_.request(questions_.front()->request);
  loop_->request_turn();
}

void Gateway::on_response(std::uint64_t request, std::string_view json) {
  if (request != asked_ || questions_.empty()) return;
  const auto question = std::move(questions_.front());
  questions_.pop_front();
  question->answer = json;
  question->answered = true;
  question->timer.cancel();
  ask_next();
}

}  // namespace covey::api

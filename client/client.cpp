#include "client/client.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

#include "client/session.hpp"

namespace covey::client {

namespace {

std::vector<std::string> texts_of(const boost::json::value& list) {
  std::vector<std::string> texts;
  for (const auto& one : list.as_array()) texts.emplace_back(one.as_string());
  return texts;
}

EngineInfo engine_info(const boost::json::value& value) {
  const auto text = [&](const char* key) { return std::string(value.at(key).as_string()); };
  EngineInfo info;
  info.id = static_cast<wire::Incarnation>(wire::parse_hex64(text("id")).value());
  info.name = text("name");
  info.slots = value.at("slots").to_number<std::uint32_t>();
  info.state = text("state");
  info.labels = texts_of(value.at("labels"));
  info.functions = texts_of(value.at("functions"));
  return info;
}

}  // namespace

// What has not ended keeps its state; and what waits on a loop that has ended must keep neither that nor the session.
void Session::cancel(const std::shared_ptr<ResultState>& of) {
  post([weak = std::weak_ptr(of)] {
    const auto state = weak.lock();
    if (!state) return;
    const auto self = state->session;
    if (state->many.empty()) {
      self->core_.cancel(self->core_.id_of(state->segment.first_sequence));
    } else {
      self->core_.for_each_task([&](std::uint64_t sequence, std::uint64_t cookie) {
        if (reinterpret_cast<Segment*>(cookie)->state == state) self->core_.cancel(self->core_.id_of(sequence));
      });
    }
    if (self->loop_) self->loop_->turn();
  });
}

// Numbers are given on the loop, in the order of submission; results that came already know theirs.
std::vector<wire::TaskId> Session::ids_of(const std::shared_ptr<ResultState>& state) {
  std::vector<std::uint64_t> sequences(state->total);
  std::promise<void> done;
  post([&] {
    take_pending();
    core_.for_each_task([&](std::uint64_t sequence, std::uint64_t cookie) {
      const auto* segment = reinterpret_cast<const Segment*>(cookie);
      if (segment->state != state) return;
      std::fill_n(sequences.begin() + static_cast<std::ptrdiff_t>(segment->first_element_of(sequence)), segment->elements_of(sequence), sequence);
    });
    done.set_value();
  });
  done.get_future().wait();
  std::vector<wire::TaskId> ids;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    ids.push_back({id_, sequences[i] != 0 ? sequences[i] : state->outcome(i).sequence});
  }
  return ids;
}

boost::system::result<std::unique_ptr<Client>> Client::connect(Options options) {
  auto session = std::make_shared<Session>(options, nullptr);
  if (const auto error = session->open(options)) return error;
  session->start_thread();
  return std::unique_ptr<Client>(new Client(std::move(session)));
}

boost::system::result<std::unique_ptr<Client>> Client::connect(Options options, boost::asio::io_context& io) {
  auto session = std::make_shared<Session>(options, &io);
  if (const auto error = session->open(options)) return error;
  return std::unique_ptr<Client>(new Client(std::move(session)));
}

Client::~Client() { session_->close(); }

std::optional<std::string> Client::request(std::string_view json, std::chrono::nanoseconds timeout) {
  return session_->request(json, timeout);
}

bool Client::wait_for_engines(std::size_t engines, std::chrono::nanoseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline && refusal().empty()) {
    const auto left = deadline - std::chrono::steady_clock::now();
    const auto answer = request(R"({"what":"status"})", left);
    if (!answer) return false;
    const auto value = boost::json::parse(*answer);
    if (value.at("engines").at("live").to_number<std::uint64_t>() >= engines) return true;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(std::chrono::milliseconds(5), left));
  }
  return false;
}

std::vector<EngineInfo> Client::engines(std::chrono::nanoseconds timeout) {
  std::vector<EngineInfo> engines;
  std::optional<std::uint64_t> from = 0;  // where the next page begins
  while (from) {
    const auto answer = request(fmt::format(R"({{"what":"engines","from":{}}})", *from), timeout);
    if (!answer) throw std::runtime_error("cannot list engines: the controller does not answer");
    const auto value = boost::json::parse(*answer).as_object();
    for (const auto& one : value.at("engines").as_array()) engines.push_back(engine_info(one));
    const auto* next = value.if_contains("next");
    from = next == nullptr ? std::nullopt : std::optional(next->to_number<std::uint64_t>());
  }
  return engines;
}

namespace {

wire::BlobReference blob_of(const boost::json::object& answer) {
  const auto text = [&](const char* key) { return std::string(answer.at("value_at").at(key).as_string()); };
  const auto role = text("role") == "controller" ? wire::Role::controller : wire::Role::engine;
  return {static_cast<wire::Incarnation>(wire::parse_hex64(text("holder")).value()), static_cast<std::uint8_t>(role),
          std::stoull(text("blob")), answer.at("value_bytes").to_number<std::uint64_t>()};
}

wire::Codec codec_of(std::string_view name) {
  for (const auto codec : {wire::Codec::bytes, wire::Codec::pickle5}) {
    if (wire::to_string(codec) == name) return codec;
  }
  return wire::Codec::json;
}

}  // namespace

wire::Payload Client::large_value_of(const wire::TaskId& task, std::chrono::nanoseconds timeout) {
  const auto name = wire::to_string(task);
  const auto answer = request(fmt::format(R"({{"what":"result","task":"{}"}})", name), timeout);
  if (!answer) throw TimeoutError("the controller does not answer");
  const auto result = boost::json::parse(*answer).as_object();
  if (!result.contains("value_at")) throw std::runtime_error(fmt::format("task {} has no large value: {}", name, *answer));
  const auto blob = blob_of(result);
  if (blob.size > session_->max_payload()) throw std::runtime_error(fmt::format("the value of task {} has {} bytes, beyond the limit", name, blob.size));
  auto value = session_->fetch(blob, timeout);
  if (!value) {
    throw std::runtime_error(fmt::format("the value of task {} cannot be read: the {} that held it is gone or does not answer. Ask again: "
                                         "the task may run again", name, result.at("value_at").at("role").as_string().c_str()));
  }
  return {codec_of(result.at("codec").as_string()), std::move(*value)};
}

DirectView Client::direct_view() {
  std::vector<wire::Incarnation> all;
  for (const auto& engine : engines()) {
    if (engine.state != "draining") all.push_back(engine.id);
  }
  return direct_view(std::move(all));
}

std::vector<wire::TaskId> Client::ids_of(const AsyncResult& result) {
  return result.size() == 0 ? std::vector<wire::TaskId>() : session_->ids_of(result.state_);
}

void Client::cancel(const wire::TaskId& task) { session_->cancel(task); }
void Client::cancel_all() { session_->cancel_all(); }
std::string Client::refusal() const { return session_->refusal(); }
bus::Connection& Client::connection() { return session_->connection(); }

}  // namespace covey::client

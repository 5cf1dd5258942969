#include "bench/jobs/task_port.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

#include "bench/jobs/json_text.hpp"

namespace covey::jobs {

namespace {

std::string base64(std::span<const std::byte> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string readable(std::string text) {
  if (is_utf8(text)) return text;
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return text;
}

// Shared with callbacks on the client's thread, which may outlive the port.
struct Inbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::uint64_t> ended;  // guarded by the mutex
};

class ClientPort : public TaskPort {
 public:
  ClientPort(client::Client& client, std::string label) : client_(client), label_(std::move(label)) {}
  // Nobody waits for what is still out.
  ~ClientPort() override { cancel_all(); }

  void submit(const Work& work) override {
    client::AsyncResult result;
    try {
      result = view_for(*work.policy).apply(work.function, work.arguments);
    } catch (const std::length_error& error) {
      refused_.push_back({work.index, wire::TaskStatus::payload_too_large, {}, error.what()});
      return;
    }
    out_.emplace(work.index, result);
    result.on_ready([inbox = inbox_, index = work.index] {
      const std::lock_guard lock(inbox->mutex);
      inbox->ended.push_back(index);
      inbox->changed.notify_one();
    });
  }

  std::vector<Ended> wait(std::chrono::milliseconds most) override {
    std::vector<Ended> ended = std::exchange(refused_, {});
    std::vector<std::uint64_t> indexes;
    {
      std::unique_lock lock(inbox_->mutex);
      if (ended.empty()) inbox_->changed.wait_for(lock, most, [&] { return !inbox_->ended.empty(); });
      indexes.swap(inbox_->ended);
    }
    for (const auto index : indexes) {
      const auto result = out_.extract(index);
      ended.push_back(read(index, result.mapped()));
    }
    return ended;
  }

  void cancel_all() override {
    for (const auto& [index, result] : out_) result.abort();
  }

 private:
  static Ended read(std::uint64_t index, const client::AsyncResult& result) {
    try {
      Ended ended{index, wire::TaskStatus::ok, {}, {}};
      if (to_json(result.get(), ended.value)) return ended;
      return {index,
              wire::TaskStatus::failed,
              {},
              readable("the function returned what is not JSON: " + ended.value.substr(0, 200))};
    } catch (const client::TaskError& error) {
      return {index, error.metadata().status, {}, readable(error.metadata().error)};
    }
  }
  // A view for each way to run: most steps have one.
  client::LoadBalancedView& view_for(const TaskPolicy& policy) {
    for (auto& [known, view] : views_) {
      if (known == policy) return view;
    }
    auto view = client_.load_balanced();
    view.options.label = label_;
    view.options.priority = policy.priority;
    view.options.timeout = policy.timeout;
    view.options.run_limit = policy.run_limit;
    view.options.retry_delay = policy.retry_delay;
    view.options.max_attempts = policy.max_attempts;
    view.options.retries = policy.retries;
    view.options.labels = policy.labels;
    return views_.emplace_back(policy, std::move(view)).second;
  }

  client::Client& client_;
  std::string label_;
  std::vector<std::pair<TaskPolicy, client::LoadBalancedView>> views_;
  std::unordered_map<std::uint64_t, client::AsyncResult> out_;
  std::vector<Ended> refused_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
};

}  // namespace

bool to_json(const wire::Payload& payload, std::string& json) {
  const auto text = payload.buffer.view();
  if (payload.codec != wire::Codec::json) {
    json = fmt::format(R"({{"codec":"{}","base64":"{}"}})", to_string(payload.codec), base64(payload.buffer.span()));
    return true;
  }
  const bool fits = trimmed(text).empty() || is_json(text);
  json = trimmed(text).empty() ? "null" : fits ? one_line(text) : std::string(text);
  return fits;
}

std::unique_ptr<TaskPort> make_client_port(client::Client& client, std::string label) {
  return std::make_unique<ClientPort>(client, std::move(label));
}

}  // namespace covey::jobs

#include "common/bus/complaints.hpp"

#include <unordered_map>

namespace covey::bus {

namespace {

struct Listeners {
  std::mutex mutex;
  std::unordered_map<natsConnection*, std::weak_ptr<LoopAdapter>> by_connection;
};

// Never destroyed: nats.c's thread outlives main.
Listeners& listeners() {
  static auto* const all = new Listeners;
  return *all;
}

void on_error(natsConnection* connection, natsSubscription*, natsStatus status, void*) noexcept {
  try {
    std::shared_ptr<LoopAdapter> adapter;
    {
      const std::lock_guard lock(listeners().mutex);
      const auto found = listeners().by_connection.find(connection);
      if (found != listeners().by_connection.end()) adapter = found->second.lock();
    }
    if (!adapter) return;
    const char* text = nullptr;
    static_cast<void>(natsConnection_GetLastError(connection, &text));
    adapter->complain(status, text == nullptr ? "" : text);
  } catch (...) {  // out of memory: the complaint is lost
  }
}

}  // namespace

natsStatus install_complaints(natsOptions* options) { return natsOptions_SetErrorHandler(options, &on_error, nullptr); }

void listen_to_complaints(natsConnection* connection, const std::shared_ptr<LoopAdapter>& adapter) {
  const std::lock_guard lock(listeners().mutex);
  listeners().by_connection[connection] = adapter;
}

void ignore_complaints(natsConnection* connection) {
  const std::lock_guard lock(listeners().mutex);
  listeners().by_connection.erase(connection);
}

}  // namespace covey::bus

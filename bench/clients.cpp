// The clients of the experiments that run just now.
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "bench/experiments.hpp"
#include "bench/rows.hpp"

namespace covey::bench {

namespace {

// The lock is held while a listed client is used, so that none goes meanwhile.
std::mutex mutex;
std::vector<client::Client*> clients;  // guarded by mutex
bool cancelling = false;  // guarded by mutex

}  // namespace

std::shared_ptr<client::Client> listed(std::unique_ptr<client::Client> client) {
  const std::lock_guard lock(mutex);
  clients.push_back(client.get());
  return {client.release(), [](client::Client* gone) {
            {
              const std::lock_guard again(mutex);
              std::erase(clients, gone);
              if (cancelling) gone->cancel_all();  // what it has submitted since
            }
            delete gone;
          }};
}

bool cancel_tasks() {
  const std::lock_guard lock(mutex);
  cancelling = true;
  for (auto* client : clients) client->cancel_all();
  return !clients.empty();
}

}  // namespace covey::bench

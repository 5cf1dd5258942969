// ConnectOptions in nats.c's terms, and nats.c's statuses in ours. Private to common/bus/.
#pragma once

#include <nats/nats.h>

#include <memory>

#include "common/bus/connection.hpp"

namespace covey::bus {

struct FreeOptions {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
};
using NatsOptions = std::unique_ptr<natsOptions, FreeOptions>;

// Null if they cannot be taken; `status` says why.
NatsOptions make_options(const ConnectOptions& wanted, natsStatus& status);

Errc from_status(natsStatus status);
// The same for a connect that failed, where the options tell more.
Errc from_connect_status(natsStatus status, const ConnectOptions& options);

// The host of [scheme://][user[:password]@]host[:port] and its port, 4222 if not given.
struct Address {
  std::string host, port;
};
Address address_of(std::string_view url);

}  // namespace covey::bus

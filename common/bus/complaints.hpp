// nats.c reports what the server complains of on a thread of its own, and may do so even after a connection was
// destroyed. So its callback gets no pointer to us: it looks up here whether anybody still listens. Any thread.
#pragma once

#include <nats/nats.h>

#include <memory>

#include "common/bus/loop_adapter.hpp"

namespace covey::bus {

natsStatus install_complaints(natsOptions* options);
void listen_to_complaints(natsConnection* connection, const std::shared_ptr<LoopAdapter>& adapter);
void ignore_complaints(natsConnection* connection);

}  // namespace covey::bus

// One natsConnection from its connect to its end, with the adapter that ties it to a loop. Private to common/bus/.
#pragma once

#include <nats/nats.h>

#include <boost/asio/io_context.hpp>
#include <boost/system/result.hpp>
#include <memory>

#include "common/bus/connection.hpp"
#include "common/bus/loop_adapter.hpp"

namespace covey::bus {

class NatsLink {
 public:
  // Blocks until connected or failed. On any thread; from then on the link belongs to the loop, which calls adopt().
  static boost::system::result<std::unique_ptr<NatsLink>> open(boost::asio::io_context& io,
                                                               const ConnectOptions& options);
  // Writes what it can.
  ~NatsLink();
  NatsLink(const NatsLink&) = delete;
  NatsLink& operator=(const NatsLink&) = delete;

  natsConnection* connection() const { return connection_; }
  LoopAdapter& adapter() const { return *adapter_; }
  const std::shared_ptr<LoopAdapter>& shared_adapter() const { return adapter_; }
  bool connected() const { return adapter_->connected(); }

 private:
  explicit NatsLink(boost::asio::io_context& io) : adapter_(std::make_shared<LoopAdapter>(io)) {}

  std::shared_ptr<LoopAdapter> adapter_;
  natsConnection* connection_ = nullptr;
};

}  // namespace covey::bus

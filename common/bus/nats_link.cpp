#include "common/bus/nats_link.hpp"

#include "common/bus/complaints.hpp"
#include "common/bus/nats_options.hpp"

namespace covey::bus {

boost::system::result<std::unique_ptr<NatsLink>> NatsLink::open(boost::asio::io_context& io,
                                                                const ConnectOptions& options) {
  std::unique_ptr<NatsLink> link(new NatsLink(io));
  natsStatus status = NATS_OK;
  const NatsOptions nats_options = make_options(options, status);
  if (nats_options == nullptr) return from_status(status);
  status = link->adapter_->install(nats_options.get());
  if (status == NATS_OK) status = install_complaints(nats_options.get());
  if (status == NATS_OK) status = natsConnection_Connect(&link->connection_, nats_options.get());
  if (status != NATS_OK) return from_connect_status(status, options);
  listen_to_complaints(link->connection_, link->adapter_);
  return link;
}

NatsLink::~NatsLink() {
  adapter_->write_now();
  adapter_->shut();
  if (connection_ == nullptr) return;
  ignore_complaints(connection_);
  natsConnection_Destroy(connection_);
}

}  // namespace covey::bus

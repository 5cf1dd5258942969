// The HTTP API of a controller: a thread and a loop of its own, all that lives on it, and the wire to the controller's
// loop. Made, started and stopped on the controller's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "common/bus/local_wire.hpp"
#include "common/wire/ids.hpp"
#include "controller/http/options.hpp"

namespace covey::api {

struct NatsFigures;

class Service {
 public:
  explicit Service(ServiceOptions options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Listens, or says why it cannot. After wire_to(), before start().
  std::string open();
  std::uint16_t port() const;

  // The wire from the controller's loop, and who will be at its other end. `look_at_nats` is called on that loop.
  std::shared_ptr<bus::LocalWire> wire_to(boost::asio::io_context& controller, std::function<NatsFigures()> look_at_nats);
  wire::Incarnation client() const;
  wire::SessionId session() const;

  void start();
  void stop();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace covey::api

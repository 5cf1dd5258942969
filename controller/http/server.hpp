// Accepts connections and runs a coroutine for each: reads requests, finds their routes, checks their tokens, sends the
// answers. Lives on the API's loop.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/result.hpp>
#include <list>
#include <memory>
#include <optional>

#include "controller/http/router.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

class Server : public std::enable_shared_from_this<Server> {
 public:
  explicit Server(Services& services) : services_(services), acceptor_(services.io) {}

  // Binds and begins to listen; the port that it got is port().
  boost::system::error_code listen(const boost::asio::ip::tcp::endpoint& endpoint);
  std::uint16_t port() const { return port_; }
  void start();
  // Ends everything that is under way.
  void stop();
  bool idle() const { return sessions_.empty(); }

 private:
  struct Session {
    Session(boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> tls)
        : stream(std::move(socket), std::move(tls)) {}
    Stream stream;
    boost::beast::flat_buffer buffer;
    boost::asio::cancellation_signal cancel;
    std::list<std::shared_ptr<Session>>::iterator place;
  };
  using SessionPointer = std::shared_ptr<Session>;

  static boost::asio::awaitable<void> accept_loop(std::shared_ptr<Server> self);
  static boost::asio::awaitable<void> serve(std::shared_ptr<Server> self, SessionPointer session);
  // One request; false: the connection ends.
  static boost::asio::awaitable<bool> serve_one(Server* self, Session* session);
  static boost::asio::awaitable<bool> read_header(Server* self, Session* session, Exchange* exchange);
  static boost::asio::awaitable<Reply> answer(Server* self, Exchange* exchange);
  static boost::asio::awaitable<Reply> dispatch(Server* self, Exchange* exchange);
  static boost::asio::awaitable<void> turn_away(std::shared_ptr<Server> self, SessionPointer session);
  static boost::asio::awaitable<void> linger(Session* session);
  std::optional<Problem> refuse(Exchange& exchange) const;
  void begin(boost::asio::ip::tcp::socket socket);
  void run(SessionPointer session, boost::asio::awaitable<void> work);

  Services& services_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::list<SessionPointer> sessions_;
  std::uint64_t turned_away_ = 0;  // being told so now
  std::uint16_t port_ = 0;
  bool stopping_ = false;
};

}  // namespace covey::api

// One NATS connection on one Asio loop: publish, subscribe, and word of its comings and goings. Every member, the
// destructor too, is called on the loop's thread (or before the loop runs), and every callback comes there. After a
// loss it reconnects for ever; what is published meanwhile is dropped, since the links above send again.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/bus/error.hpp"
#include "common/wire/payload.hpp"

namespace covey::bus {

struct TlsOptions {
  std::string ca_file;              // PEM; empty: the system's authorities
  std::string cert_file, key_file;  // PEM; empty: no client certificate
  std::string server_name = {};     // the name that the certificate must bear; empty: the host of the URL
};

struct ConnectOptions {
  std::string url;             // nats://host:port, tls://host:port
  std::string user, password;  // without quotes, backslashes and control characters, as is the name
  std::string name;            // shown by the server's monitoring
  std::optional<TlsOptions> tls;
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds patience{0};  // connect() goes on trying for so long while nobody answers there
  bool echo = false;  // also get what this connection itself publishes
};

// publish() refuses beyond this many bytes that wait to be written.
inline constexpr std::size_t kMaxBuffered = std::size_t{256} << 20;

// A message as a handler sees it. The views are valid during the call; share() makes the bytes last.
class Message {
 public:
  Message(std::string_view on, std::string_view reply_to, std::span<const std::byte> bytes, bool nobody = false)
      : subject(on), reply(reply_to), data(bytes), no_responders_(nobody) {}
  // Takes over a natsMsg, which is destroyed with this or with the last Buffer that shares it.
  static Message own(void* nats_message);
  ~Message();
  Message(Message&& other) noexcept;
  Message& operator=(Message&&) = delete;

  std::string_view subject, reply;
  std::span<const std::byte> data;

  // The server's word that nobody subscribes to what was asked (status 503). `subject` is then the subject of the
  // subscription the word came by, which with a wildcard is less than the inbox that was given as reply.
  bool no_responders() const { return no_responders_; }
  // The data without copying it, for as long as it is wanted. It keeps the whole message in memory. A message that
  // was not made by own() is copied.
  wire::Buffer share();

 private:
  void* handle_ = nullptr;  // a natsMsg, unless shared already
  std::shared_ptr<const void> shared_;
  bool no_responders_ = false;
};

enum class State { connected, disconnected, closed };
enum class SubscriptionId : std::uint64_t {};

struct Counters {
  std::uint64_t dropped = 0;  // messages that nats.c threw away because a subscription's queue was full
  std::uint64_t reconnects = 0;
};

class Connection {
 public:
  // Blocks until connected or failed; nothing of options.patience is spent on what will not mend itself, as a wrong password. Wants nats-server 2.9 or newer. With options.tls nats.c runs on a thread of the
  // connection's own (threaded_connection.hpp says why); all else is the same.
  static boost::system::result<std::unique_ptr<Connection>> connect(boost::asio::io_context& io,
                                                                    const ConnectOptions& options);
  // Writes what it can of what was published. Blocks up to half a second if the server does not take it, up to
  // connect_timeout in the middle of a reconnect. Not to be called from one of the connection's own callbacks.
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  using Handler = std::function<void(Message&)>;
  // Lasts through reconnects; given while disconnected, it begins with the next connection. A handler may subscribe,
  // unsubscribe and publish. Order holds within a subscription, not between them. Throws std::invalid_argument for a
  // malformed subject.
  virtual SubscriptionId subscribe(std::string subject, Handler handler, std::string queue_group = {}) = 0;
  // The handler is not called again.
  virtual void unsubscribe(SubscriptionId id) = 0;
  // No more is asked for, and the handler still gets what was on its way; then `done` is called, and the handler no more. At a
  // loss of the connection it is called too, since then nothing is on its way.
  virtual void drain(SubscriptionId id, std::function<void()> done) = 0;

  // Never blocks. What is published in one turn of the loop leaves at the end of it, together.
  virtual Errc publish(std::string_view subject, std::span<const std::byte> data, std::string_view reply = {}) = 0;
  // Calls back once all that was published so far has gone to the kernel (ok), or was lost (disconnected, closed).
  virtual void flush(std::function<void(Errc)> done) = 0;
  // Bytes that wait to be written.
  virtual std::size_t buffered() const = 0;

  // Called once after each batch of messages that one turn of the loop has handled.
  virtual void on_drained(std::function<void()> callback) = 0;
  // connected and disconnected take turns.
  virtual void on_state(std::function<void(State)> callback) = 0;
  // What the server complains of: a subject that is not permitted, or at a reconnect the password or the certificate.
  // Attempts to reconnect go on.
  virtual void on_error(std::function<void(Errc, std::string_view)> callback) = 0;

  virtual State state() const = 0;
  virtual std::size_t max_payload() const = 0;
  virtual std::string server_version() const = 0;
  virtual Counters counters() const = 0;
  // Ends the connection as the destructor does; no callback comes afterwards.
  virtual void close() = 0;

 protected:
  Connection() = default;
};

}  // namespace covey::bus

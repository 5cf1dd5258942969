// An API server that follows a script, on the test's own loop: it answers each request with the next answer that was put in for its method
// and path, in raw bytes, so that a test decides where pieces begin and how a connection ends. What nobody scripted is answered with 500.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace covey::kube::fake {

struct Answer {
  enum class End { keep, close, hang };
  std::vector<std::string> pieces;  // each one write
  End end = End::keep;
};

Answer json_answer(unsigned status, const std::string& body, const std::string& headers = {});
// A watch whose body arrives in these pieces, each a chunk of its own; chunks and lines need not agree. `finished`: with the last chunk, and
// so in good order.
Answer watch_answer(const std::vector<std::string>& pieces, bool finished, Answer::End end);
std::string status_body(unsigned code, const std::string& reason, const std::string& message = "no");

class Api {
 public:
  struct Seen {
    std::string method, target, body, content_type, authorization;
    std::size_t connection = 0;  // counted from 1
  };

  explicit Api(boost::asio::io_context& io, std::shared_ptr<boost::asio::ssl::context> tls = nullptr);
  ~Api();
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  // For the next request of that method whose path (the target before the ?) is this one.
  void script(const std::string& method, const std::string& path, Answer answer);
  const std::vector<Seen>& seen() const { return seen_; }
  std::size_t unused() const;

 private:
  using Tcp = boost::asio::ip::tcp::socket;
  struct Shared;
  boost::asio::awaitable<void> accept();
  template <class Stream>
  boost::asio::awaitable<void> serve(std::shared_ptr<Stream> stream, std::size_t connection);
  Answer answer_to(const Seen& seen);

  boost::asio::io_context& io_;
  std::shared_ptr<boost::asio::ssl::context> tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::size_t connections_ = 0;
  std::map<std::string, std::deque<Answer>> scripted_;
  std::vector<Seen> seen_;
};

}  // namespace covey::kube::fake

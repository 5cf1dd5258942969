#include "controller/http/stream.hpp"

namespace covey::api {

Stream::Stream(Tcp socket, std::shared_ptr<boost::asio::ssl::context> tls) : context_(std::move(tls)) {
  if (context_) {
    tls_.emplace(std::move(socket), *context_);
  } else {
    plain_.emplace(std::move(socket));
  }
  watch_ = std::make_shared<Watch>(get_executor(), this);
}

Stream::~Stream() {
  watch_->stream = nullptr;
  watch_->timer.cancel();
}

void Stream::expires_after(std::chrono::milliseconds time) {
  watch_->expired = false;
  watch_->deadline = Clock::now() + time;
  if (watch_->deadline < watch_->armed_for) arm(watch_);
}

void Stream::arm(const std::shared_ptr<Watch>& watch) {
  watch->armed_for = watch->deadline;
  watch->timer.expires_at(watch->deadline);
  watch->timer.async_wait([watch](const boost::system::error_code& error) {
    if (error || watch->stream == nullptr) return;
    watch->armed_for = Clock::time_point::max();
    if (Clock::now() < watch->deadline) return arm(watch);
    watch->expired = true;
    boost::system::error_code ignored;
    watch->stream->lowest().cancel(ignored);
  });
}

}  // namespace covey::api

#include "client/error.hpp"

#include <string>

namespace covey::client {

namespace {

class Category : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "covey.client"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::queue_full: return "the queue is at its limit: wait for results before submitting more";
      case Errc::closed: return "the client was closed";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& client_category() {
  static const Category category;
  return category;
}

}  // namespace covey::client

// What can go wrong in the client before a task is on its way. How a task ended is a wire::TaskStatus.
#pragma once

#include <boost/system/error_code.hpp>

namespace covey::client {

enum class Errc {
  queue_full = 1,  // as many tasks are unfinished as the controller allows: wait for results before submitting more
  closed,          // the client was closed
};

const boost::system::error_category& client_category();
inline boost::system::error_code make_error_code(Errc code) { return {static_cast<int>(code), client_category()}; }

}  // namespace covey::client

template <>
struct boost::system::is_error_code_enum<covey::client::Errc> : std::true_type {};

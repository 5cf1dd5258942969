// Where the state machines put what is to leave: frames, and lines for an operator to read.
#pragma once

#include <string_view>

#include "common/wire/bytes.hpp"

namespace covey::wire {

class Outlet {
 public:
  virtual ~Outlet() = default;
  // Publishes a frame. Whether it arrives is the links' business.
  virtual void send(std::string_view subject, ByteSpan frame) = 0;
  // Something an operator should be able to read. Rare.
  virtual void log(std::string_view line) = 0;
};

}  // namespace covey::wire

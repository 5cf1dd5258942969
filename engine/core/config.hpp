// What an operator of an engine may set, with the defaults. Read by the core; parsed elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/wire/time.hpp"

namespace covey::engine {

struct Config {
  std::string name;
  std::uint32_t slots = 1;
  std::vector<std::string> labels;     // "name=value"
  std::vector<std::string> functions;  // what it can run, for people
  std::uint64_t first_credit = 64;     // per slot, before it is known how long tasks take
  std::uint64_t max_credit = 4096;     // per slot
  // Work to hold per slot, so that it lasts while results travel back and tasks travel here on a busy machine.
  wire::Duration cover = std::chrono::milliseconds(20);
  // Tasks longer than this are handed out one by one: waiting for the next costs less than a half per cent.
  wire::Duration long_task = std::chrono::milliseconds(300);
  std::uint64_t max_value_bytes = 1ULL << 30;  // of values that nobody has read yet; beyond it no more tasks are taken
  std::uint64_t max_args_bytes = 256ULL << 20; // of arguments by reference, from when they are asked for; one may always come
  wire::Duration client_silence = std::chrono::seconds(10);  // scheme direct: a client is gone
};

}  // namespace covey::engine

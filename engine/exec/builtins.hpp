// The functions that every engine has: echo, sleep, spin, fail, sum. `arguments.hpp` has the calling convention.
#pragma once

#include "engine/exec/function.hpp"

namespace covey::engine {

void add_builtins(FunctionTable& table);

}  // namespace covey::engine

// Loads functions from shared libraries. `engine/include/covey/plugin.h` is the contract with them. Called at start-up
// by one thread.
#pragma once

#include <string>

#include "engine/exec/function.hpp"
#include "engine/exec/variables.hpp"

namespace covey::engine {

inline constexpr std::size_t kMostPluginFunctions = 1024;                      // in one library
inline constexpr std::size_t kMostPluginResultBytes = std::size_t{256} << 20;  // of one run
inline constexpr std::size_t kLongestPluginError = 8 * 1024;                   // bytes of a message that are kept

// Adds the functions of the library at `path` to `table`: all of them, or none. The library stays loaded for as long as
// one of its functions lives. They may read `variables`, which outlive the table; null: there are none. Throws
// std::runtime_error, which says what is wrong and with which file.
void load_plugin(FunctionTable& table, const std::string& path, const Variables* variables = nullptr);

}  // namespace covey::engine

// Throws while it is loaded.
#include <covey/plugin.h>

#include <stdexcept>

COVEY_PLUGIN(registry) {
  if (registry != nullptr) throw std::runtime_error("no licence");
  return 0;
}

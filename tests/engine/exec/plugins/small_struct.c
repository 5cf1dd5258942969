/* Forgets to say how large its covey_function is. */
#include <covey/plugin.h>

COVEY_PLUGIN(registry) {
  const covey_function empty = {0};
  return covey_add(registry, &empty);
}

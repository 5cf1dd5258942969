/* Adds a function, and then finds that it cannot go on. */
#include <covey/plugin.h>

static void run(covey_ctx* ctx, const void* data, size_t size, int codec, void* state) {
  (void)state;
  covey_result(ctx, codec, data, size);
}

COVEY_PLUGIN(registry) {
  const covey_function good = COVEY_FUNCTION("brand_new", run);
  covey_add(registry, &good);
  return 42;
}

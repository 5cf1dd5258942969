/* Adds one good function, and one whose name the engine has already. */
#include <covey/plugin.h>

static void run(covey_ctx* ctx, const void* data, size_t size, int codec, void* state) {
  (void)state;
  covey_result(ctx, codec, data, size);
}

COVEY_PLUGIN(registry) {
  const covey_function good = COVEY_FUNCTION("brand_new", run);
  const covey_function taken = COVEY_FUNCTION("echo", run);
  covey_add(registry, &good);
  covey_add(registry, &taken); /* a plugin may forget to look at what this returns */
  return 0;
}

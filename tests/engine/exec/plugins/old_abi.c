/* Built against a plugin.h of another age. */
#include <stdint.h>

uint32_t covey_plugin_abi(void);
uint32_t covey_plugin_abi(void) { return 999; }
int covey_plugin(void* registry);
int covey_plugin(void* registry) { return *(volatile int*)registry; /* must never be called */ }
